"""Records that can't be read: which of our rows they are, since when, and what the pages say of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy

from clusters.saying import said
from objectlog.words import as_kept, told
from rapi.shapes.reading import Unreadable

# How many of them a cluster's row names; a cluster with more of them has one trouble, not fifty.
MOST_NAMED = 50

_NAMELESS = gettext_lazy("Ganeti lists a record without a name and a uuid, which may be this one.")


# What a row says of this that is not there yet.
NEW: Mapping[str, Any] = {"unreadable_since": None, "unreadable_why": ""}


class Doubts:
    """The unreadable records of one kind. A row keeps what it holds while Ganeti's record of it can't be read."""

    def __init__(self, bad: Iterable[Unreadable], kind: str) -> None:
        mine = [each for each in bad if each.kind == kind]
        self._by_key = {each.key: said(each.why) for each in reversed(mine) if each.key}
        self._by_name = {each.name: said(each.why) for each in reversed(mine) if each.name and not each.key}
        self._has_nameless = any(not each.key and each.name not in self._by_name for each in mine)

    def why(self, uuid: str, name: str, *, is_listed: bool) -> str:
        """Why the record of this row can't be read, or nothing. `is_listed`: another reading found it."""
        found = self._by_key.get(uuid) or ("" if is_listed else self._by_name.get(name, ""))
        return found or (told(_NAMELESS) if self._has_nameless and not is_listed else "")


def note(row: Mapping[str, Any], why: str, now: datetime) -> dict[str, Any]:
    """The columns of a row that say since when and why its record can't be read, as far as they change."""
    if why:
        since = {} if row["unreadable_since"] is not None else {"unreadable_since": now}
        return since | ({} if row["unreadable_why"] == why else {"unreadable_why": why})
    return {} if row["unreadable_since"] is None else {"unreadable_since": None, "unreadable_why": ""}


def list_unreadable(bad: Iterable[Unreadable], before: Any, now: datetime) -> list[dict[str, Any]]:
    """For the cluster's row: each with the time since when, which one that was there before keeps."""
    since = {}
    for each in before if isinstance(before, list) else []:
        if isinstance(each, dict):
            since[each.get("kind"), each.get("key"), each.get("name")] = each.get("since")
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in bad:
        place = (each.kind, each.key, each.name)
        began = since.get(place) or now.isoformat(timespec="seconds")
        named = {"kind": each.kind, "key": each.key, "name": each.name, "why": as_kept(said(each.why)), "since": began}
        found.setdefault(place, named)
    return list(found.values())[:MOST_NAMED]
