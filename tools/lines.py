"""No line is longer than 120 characters: ruff sees to Python, `python -m tools.lines` to the rest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 120
KINDS = ("*.css", "*.html", "*.js", "*.md", "run", ".ci/run", ".pre-commit-config.yaml", ".oxlintrc.json")


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that can be broken: in Markdown not the rows of a table, nor what is drawn or quoted."""
    is_quoted = False
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if path.suffix == ".md":
            if line.lstrip().startswith("```"):
                is_quoted = not is_quoted
            if is_quoted or line.lstrip().startswith("|"):
                continue
        yield number, line


def list_names(kind: str) -> list[str]:
    """The files of a kind, as git knows them: ours, and not yet added ones among them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", kind]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if "/vendor/" not in name and (ROOT / name).exists()]


def find_long(names: list[str], root: Path = ROOT) -> list[str]:
    """Where lines are too long, as "file:line"."""
    return [f"{name}:{number}" for name in names for number, line in lines_of(root / name) if len(line) > LONGEST]


def main() -> int:
    """Name the long lines; 1 if there are any."""
    found = [place for kind in KINDS for place in find_long(list_names(kind))]
    for place in found:
        sys.stdout.write(f"{place}: longer than {LONGEST} characters\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
