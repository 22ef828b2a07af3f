"""Documents name files that there are."""

import re
from collections.abc import Iterator

import pytest

from tests.up.running import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])
_FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
#: a path with a folder of ours, or of the app that the sentence is about
_PATH = re.compile(rf"(?<![\w/.*])((?:{_FOLDERS})/[\w/-]+\.\w+)|`((?:\w+/)*\w+/\w+\.(?:py|html|js|css))`")


def paths_in(text: str) -> Iterator[str]:
    for ours, inside in _PATH.findall(text):
        yield ours or inside


def test_paths_are_seen() -> None:
    text = "See gwm/env.py, `forms/actions.py` and [this](docs/pages.md#top); not `/healthz`, 3.0/3.1."
    assert list(paths_in(text)) == ["gwm/env.py", "forms/actions.py", "docs/pages.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(document) -> None:
    named = set(paths_in(document.read_text("utf-8")))
    places = (ROOT, document.parent, *(path for path in ROOT.iterdir() if path.is_dir()))
    assert {path for path in named if not any((place / path).exists() for place in places)} == set()
