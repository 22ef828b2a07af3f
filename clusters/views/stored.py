"""Values as they stand in our rows since any release: shown if they can be, and never an error."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from objectlog.words import say
from rapi.shapes.fields import Seconds, Texts, listing, mapping

_KINDS = {
    "instance": _("machine"),
    "node": _("node"),
    "group": _("node group"),
    "network": _("network"),
    "job": _("job"),
}


def moment_of(seconds: Any) -> datetime | None:
    """A time from seconds since 1970; None if it is none that a calendar has."""
    known = Seconds().read(seconds)
    return datetime.fromtimestamp(known, UTC) if known else None


def texts_of(value: Any) -> list[str]:
    """The texts of a list."""
    return list(Texts().read(value))


def table_of(value: Any) -> dict[str, Any]:
    """A dictionary; empty if it is none."""
    return mapping(value)


def unreadable_of(stored: Any) -> list[dict[str, Any]]:
    """The records of a cluster that can't be read: kind in words, name, why, and since when."""
    return [
        {
            "kind": _KINDS.get(str(each.get("kind")), each.get("kind")),
            "name": each.get("name") or each.get("key") or _("without a name"),
            "why": say(each.get("why")),
            "since": _parsed(each.get("since")),
        }
        for each in map(mapping, listing(stored))
    ]


def _parsed(moment: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(moment))
    except ValueError:
        return None
