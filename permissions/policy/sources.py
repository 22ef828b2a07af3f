"""What somebody holds on one object, and where each of it comes from: one query."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from permissions.access import VIEW, Access
from permissions.models import RoleGrant, User
from permissions.policy.ways import (
    TARGET_KEY,
    Slot,
    Statement,
    access_of,
    filled,
    grant_tables,
    quoted,
    union,
    ways_in,
    with_roles,
)


@dataclass(frozen=True)
class GrantKey:
    """A row that grants: its table, as in a foreign key, and its key there."""

    table: str
    pk: int


@dataclass(frozen=True)
class Source:
    """Why somebody may do `verb`: `granted` is what was given, `grant` the row that gave it.

    No row: a superuser, or what comes of being in a team. `via_parent` is the noun of the object on which it was
    granted, where that is not the object asked about.
    """

    verb: str
    granted: str
    grant: GrantKey | None = None
    via_role: str = ""
    via_team: str = ""
    via_parent: str = ""
    until: datetime | None = None

    def has_ended(self, now: datetime) -> bool:
        """Whether it gives nothing any more."""
        return self.until is not None and self.until <= now


@dataclass(frozen=True)
class Fact:
    """A row of the one query: `place` says on what the verb is held, own, parent or touched."""

    place: str
    key: int | None
    verb: str
    how: str
    grant: int
    role: str | None
    team: str | None
    until: Any

    @property
    def ends_at(self) -> datetime | None:
        """`until` as the database gives it outside of models: with zone, without, or as text."""
        value = parse_datetime(self.until) if isinstance(self.until, str) else self.until
        if not isinstance(value, datetime):
            return None
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def find_sources(user: User, obj: Model) -> list[Source]:
    """Every verb granted to `user` that counts on `obj`, with those that have ended; deeds of superusers aside."""
    model = type(obj)
    access = access_of(model)
    sql, params = filled(_facts_about(model, connection.vendor), person=user.pk, key=obj.pk)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        facts = [Fact(*row) for row in cursor.fetchall()]
    if not any(fact.place == "row" for fact in facts):
        return []
    return list(dict.fromkeys(_sources(model, access, facts)))


def _sources(model: Any, access: Access, facts: list[Fact]) -> Iterator[Source]:
    targets = [fact for fact in facts if fact.place == "target"]
    related = access.related
    is_tied = any(target.key is not None for target in targets) or bool(related and related.through and not targets)
    touched = [fact for fact in facts if fact.place == "touched"]
    for verb in access.every:
        own, from_parent = access.granting(verb), access.granting_from_parent(verb)
        from_related = access.granting_from_related(verb)
        if related is not None and not is_tied:
            from_parent -= related.needs_tie
        for fact in facts:
            if fact.place == "own" and fact.verb in own:
                yield _source(verb, fact, model, "")
            elif fact.place == "parent" and fact.verb in from_parent:
                parent = model._meta.get_field(access.parent).related_model
                yield _source(verb, fact, parent, str(access_of(parent).noun))
        giving = [fact for fact in touched if fact.verb in from_related]
        if related is None or (verb in related.needs_all and not _holds_all(giving, targets, related.kind)):
            continue
        other = apps.get_model(related.model)
        for fact in giving:
            yield _source(verb, fact, other, str(access_of(other).noun))


def _holds_all(giving: Iterable[Fact], targets: Iterable[Fact], kind: str) -> bool:
    now = timezone.now()
    held = {fact.key for fact in giving if fact.ends_at is None or fact.ends_at > now}
    return all(target.verb == kind and target.key in held for target in targets)


def _source(verb: str, fact: Fact, model: Any, via_parent: str) -> Source:
    tables = grant_tables(model)
    table: Any = None
    if fact.how == "role":
        table = RoleGrant
    elif tables is not None and fact.grant:
        table = tables[fact.how == "team grant"]
    grant = GrantKey(table._meta.label, fact.grant) if table is not None else None
    return Source(verb, fact.verb, grant, fact.role or "", fact.team or "", via_parent, fact.ends_at)


@lru_cache(maxsize=64)
def _facts_about(model: Any, vendor: str) -> Statement:
    """Whether the row is there, what it touches, and all that somebody holds on it, its parent and what it touches."""
    access = access_of(model)
    table, key = quoted(model), connection.ops.quote_name(model._meta.pk.column)
    parts: list[Statement] = []
    if access.verbs or access.to_members:
        parts += [way.facts("own", ("= %s", (Slot.KEY,))) for way in ways_in(model)]
    if access.parent:
        field = model._meta.get_field(access.parent)
        up = f"= (SELECT y.{connection.ops.quote_name(field.column)} FROM {table} y WHERE y.{key} = %s)"  # noqa: S608
        parts += [way.facts("parent", (up, (Slot.KEY,))) for way in ways_in(field.related_model)]
    if access.related is not None:
        related = access.related
        link = model._meta.get_field(related.through).remote_field if related.through else model._meta.pk
        target, hangs_on = connection.ops.quote_name(TARGET_KEY), connection.ops.quote_name(link.column)
        touched = f"{quoted(link.model)} y WHERE y.{hangs_on} = %s"
        some = f"IN (SELECT y.{target} FROM {touched} AND y.kind = %s)"  # noqa: S608
        others = ways_in(apps.get_model(related.model))
        parts += [way.facts("touched", (some, (Slot.KEY, related.kind))) for way in others]
        parts.append((f"SELECT 'target', y.{target}, y.kind, '', 0, '', '', NULL FROM {touched}", (Slot.KEY,)))  # noqa: S608
    row = f"SELECT 'row', y.{key}, '{VIEW}', '', 0, '', '', NULL FROM {table} y WHERE y.{key} = %s"  # noqa: S608
    return with_roles(union([*parts, (row, (Slot.KEY,))]))
