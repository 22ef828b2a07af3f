"""The catalogue that translators get: made without a complaint, and with everything in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path for path in ROOT.iterdir() if path.is_dir() and ((path / "__init__.py").exists() or path.name == "templates")
]
LEFT_OUT = frozenset({"tests", "tools", "simulator"})


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What makemessages makes of a copy of the source for a new language, and what it said meanwhile."""
    assert shutil.which("xgettext"), "Install gettext (the package of this name)."
    there = tmp_path_factory.mktemp("source")
    for source in SOURCES:
        if source.name not in LEFT_OUT:
            shutil.copytree(source, there / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (there / "locale").mkdir()
    made = subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "de", "--extension", "html,py", "--no-color"],
        cwd=there,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return there / "locale" / "de" / "LC_MESSAGES" / "django.po", made.stdout + made.stderr


def test_makemessages_has_nothing_to_complain_of(catalogue: tuple[Path, str]) -> None:
    assert catalogue[1].strip() == "processing locale de"
    subprocess.run(["/usr/bin/msgfmt", "--check", "--output-file=/dev/null", catalogue[0]], check=True)


@pytest.mark.parametrize(
    "text",
    [
        "Keyboard shortcuts",  # a template
        "Showing data from %(read_at)s.",  # with a value
        "Force {target} off?",  # an operation
        "Shutdown timeout, in seconds",  # a form
        "In progress",  # a filter
        "being cancelled",  # a state
        "Ganeti does not know job %(number)s any more.",  # the RAPI client, which knows no Django
        "Grow a disk of %s",  # the title of a job
        "Gave %(verbs)s on %(object)s to %(who)s",  # the journal
        "Connecting again in {seconds} s.",  # a script
        "%d job in progress",  # with a plural
    ],
)
def test_a_sentence_is_in_the_catalogue(catalogue: tuple[Path, str], text: str) -> None:
    assert f'msgid "{text}"' in catalogue[0].read_text(encoding="utf-8")
