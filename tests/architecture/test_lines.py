"""No line is longer than 120 characters: ruff sees to Python, this to the rest."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.up.running import ROOT

LONGEST = 120
KINDS = ("*.css", "*.js", "*.md", "run", ".ci/run", ".pre-commit-config.yaml", ".oxlintrc.json")


def lines_of(name: str) -> Iterator[tuple[int, str]]:
    """The lines that can be broken: in Markdown not the rows of a table, nor what is drawn or quoted."""
    is_quoted = False
    for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1):
        if name.endswith(".md"):
            if line.lstrip().startswith("```"):
                is_quoted = not is_quoted
            if is_quoted or line.lstrip().startswith("|"):
                continue
        yield number, line


@pytest.mark.program("git", "git")
@pytest.mark.parametrize("kind", KINDS)
def test_lines_can_be_read_side_by_side(kind: str) -> None:
    listed = subprocess.run(["git", "ls-files", kind], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.splitlines() if "/vendor/" not in name]
    assert names
    assert [f"{name}:{number}" for name in names for number, line in lines_of(name) if len(line) > LONGEST] == []
