"""The file of a cluster's record: lines of JSON. The first says what it is, each other is a step (`Step`).

A step is an operation with what a command would say to it, so that a file can do no more than who imports it may.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gwm.new_file import new_file

FORMAT = "ganeti-web-manager cluster 1"
LONGEST_LINE = 1024 * 1024
# All of a file is read before anything is done; a cluster of 20,000 machines with ten rights each has 50 MB.
LARGEST = 256 * 1024 * 1024
MOST_STEPS = 1_000_000
#: What a step may do: nothing that is sent to Ganeti or gives anything beyond this cluster, and nothing that takes
#: anything away but what the owner of a template gets with it.
OPERATIONS = (
    *("role.create", "team.create", "team.add-member", "team.add-admin"),
    *("cluster.cd-images", "cluster.sizes", "cluster.grant", "cluster.grant-role"),
    *("template.create", "template.revoke", "template.grant", "template.grant-role"),
    *("vm.set-owner", "vm.notes", "vm.protect", "vm.grant", "vm.grant-role"),
    *("cluster.set-default-quota", "cluster.set-quota"),
)


class RecordError(Exception):
    """The file can't be made or used; the text says why, and what to do."""


@dataclass(frozen=True)
class Step:
    """One operation. `name` and `uuid` say on which machine, template or team; a cluster is the one of the file."""

    do: str
    given: dict[str, Any]
    name: str = ""
    uuid: str = ""

    def __str__(self) -> str:
        return f"{self.do} {self.name}".rstrip()


@dataclass(frozen=True)
class Head:
    """What a file says of itself: which cluster, by Ganeti's uuid and by name, and how many steps follow."""

    slug: str
    uuid: str
    cluster: str
    version: str
    made: str
    steps: int
    format: str = FORMAT


def write_record(path: Path, head: Head, steps: Sequence[Step]) -> None:
    """A new file, readable by its user alone, there as a whole or not at all. Raises RecordError."""
    if len(steps) > MOST_STEPS:
        raise RecordError(f"There are {len(steps)} steps, and a file holds {MOST_STEPS}.")
    try:
        with new_file(path) as stream:
            for content in (asdict(head), *map(asdict, steps)):
                stream.write(json.dumps(content, sort_keys=True).encode() + b"\n")
    except FileExistsError:
        raise RecordError(f"There is a file {path} already. Choose another name.") from None
    except OSError as error:
        raise RecordError(f"{path} can't be written: {error.strerror}.") from error


def read_record(path: Path) -> tuple[Head, list[Step]]:
    """All of it, before anything is done with it. Raises RecordError, which names the line."""
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > LARGEST:
                raise RecordError(f"The file is larger than any of a cluster's record: {LARGEST >> 20} MiB at most.")
            lines = _read_lines(iter(lambda: stream.readline(LONGEST_LINE + 1), b""))
            head = _read_head(next(lines, None))
            steps = [_read_step(number, line) for number, line in enumerate(islice(lines, head.steps + 1), 2)]
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror}.") from error
    if len(steps) > head.steps:
        raise RecordError(f"The file has more steps than the {head.steps} that it says. Fetch it again.")
    if len(steps) < head.steps:
        raise RecordError(f"The file is cut off: it has {len(steps)} steps of {head.steps}. Fetch it again.")
    return head, steps


def _read_lines(lines: Iterator[bytes]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise RecordError(f"Line {number} is longer than any of a cluster's record.")
        try:
            content = json.loads(line)
            text = json.dumps(content, ensure_ascii=False)
            text.encode()  # half a character is none that a database takes, and neither is a NUL
        except (ValueError, RecursionError):
            raise RecordError(f"Line {number} can't be read: the file is none of a cluster's record.") from None
        if "\\u0000" in text:
            raise RecordError(f"Line {number} can't be read: the file is none of a cluster's record.")
        yield content


def _read_head(content: Any) -> Head:
    said = content.get("format") if isinstance(content, dict) else None
    if not isinstance(said, str) or not said.startswith("ganeti-web-manager cluster"):
        raise RecordError("The file is no record of a cluster.")
    if said != FORMAT:
        raise RecordError(f"The file is a “{said[:60]}”, which this release can't read. Take a newer release.")
    try:
        head = Head(**content)
    except TypeError:
        raise RecordError("Line 1 is none of a cluster's record.") from None
    texts = (head.slug, head.uuid, head.cluster, head.version, head.made)
    is_number = type(head.steps) is int and 0 <= head.steps <= MOST_STEPS
    if not all(isinstance(text, str) and text.isprintable() for text in texts) or not is_number:
        raise RecordError("Line 1 is none of a cluster's record.")
    return head


def _read_step(number: int, content: Any) -> Step:
    try:
        step = Step(**content)
    except TypeError:
        raise RecordError(f"Line {number} is no step.") from None
    if step.do not in OPERATIONS:
        raise RecordError(f"Line {number} would do “{str(step.do)[:60]}”, which no record of a cluster does.")
    if not isinstance(step.given, dict) or not isinstance(step.name, str) or not isinstance(step.uuid, str):
        raise RecordError(f"Line {number} is no step.")
    return step
