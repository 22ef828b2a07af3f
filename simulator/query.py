"""Queries as luxid answers them: fields, cells of [status, value], and the filter language."""

import json
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from simulator.errors import HttpError

NORMAL, UNKNOWN, NO_DATA, UNAVAILABLE, OFFLINE = range(5)


class Absent:
    """Instead of a value: why there is none."""

    def __init__(self, status: int) -> None:
        self.cell = [status, None]


NODATA = Absent(NO_DATA)
UNAVAIL = Absent(UNAVAILABLE)
AT_OFFLINE = Absent(OFFLINE)
MISSING = Absent(UNKNOWN)

Getter = Callable[[Any, Any], Any]  # (view, row) -> value or Absent
Predicate = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    title: str
    kind: str
    get: Getter
    doc: str = ""

    def describe(self) -> dict[str, str]:
        return {"name": self.name, "title": self.title, "kind": self.kind, "doc": self.doc or self.title}


def or_unavailable(value: Any) -> Any:
    return UNAVAIL if value is None else value


def unknown_field(name: str) -> Field:
    return Field(name, name, "unknown", lambda view, row: MISSING, f"Unknown field '{name}'")


@dataclass(slots=True)
class Resource:
    """One thing that can be queried; ``view`` prepares what the getters need, once per query."""

    name: str
    fields: dict[str, Field]
    view: Callable[[Any], Any]
    rows: Callable[[Any], Iterable[Any]]
    key: str = "name"
    find: Callable[[Any, str], Any] | None = None  # full or partial name -> row or None
    rows_for: Callable[[Any, Any], Iterable[Any]] | None = None  # (view, filter) -> the rows worth looking at

    def describe(self, names: list[str] | None) -> dict[str, Any]:
        wanted = sorted(self.fields) if names is None else names
        return {"fields": [self.chosen(name).describe() for name in wanted]}

    def chosen(self, name: str) -> Field:
        return self.fields.get(name) or unknown_field(name)

    def select(self, view: Any, qfilter: Any) -> Iterable[Any]:
        """Rows that pass the filter; an OR of names alone is a look-up that fails when one is gone."""
        if qfilter is None:
            return self.rows(view)
        names = only_names(qfilter, self.key) if self.find else None
        if names:
            return self.look_up(view, names)
        passes = compile_filter(qfilter, self.fields)
        rows = self.rows_for(view, qfilter) if self.rows_for else self.rows(view)
        return [row for row in rows if passes(view, row)]

    def look_up(self, view: Any, names: list[str]) -> list[Any]:
        found = []
        for name in names:
            row = self.find(view, name) if self.find else None
            if row is None:
                kind = self.name.capitalize()
                raise HttpError(500, f"('{kind} name {name} not found', 'unknown_entity')")
            if row not in found:
                found.append(row)
        return found

    def query(self, cluster: Any, names: list[str], qfilter: Any) -> dict[str, Any]:
        return self.answer(self.view(cluster), names, qfilter)

    def answer(self, view: Any, names: list[str], qfilter: Any) -> dict[str, Any]:
        if qfilter is not None:
            check_filter(qfilter, [self.name, names, qfilter])
        fields = [self.chosen(name) for name in names]
        getters = [chosen.get for chosen in fields]
        data = []
        for row in self.select(view, qfilter):
            values = [get(view, row) for get in getters]
            data.append([value.cell if value.__class__ is Absent else [NORMAL, value] for value in values])
        return {"data": data, "fields": [chosen.describe() for chosen in fields]}

    def records(self, cluster: Any, names: Iterable[str], rows: Iterable[Any] | None = None) -> list[dict[str, Any]]:
        """Rows as objects, the way /2/instances?bulk=1 and its like give them."""
        getters = [(name, self.fields[name].get) for name in names]
        view = self.view(cluster)
        result = []
        for row in self.rows(view) if rows is None else rows:
            record = {}
            for name, get in getters:
                value = get(view, row)
                record[name] = None if value.__class__ is Absent else value
            result.append(record)
        return result


def only_names(qfilter: Any, key: str) -> list[str] | None:
    """Return the names when the filter is nothing but equalities of the key joined by OR."""
    if qfilter[0] in ("=", "==") and qfilter[1] == key and isinstance(qfilter[2], str):
        return [qfilter[2]]
    if qfilter[0] == "|" and len(qfilter) > 1:
        names = [only_names(part, key) for part in qfilter[1:]]
        if all(names):
            return [name for part in names if part for name in part]
    return None


