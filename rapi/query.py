"""Answers of /2/query: rows of values, and why a value is missing where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from rapi.errors import Garbled
from rapi.words import words as _


class FieldState(IntEnum):
    """Why a value of a query is there, or isn't (Ganeti's RS_* constants)."""

    NORMAL = 0
    UNKNOWN = 1  # this release doesn't know the field
    NO_DATA = 2  # the node did not answer, or there is nothing to know
    UNAVAILABLE = 3  # the field doesn't apply to this object
    OFFLINE = 4  # the node is marked offline, so nobody asked it


@dataclass(frozen=True)
class QueryResult:
    """Rows in the order of ``fields``; a value whose state isn't NORMAL is None.

    ``odd_states`` holds the states of those rows that have any other than NORMAL, by row number.
    ``unknown_fields`` are those this release of Ganeti doesn't have (None in every row).
    """

    fields: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    odd_states: dict[int, tuple[int, ...]] = field(default_factory=dict)
    unknown_fields: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, value: Any, fields: tuple[str, ...], where: str = "") -> QueryResult:
        """From the JSON value of an answer. Raises Garbled."""
        try:
            definitions = value["fields"]
            data = value["data"]
            named = tuple(each["name"] for each in definitions)
            unknown = frozenset(each["name"] for each in definitions if each.get("kind") == "unknown")
        except (TypeError, KeyError, AttributeError) as error:
            raise Garbled(_("The answer to a query lacks its fields or its rows."), where=where) from error
        if named != fields or not isinstance(data, list):
            raise Garbled(_("The answer to a query has other fields than asked for."), where=where)
        width = len(fields)
        rows: list[tuple[Any, ...]] = []
        odd: dict[int, tuple[int, ...]] = {}
        try:
            for number, cells in enumerate(data):
                states, values = zip(*cells, strict=True)
                if len(values) != width:
                    raise Garbled(_("A row of a query has the wrong length."), where=where)
                if any(states):
                    odd[number] = states
                    values = tuple(
                        each if state == FieldState.NORMAL else None for state, each in zip(states, values, strict=True)
                    )
                rows.append(values)
        except (TypeError, ValueError) as error:
            raise Garbled(_("A row of a query is malformed."), where=where) from error
        return cls(fields, rows, odd, unknown)

    def __len__(self) -> int:
        return len(self.rows)

    def records(self) -> Iterator[dict[str, Any]]:
        """Each row as a dictionary by field name."""
        for row in self.rows:
            yield dict(zip(self.fields, row, strict=True))

    def column(self, name: str) -> list[Any]:
        """All values of one field. KeyError if it wasn't asked for."""
        return [row[self._position(name)] for row in self.rows]

    def state(self, row_number: int, name: str) -> FieldState:
        """Why this value is there, or isn't."""
        states = self.odd_states.get(row_number)
        if states is None:
            return FieldState.NORMAL
        try:
            return FieldState(states[self._position(name)])
        except ValueError:
            return FieldState.NO_DATA

    def _position(self, name: str) -> int:
        try:
            return self.fields.index(name)
        except ValueError:
            raise KeyError(name) from None
