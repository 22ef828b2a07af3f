"""Answers with altered records on demand: what no Ganeti says, and a broken or hostile one may."""

import copy
import re
import threading
from dataclasses import dataclass, field
from typing import Any

# Instead of a value: the field is not there, or the record comes twice.
ABSENT = object()
TWICE = object()

_QUERY = "/2/query/"
_IDENTITIES = ("name", "uuid", "id")


@dataclass(slots=True)
class Alteration:
    """One field of the records of one kind: instance, node, group, network, job, lock, or info for /2/info.

    Of the kind "answer" it is the whole answer to the paths that the regular expression in `field` matches.

    `which` is a name, uuid or number as the records have it unaltered; None is all of them.
    """

    kind: str
    field: str
    value: Any
    which: Any = None

    def fits(self, identities: list[Any]) -> bool:
        return self.which is None or self.which in identities


@dataclass(slots=True)
class Alterations:
    """The alterations in force."""

    _all: list[Alteration] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def alter(self, kind: str, name: str, value: Any, *, which: Any = None) -> Alteration:
        """Have the records say this from now on."""
        alteration = Alteration(kind, name, value, which)
        with self._lock:
            self._all.append(alteration)
        return alteration

    def clear(self) -> None:
        """Tell the truth again."""
        with self._lock:
            self._all = []

    def apply(self, path: str, answer: Any) -> Any:
        """The answer as it is to be sent."""
        with self._lock:
            given = list(self._all)
        if not given:
            return answer
        for each in given:
            if each.kind == "answer" and re.fullmatch(each.field, path):
                return each.value
        if path == "/2/info":
            return _altered(answer, [each for each in given if each.kind == "info"])
        if path.startswith("/2/jobs/") and isinstance(answer, dict):
            return _altered(answer, [each for each in given if each.kind == "job" and each.fits([answer.get("id")])])
        if path.startswith(_QUERY) and isinstance(answer, dict) and "data" in answer:
            kind = path.removeprefix(_QUERY)
            return _altered_rows(answer, [each for each in given if each.kind == kind])
        return answer


def _altered(record: dict[str, Any], alterations: list[Alteration]) -> dict[str, Any]:
    record = dict(record)
    for each in alterations:
        if each.value is ABSENT:
            record.pop(each.field, None)
        else:
            record[each.field] = each.value
    return record


def _altered_rows(answer: dict[str, Any], alterations: list[Alteration]) -> dict[str, Any]:
    names = [each["name"] for each in answer["fields"]]
    rows = []
    for row in answer["data"]:
        identities = [row[names.index(name)][1] for name in _IDENTITIES if name in names]
        cells = list(row)
        copies = 1
        for each in alterations:
            if not each.fits(identities) or (each.field not in names and each.value is not TWICE):
                continue
            if each.value is TWICE:
                copies = 2
            else:
                cells[names.index(each.field)] = [0, None if each.value is ABSENT else each.value]
        rows += [copy.copy(cells) for _ in range(copies)]
    return {**answer, "data": rows}
