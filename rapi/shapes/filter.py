"""Rules of the job queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from rapi.shapes.fields import Count, Kind, Level, Text, Uuid, listing, read_fields
from rapi.shapes.json import clean_json


@dataclass(frozen=True)
class _Anythings(Kind):
    """A list of anything."""

    def read(self, value: Any) -> tuple[Any, ...]:
        """Clean at any depth."""
        return tuple(clean_json(listing(value)))


@dataclass(frozen=True)
class _Reasons(Kind):
    """The texts of a reason trail."""

    def read(self, value: Any) -> tuple[str, ...]:
        """Those that say something."""
        trail = [listing(each) for each in listing(value)[:1000]]
        return tuple(said for each in trail if len(each) > 1 and (said := Text(limit=1000).read(each[1])))


@dataclass(frozen=True)
class FilterRule:
    """A rule. ``action`` is a word; ``rate_limit`` goes with RATE_LIMIT. ``reasons`` are the texts of its trail."""

    uuid: Annotated[str, Uuid()]
    priority: Annotated[int, Count(default=0)]
    watermark: Annotated[int | None, Level()]
    action: str
    rate_limit: int | None
    predicates: Annotated[tuple[Any, ...], _Anythings()]
    reasons: Annotated[tuple[str, ...], _Reasons("reason_trail")]

    @classmethod
    def parse(cls, record: Any) -> FilterRule:
        """From a record of /2/filters. BadRecord without a uuid."""
        values = read_fields(cls, record, "filter")
        action = record.get("action")
        parts = listing(action)
        return cls(
            **values,
            action=Text().read(parts[0] if parts else action),
            rate_limit=Count().read(parts[1]) if len(parts) > 1 else None,
        )