# filters: a first pass refuses what luxid cannot parse (502), a second one makes a predicate

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def unparsable(request: Any, why: str) -> HttpError:
    return HttpError(502, f"Failed to parse request: Cannot convert value '{json.dumps(request)}', error: {why}")


def check_filter(qfilter: Any, request: Any) -> None:
    if not isinstance(qfilter, list) or not qfilter or not isinstance(qfilter[0], str):
        shown = json.dumps(qfilter)
        raise unparsable(request, f"Cannot deserialise filter: expected array [string, args], got {shown}")
    name, *arguments = qfilter
    if name in ("&", "|"):
        for part in arguments:
            check_filter(part, request)
    elif name == "!":
        if len(arguments) != 1:
            raise unparsable(request, f"Invalid filter: expected one operand for '!', got {len(arguments)}")
        check_filter(arguments[0], request)
    elif name == "?":
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            raise unparsable(request, "Invalid truth filter")
    elif name in COMPARISONS or name in ("=~", "=[]"):
        check_comparison(name, arguments, request)
    else:
        raise unparsable(request, f"Unknown filter operand '{name}'")


def check_comparison(name: str, arguments: list[Any], request: Any) -> None:
    if len(arguments) != 2 or not isinstance(arguments[0], str):
        raise unparsable(request, f"Invalid filter '{name}', expected field and value")
    value = arguments[1]
    if isinstance(value, float) and not value.is_integer():
        numerator, denominator = value.as_integer_ratio()
        text = "Cannot deserialise numeric filter value, expecting integral but got a fractional value"
        raise unparsable(request, f"{text}: {numerator} % {denominator}")
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        shown = json.dumps(value)
        raise unparsable(request, f"Cannot deserialise filter value, expecting string or integer, got {shown}")
    if name == "=~":
        try:
            re.compile(str(value))
        except re.error as error:
            raise unparsable(request, f'(2,"{error}")') from error


def compile_filter(qfilter: Any, fields: dict[str, Field]) -> Predicate:
    name, *arguments = qfilter
    if name in ("&", "|"):
        parts = [compile_filter(part, fields) for part in arguments]
        if name == "&":
            return lambda view, row: all(part(view, row) for part in parts)
        return lambda view, row: any(part(view, row) for part in parts)
    if name == "!":
        inner = compile_filter(arguments[0], fields)
        return lambda view, row: not inner(view, row)
    if arguments[0] not in fields:
        raise HttpError(500, f"Can't find field named '{arguments[0]}'")
    get = fields[arguments[0]].get
    if name == "?":
        return lambda view, row: truth(get(view, row))
    wanted = arguments[1]
    if name == "=[]":
        return lambda view, row: contains(get(view, row), wanted)
    if name == "=~":
        pattern = re.compile(str(wanted))
        return lambda view, row: matches(get(view, row), pattern)
    compare = COMPARISONS[name]
    return lambda view, row: compares(compare, get(view, row), wanted)


# a value that is not there passes every comparison (and so fails its negation, != among them)


def truth(value: Any) -> bool:
    if value.__class__ is Absent:
        return True
    if not isinstance(value, bool):
        raise HttpError(500, f"Unexpected value '{json.dumps(value)}' in boolean context")
    return value


def contains(value: Any, wanted: Any) -> bool:
    if value.__class__ is Absent:
        return True
    if not isinstance(value, list):
        raise HttpError(
            500, f"Invalid field value used in 'contains' matching, expecting list but got '{json.dumps(value)}'"
        )
    if not all(isinstance(each, str) for each in value):
        raise HttpError(500, f"Cannot convert value '{json.dumps(value)}', error: Unable to read String")
    return wanted in value


def matches(value: Any, pattern: re.Pattern[str]) -> bool:
    if value.__class__ is Absent:
        return True
    if not isinstance(value, str):
        text = "Invalid field value used in regexp matching, expecting string but got"
        raise HttpError(500, f"{text} '{json.dumps(value)}'")
    return pattern.search(value) is not None


def compares(compare: Callable[[Any, Any], bool], value: Any, wanted: Any) -> bool:
    if value.__class__ is Absent:
        return compare is not operator.ne
    if isinstance(value, list) and len(value) == 2 and isinstance(wanted, int):
        value = value[0]  # job timestamps compare on whole seconds
    if isinstance(value, str) != isinstance(wanted, str) or isinstance(value, bool | list | dict):
        quoted = f'QuotedString "{wanted}"' if isinstance(wanted, str) else f"NumericValue {wanted}"
        raise HttpError(500, f"Invalid types in comparison, trying to compare {json.dumps(value)} with '{quoted}'")
    return compare(value, wanted)
