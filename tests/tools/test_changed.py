"""`./run test changed`: which tests a change can reach."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.up.running import ROOT
from tools.changed import Sources, changed_since, read_sources

TEXTS = {
    "gwm/__init__.py": "",
    "gwm/settings.py": 'MIDDLEWARE = ["gwm.middleware.Brake"]',
    "gwm/middleware.py": "import shop.till",
    "shop/__init__.py": "",
    "shop/till.py": "",
    "shop/urls.py": "from shop import views",
    "shop/views.py": "from shop.models import Thing\nPAGE = 'shop/page.html'",
    "shop/models.py": "",
    "shop/migrations/0001_first.py": "",
    "shop/templatetags/prices.py": "from shop import rounding",
    "shop/rounding.py": "",
    "shop/tasks.py": "",
    "shop/cycle.py": "TASK = 'shop.tasks.count'",
    "shop/management/commands/sell.py": "",
    "templates/shop/page.html": '{% load prices %}{% include "shop/_row.html" %}',
    "templates/shop/_row.html": "",
    "templates/shop/by_name.html": "",
    "tests/conftest.py": "pytest_plugins = ['tests.servers']",
    "tests/servers.py": "@pytest.fixture(scope='session')\ndef redis_url():\n    ...",
    "tests/architecture/test_rules.py": "",
    "tests/a/conftest.py": "from shop import models",
    "tests/a/test_by_conftest.py": "",
    "tests/a/test_pages.py": "from django.test import Client",
    "tests/b/test_tasks.py": "import shop.cycle",
    "tests/b/test_command.py": "call_command('sell')",
    "tests/b/test_whole.py": "run(['manage.py', 'up'])",
    "tests/b/test_redis.py": "def test_it(redis_url): ...",
    "tests/b/test_till.py": "from shop.till import open",
    "tests/b/test_docs.py": "ROOT / 'docs' / 'shop.md'",
    "tests/b/test_all_docs.py": "ROOT.glob('docs/*.md')",
    "tests/b/test_in_docs.py": "Path(ROOT, 'docs').iterdir()",
    "tests/b/test_words.py": "assert said == 'docs/shop.md lists all'",
}
WHOLE = "tests/b/test_whole.py"


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ("shop/till.py", ["tests/a/test_pages.py", "tests/b/test_till.py", WHOLE]),
        ("shop/models.py", ["tests/a/test_by_conftest.py", "tests/a/test_pages.py", WHOLE]),
        ("shop/migrations/0001_first.py", ["tests/a/test_by_conftest.py", "tests/a/test_pages.py", WHOLE]),
        ("templates/shop/_row.html", ["tests/a/test_pages.py", WHOLE]),
        ("templates/shop/by_name.html", ["tests/a/test_pages.py", WHOLE]),
        ("shop/rounding.py", ["tests/a/test_pages.py", WHOLE]),
        ("shop/tasks.py", ["tests/b/test_tasks.py", WHOLE]),
        ("shop/management/commands/sell.py", ["tests/b/test_command.py", WHOLE]),
        ("tests/servers.py", ["tests/b/test_redis.py"]),
        ("tests/b/test_till.py", ["tests/b/test_till.py"]),
        ("docs/shop.md", ["tests/b/test_docs.py"]),
        ("docs/other.md", ["tests/b/test_all_docs.py", "tests/b/test_in_docs.py"]),
        ("unheard/of.bin", []),
    ],
)
def test_what_a_change_reaches(changed: str, reached: list[str]) -> None:
    assert Sources(TEXTS).reached([changed]) == sorted(["tests/architecture/test_rules.py", *reached])


def test_who_needs_what_is_gone_is_reached() -> None:
    texts = {path: text for path, text in TEXTS.items() if path != "shop/till.py"}
    assert "tests/b/test_till.py" in Sources(texts).reached(["shop/till.py"])


@pytest.mark.parametrize("changed", ["pyproject.toml", "tests/conftest.py", "gwm/settings.py"])
def test_what_all_share_reaches_all(changed: str) -> None:
    assert Sources(TEXTS).reached([changed]) == sorted(path for path in TEXTS if "/test_" in path)


@pytest.mark.long
def test_our_own_sources_are_told_apart() -> None:
    sources = read_sources(ROOT)
    reached = set(sources.reached(["vncproxy/rfb.py"]))
    assert "tests/vncproxy/test_rfb.py" in reached and "tests/permissions/test_matrix.py" not in reached
    reached = set(sources.reached(["templates/gwm/about.html"]))
    assert "tests/pages/test_every_url.py" in reached and "tests/rapi/test_parsing.py" not in reached
    (policy, *_) = (path for path in sorted(sources.texts) if path.startswith("permissions/policy"))
    assert "tests/permissions/test_matrix.py" in sources.reached([policy])


@pytest.mark.program("git", "git")
def test_what_is_not_committed_counts_too(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-b", "main")
    for name in ("same", "edited", "moved"):
        (tmp_path / name).write_text(name)
    git("add", ".")
    git("commit", "-m", "one")
    git("switch", "-c", "branch")
    git("mv", "moved", "elsewhere")
    git("commit", "-m", "two")
    (tmp_path / "edited").write_text("anew")
    (tmp_path / "new").write_text("new")
    assert changed_since(tmp_path, "main") == {"moved", "elsewhere", "edited", "new"}
    assert changed_since(tmp_path, "HEAD") == {"edited", "new"}
    with pytest.raises(SystemExit, match="merge-base"):
        changed_since(tmp_path, "nowhere")
