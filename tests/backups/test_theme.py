"""A theme goes into a backup, and comes back with it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from gwm.backups import file
from gwm.backups.theme import is_of_theme
from permissions.models import User
from tests.factories import make_admin

pytestmark = [
    pytest.mark.feature("F297"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.beside,
    pytest.mark.alike,
]
LOGO = bytes(range(256))


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    monkeypatch.setenv("GWM_DATA_DIR", str(tmp_path / "data"))
    settings.GWM_THEME_DIR = tmp_path / "data" / "theme"
    settings.GWM_THEME_DIR.mkdir(parents=True)
    make_admin()
    return tmp_path / "data"


def write(directory: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)


def files_below(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


THEME = {"theme.toml": b'name = "Cloud"\n', "static/img/logo.png": LOGO, "templates/own/part.html": b"<p>\n"}
LEFT_OUT = {".git/config": b"", "static/.cache/x": b"", "notes.txt": b"", "templates/.part.html.swp": b""}


@pytest.fixture
def backup(tmp_path: Path, settings: Any) -> Path:
    write(settings.GWM_THEME_DIR, {**THEME, **LEFT_OUT})
    call_command("backup", str(tmp_path / "a.backup"), stdout=io.StringIO())
    return tmp_path / "a.backup"


def restore(path: Path) -> str:
    User.objects.all().delete()
    out = io.StringIO()
    call_command("restore", str(path), stdout=out)
    return out.getvalue()


def test_it_comes_back_where_there_is_none_and_is_left_alone_where_it_is_the_same(
    backup: Path, tmp_path: Path, settings: Any
) -> None:
    assert "theme of" not in restore(backup)
    settings.GWM_THEME_DIR = tmp_path / "data" / "other"
    assert f"The theme of the backup is in {settings.GWM_THEME_DIR}: 3 files." in restore(backup)
    assert files_below(settings.GWM_THEME_DIR) == THEME


def test_another_one_lies_beside_it_afterwards(backup: Path, data_dir: Path) -> None:
    (data_dir / "theme" / "theme.toml").write_text('name = "Later"\n')
    write(data_dir / "theme.before-restore", {"theme.toml": b"of long ago"})
    assert "The theme of before is in" in restore(backup)
    assert files_below(data_dir / "theme") == THEME
    assert files_below(data_dir / "theme.before-restore") == {**THEME, **LEFT_OUT, "theme.toml": b'name = "Later"\n'}


def test_where_nobody_may_write_it_is_laid_into_the_data_directory(
    backup: Path, tmp_path: Path, data_dir: Path, settings: Any
) -> None:
    (tmp_path / "file").write_text("")
    settings.GWM_THEME_DIR = tmp_path / "file" / "theme"
    assert "can't be written" in restore(backup)
    assert files_below(data_dir / "theme.restored") == THEME


def test_without_one_in_the_backup_that_of_the_host_stays(tmp_path: Path, data_dir: Path) -> None:
    call_command("backup", str(tmp_path / "none.backup"), stdout=io.StringIO())
    write(data_dir / "theme", THEME)
    restore(tmp_path / "none.backup")
    assert files_below(data_dir / "theme") == THEME


def signed_with(path: Path, line: object) -> Path:
    """With one more line, and a checksum that fits: by somebody who knows how such files are made."""
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    lines.insert(-1, json.dumps(line).encode() + b"\n")
    end = json.loads(lines[-1])
    end["end"]["sha256"] = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    changed = path.with_name("changed.backup")
    changed.write_bytes(gzip.compress(b"".join([*lines[:-1], json.dumps(end).encode(), b"\n"])))
    return changed


def test_nothing_that_leads_elsewhere_is_taken(backup: Path, tmp_path: Path, data_dir: Path) -> None:
    names = ["../secrets.env", "/etc/passwd", "static/../../x", "static//x", "static/./x", "static", "secrets.env"]
    names += [
        "static/a\0",
        "static/\ud800",
        "static/\x1b[2J",
        "",
        ".git/config",
        "static/.x",
        "templates/",
        "theme.toml/",
    ]
    assert [name for name in names if is_of_theme(name)] == []
    before = files_below(tmp_path)
    content = base64.b64encode(b"x").decode()
    with pytest.raises(CommandError, match=r"no theme has a file \.\./secrets\.env"):
        restore(signed_with(backup, {"file": "../secrets.env", "content": content}))
    for damaged in ({"file": "static/x"}, {"file": "static/x", "content": "?"}, {"file": "static/x", "content": 1}):
        with pytest.raises(CommandError, match="a file of the theme can't be read"):
            restore(signed_with(backup, damaged))
    after = files_below(tmp_path)
    after.pop("changed.backup")
    assert after == before


def test_what_is_too_large_is_named(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LARGEST_FILE", 2)
    write(data_dir / "theme", {"static/a.png": b"abc"})
    with pytest.raises(CommandError, match=r"static/a\.png of the theme is too large"):
        call_command("backup", str(tmp_path / "large.backup"), stdout=io.StringIO())
    assert not (tmp_path / "large.backup").exists()
