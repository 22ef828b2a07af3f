"""The fenced blocks of the documents, and the commands in them as a shell reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("*/README.md"))]
_FENCE = re.compile(r"^( *)```(.*)$")
#: what is said of a command behind it
_REMARK = re.compile(r"(^|\s{2,})#\s.*$")


@dataclass(frozen=True)
class Block:
    """One that is fenced; `line` is that of its fence."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command, and what the document shows of its answer."""

    block: Block
    text: str
    answer: str = ""


def read_blocks(path: Path) -> Iterator[Block]:
    """Those of a document, in its order."""
    begun: tuple[int, str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and begun is None:
            begun, lines = (number, fence[2], len(fence[1])), []
        elif fence and begun is not None:
            yield Block(str(path.relative_to(ROOT)), begun[0], begun[1], "\n".join(lines))
            begun = None
        elif begun is not None:
            lines.append(line[begun[2] :])
    assert begun is None, f"{path}:{begun} has no end"


def all_blocks() -> list[Block]:
    """Of all documents."""
    return [block for path in DOCUMENTS for block in read_blocks(path)]


def commands_of(block: Block) -> list[Command]:
    """Those of a block: `sh` is all commands, in `console` each stands behind a prompt and its answer below it."""
    joined = block.text.replace("\\\n", " ").splitlines()
    if block.language == "sh":
        texts = [_REMARK.sub("", line).strip() for line in joined]
        return [Command(block, " ".join(text.split())) for text in texts if text]
    if block.language != "console":
        return []
    found: list[Command] = []
    for line in joined:
        if line.startswith(("$ ", "# ")):
            found.append(Command(block, line[2:].strip()))
        else:
            last = found.pop()
            found.append(Command(block, last.text, f"{last.answer}{line}\n"))
    return found


def all_commands() -> list[Command]:
    """Of all documents."""
    return [command for block in all_blocks() for command in commands_of(block)]


def find_indented(path: Path) -> list[int]:
    """Lines of code without a fence, which nobody would read."""
    found, is_fenced, before = [], False, ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        is_fenced ^= bool(_FENCE.match(line))
        if not is_fenced and not before.strip() and line.startswith("    "):
            found.append(number)
        before = line
    return found
