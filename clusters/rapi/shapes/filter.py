"""Rules of the job queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clusters.rapi.shapes.reading import Record, as_record, listing, require_text, whole


@dataclass(frozen=True)
class FilterRule:
    """A rule. ``action`` is a word; ``rate_limit`` goes with RATE_LIMIT. ``reasons`` are the texts of its trail."""

    uuid: str
    priority: int
    watermark: int | None
    action: str
    rate_limit: int | None
    predicates: tuple[Any, ...]
    reasons: tuple[str, ...]

    @classmethod
    def parse(cls, value: Any) -> FilterRule:
        """From a record of /2/filters. Needs the uuid, else Garbled."""
        record: Record = as_record(value, "filter")
        action = record.get("action")
        parts = listing(action)
        trail = [listing(each) for each in listing(record.get("reason_trail"))]
        return cls(
            uuid=require_text(record, "uuid", "filter"),
            priority=whole(record.get("priority")) or 0,
            watermark=whole(record.get("watermark")),
            action=str(parts[0]) if parts else str(action or ""),
            rate_limit=whole(parts[1]) if len(parts) > 1 else None,
            predicates=tuple(listing(record.get("predicates"))),
            reasons=tuple(each[1] for each in trail if len(each) > 1 and isinstance(each[1], str) and each[1]),
        )
