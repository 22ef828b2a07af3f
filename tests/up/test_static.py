"""Static files: addresses that change with their contents, and may be kept for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client

from gwm.static_version import version_of


def test_any_change_changes_the_version(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.js").write_text("1")
    first = version_of(tmp_path)
    assert version_of(tmp_path) == first
    (tmp_path / "a" / "one.js").write_text("2")
    second = version_of(tmp_path)
    (tmp_path / "a" / "one.js").rename(tmp_path / "a" / "two.js")
    third = version_of(tmp_path)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.js").write_text("1")
    both = version_of(tmp_path / "a", tmp_path / "b")
    assert len({first, second, third, both, version_of(tmp_path / "a", tmp_path / "b", made="a{}")}) == 5


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["css/tokens.css", "js/app.js"])
def test_a_file_under_its_versioned_address_may_be_kept(client: Client, name: str) -> None:
    answer = client.get(static(name))
    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]
    assert version_of(settings.BASE_DIR / "static") in static(name)
    assert "Access-Control-Allow-Origin" not in answer
    assert b"".join(answer.streaming_content) == (settings.BASE_DIR / "static" / name).read_bytes()
    answer.close()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["css/tokens.css", "js/app.js"])
def test_a_page_of_another_release_has_its_files_too_and_nobody_keeps_them(client: Client, name: str) -> None:
    own = version_of(settings.BASE_DIR / "static")
    answer = client.get(static(name).replace(own, "0123abcd"))
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    assert b"".join(answer.streaming_content) == (settings.BASE_DIR / "static" / name).read_bytes()
    answer.close()
    gone = client.get("/static/0123abcd/js/of-another.js")
    assert gone.status_code == 404 and gone["Cache-Control"] == "no-store"
