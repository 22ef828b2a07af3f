"""The file of a cluster's record is read as a whole, or refused with what is wrong in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gwm.records.file import FORMAT, LARGEST, OPERATIONS, Head, RecordError, Step, read_record, write_record
from operations.table import OPERATIONS as ALL_OPERATIONS


def change(number: int, **changed: Any) -> Callable[[list[str]], list[str]]:
    """A file of which one line says something else."""

    def of(lines: list[str]) -> list[str]:
        return [*lines[:number], json.dumps(json.loads(lines[number]) | changed), *lines[number + 1 :]]

    return of


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: [], "no record"),
        (lambda lines: [lines[0], "{", *lines[2:]], "Line 2 can't be read"),
        (lambda lines: [lines[0], "[" * 100_000, *lines[2:]], "Line 2 can't be read"),
        (lambda lines: [lines[0], "7", *lines[2:]], "Line 2 is no step"),
        (lambda lines: [lines[0], '"' + "x" * 2_000_000 + '"', *lines[2:]], "Line 2 is longer"),
        (change(0, format="ganeti-web-manager cluster 2"), "newer release"),
        (change(0, format="something"), "no record"),
        (change(0, format=7), "no record"),
        (change(0, steps="many"), "Line 1"),
        (change(0, more=1), "Line 1"),
        (change(1, do="person.promote"), "Line 2 would do “person.promote”"),
        (change(1, do="vm.delete"), "Line 2 would do “vm.delete”"),
        (change(1, do=["vm.grant"]), "Line 2 would do"),
        (change(1, given=[]), "Line 2 is no step"),
        (change(1, name=7), "Line 2 is no step"),
        (change(1, more=1), "Line 2 is no step"),
        (change(1, name="half \ud800"), "Line 2 can't be read"),
        (change(1, given={"notes": ["\0"]}), "Line 2 can't be read"),
        (change(0, steps=True), "Line 1"),
        (change(0, steps=2_000_000), "Line 1"),
        (change(0, made="\x1b[2J"), "Line 1"),
        (lambda lines: [*lines, *lines[1:]], "more steps than the 2"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(
    tmp_path: Path, spoil: Callable[[list[str]], list[str]], words: str
) -> None:
    file = tmp_path / "lab.jsonl"
    write_record(file, Head("lab", "a-uuid", "lab", "1", "now", 2), [Step("vm.notes", {"notes": "x"}, "web1")] * 2)
    assert len(read_record(file)[1]) == 2
    lines = file.read_text().splitlines()
    file.write_text("".join(f"{line}\n" for line in spoil(lines)))
    with pytest.raises(RecordError, match=words):
        read_record(file)


def test_a_file_of_any_size_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "lab.jsonl"
    with file.open("wb") as stream:
        stream.truncate(LARGEST + 1)
    with pytest.raises(RecordError, match="larger than any"):
        read_record(file)


def test_no_step_sends_anything_or_takes_anything_away() -> None:
    for key in OPERATIONS:
        operation = ALL_OPERATIONS[key]
        assert not operation.sends, key
        assert not operation.is_destructive or key == "template.revoke"
    assert FORMAT.endswith(" 1")
