"""Documents name files that there are, and link to them."""

import re
from collections.abc import Iterator

import pytest

from tests.up.running import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])
_FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
#: a path with a folder of ours, or of the app that the sentence is about
_PATH = re.compile(rf"(?<![\w/.*])((?:{_FOLDERS})/[\w/-]+\.\w+)|`((?:\w+/)*\w+/\w+\.(?:py|html|js|css))`")

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


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


def anchors_of(text: str) -> set[str]:
    """The names of headings as those who show Markdown make them: lower case, hyphens, nothing else."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document) -> None:
    for path, anchor in _LINK.findall(document.read_text("utf-8")):
        aim = document.parent / path if path else document
        assert aim.exists(), f"({path})"
        assert not anchor or anchor in anchors_of(aim.read_text("utf-8")), f"({path}#{anchor})"
