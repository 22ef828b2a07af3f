"""The ways in which somebody comes to hold verbs on rows of a model, as SQL: lists and single objects are both made
of these, so that they cannot disagree.

Nothing in it but names from the models; all values are parameters. A statement is made once in a process; what differs
from call to call (who, when, which object) has a slot among its parameters.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Model

from permissions.access import MEMBER, Access
from permissions.models import Role, RoleGrant, RoleVerb, User


class Slot(Enum):
    """What stands in a statement's parameters for a value that is known when it is asked."""

    PERSON = auto()
    NOW = auto()
    KEY = auto()


Statement = tuple[str, tuple[Any, ...]]
NOTHING: Statement = ("", ())
# The column in which a row keeps the key of the object it means (see access.Related).
TARGET_KEY = "target_pk"


def access_of(model: type[Model]) -> Access:
    """The declaration of a protected model; TypeError for one that has none (deny by default)."""
    access = getattr(model, "access", None)
    if not isinstance(access, Access):
        raise TypeError(f"{model.__name__} declares no access")
    return access


def grant_tables(model: type[Model]) -> tuple[Any, Any] | None:
    """Guardian's tables with the verbs granted on objects of a model, for people and for teams."""
    if not hasattr(model, "user_grants"):
        return None
    known: Any = model
    return known.user_grants.rel.related_model, known.group_grants.rel.related_model


@dataclass(frozen=True)
class Way:
    """One way: where to look, and the expressions for the object's key, the verb, and what else is told of it.

    `above` is the same way as one that leads to the keys of parents: for a list these are few, and their rows many.
    """

    how: str
    tables: str
    where: str
    key: str
    verb: str
    params: tuple[Any, ...] = ()
    grant: str = "0"
    until: str = ""
    role: str = "''"
    team: str = "''"
    above: "Way | None" = None

    def keys(self, verbs: frozenset[str]) -> Statement:
        """The keys of all rows on which one of `verbs` is held now."""
        wanted = sorted(verbs)
        sql = f"SELECT {self.key} FROM {self.tables} WHERE {self.where} AND {self.verb} IN ({_marks(wanted)})"  # noqa: S608
        params = (*self.params, *wanted)
        if self.until:
            sql, params = f"{sql} AND ({self.until} IS NULL OR {self.until} > %s)", (*params, Slot.NOW)
        return sql, params

    def facts(self, place: str, one: Statement) -> Statement:
        """Every verb held on some objects, whether it has ended or not, with where it comes from."""
        told = f"'{place}', {self.key}, {self.verb}, '{self.how}', {self.grant}, {self.role}, {self.team}"
        where = f"{self.where} AND {self.key} {one[0]}"
        until = self.until or "NULL"
        return f"SELECT {told}, {until} FROM {self.tables} WHERE {where}", (*self.params, *one[1])  # noqa: S608


def quoted(model: type[Model]) -> str:
    """The name of a model's table."""
    return connection.ops.quote_name(model._meta.db_table)


def role_grants() -> Statement:
    """To be put before statements made of ways: what roles somebody holds, verb by verb, ended or not."""
    grants, verbs, members = quoted(RoleGrant), quoted(RoleVerb), quoted(User.groups.through)
    told = "g.id, g.role_id, g.group_id, g.scope_kind, g.scope_pk, g.tag, g.owner_id, g.expires_at, v.kind, v.verb"
    sql = (
        f"WITH mine AS (SELECT {told} FROM {grants} g JOIN {verbs} v ON v.role_id = g.role_id WHERE g.user_id = %s "  # noqa: S608
        f"UNION ALL SELECT {told} FROM {members} m JOIN {grants} g ON g.group_id = m.group_id "
        f"JOIN {verbs} v ON v.role_id = g.role_id WHERE m.user_id = %s) "
    )
    return sql, (Slot.PERSON, Slot.PERSON)


def ways_in(model: Any) -> Iterator[Way]:
    """All ways to hold verbs on the rows of `model` themselves, without what a parent or something touched gives."""
    access = access_of(model)
    yield from _by_grant(model)
    if access.kind:
        yield from _by_role(model, access)
    if access.to_members:
        members = quoted(User.groups.through)
        yield Way(
            "member", f"{members} m", "m.user_id = %s", "m.group_id", f"'{MEMBER}'", (Slot.PERSON,), team=_team("m")
        )


def _by_grant(model: type[Model]) -> Iterator[Way]:
    tables = grant_tables(model)
    if tables is None:
        return
    by_user, by_group = (quoted(table) for table in tables)
    of = f"JOIN {quoted(Permission)} p ON p.id = g.permission_id"
    key, verb, until = "g.content_object_id", "p.codename", "g.expires_at"
    who = (Slot.PERSON,)
    yield Way("grant", f"{by_user} g {of}", "g.user_id = %s", key, verb, who, "g.id", until)
    in_team = f"{quoted(User.groups.through)} m JOIN {by_group} g ON g.group_id = m.group_id {of}"
    yield Way("team grant", in_team, "m.user_id = %s", key, verb, who, "g.id", until, team=_team("g"))


def _by_role(model: Any, access: Access) -> Iterator[Way]:
    kind, table, key = access.kind, quoted(model), f"x.{_column(model._meta.pk.column)}"

    def way(tables: str, where: str, key: str = key, params: tuple[Any, ...] = ()) -> Way:
        return Way(
            "role",
            f"mine {tables}",
            f"mine.kind = %s AND {where}",
            key,
            "mine.verb",
            (kind, *params),
            "mine.id",
            "mine.expires_at",
            f"(SELECT r.name FROM {quoted(Role)} r WHERE r.id = mine.role_id)",  # noqa: S608
            _team("mine"),
        )

    is_whole = "mine.tag = '' AND mine.owner_id IS NULL"
    yield way("", f"mine.scope_kind = %s AND {is_whole}", "mine.scope_pk", (kind,))
    of_all = f"mine.scope_kind = '' AND {is_whole}"
    if not access.parent:
        yield way(f"CROSS JOIN {table} x", of_all)
    within = "mine.scope_kind = ''"
    around: tuple[str, ...] = ()
    if access.parent:
        parent = model._meta.get_field(access.parent)
        outer, up = access_of(parent.related_model).kind, f"x.{_column(parent.column)}"
        everywhere = f"CROSS JOIN {quoted(parent.related_model)} z"
        all_above = way(everywhere, of_all, f"z.{_column(parent.related_model._meta.pk.column)}")
        yield replace(way(f"CROSS JOIN {table} x", of_all), above=all_above)
        of_one = f"mine.scope_kind = %s AND {is_whole}"
        one_above = way("", of_one, "mine.scope_pk", (outer,))
        yield replace(way(f"JOIN {table} x ON {up} = mine.scope_pk", of_one, params=(outer,)), above=one_above)
        within = f"({within} OR (mine.scope_kind = %s AND mine.scope_pk = {up}))"
        around = (outer,)
    owner = f"x.{_column(model._meta.get_field(access.owner).column)}" if access.owner else ""
    if owner:
        yield way(f"JOIN {table} x ON {owner} = mine.owner_id", f"mine.tag = '' AND {within}", params=around)
    if access.tags:
        link = model._meta.get_field(access.tags).remote_field
        tags = f"JOIN {quoted(link.model)} t ON t.tag = mine.tag JOIN {table} x ON {key} = t.{_column(link.column)}"
        is_theirs = f"(mine.owner_id IS NULL OR mine.owner_id = {owner})" if owner else "mine.owner_id IS NULL"
        yield way(tags, f"mine.tag <> '' AND {is_theirs} AND {within}", params=around)


def keys_held(model: type[Model], verbs: frozenset[str]) -> Statement:
    """The keys of the rows of `model` on which somebody holds one of `verbs` now; `role_grants` goes before it."""
    return union([keys_by_themselves(model, verbs), keys_below(model, parents_of_held(model, verbs))])


def keys_by_themselves(model: type[Model], verbs: frozenset[str]) -> Statement:
    """Of these the rows that are few: those that something was granted on, or that have the tag or the owner."""
    return union(way.keys(verbs) for way in ways_in(model) if way.above is None) if verbs else NOTHING


def parents_of_held(model: type[Model], verbs: frozenset[str]) -> Statement:
    """The keys of the parents all of whose rows of `model` are held."""
    return union(way.above.keys(verbs) for way in ways_in(model) if way.above is not None) if verbs else NOTHING


def keys_below(model: Any, parents: Statement, condition: str = "") -> Statement:
    """The keys of the rows of `model` that belong to these parents."""
    if not parents[0]:
        return NOTHING
    key, parent = model._meta.pk.column, model._meta.get_field(access_of(model).parent).column
    where = f"{_column(parent)} IN ({parents[0]}){condition}"
    return f"SELECT {_column(key)} FROM {quoted(model)} WHERE {where}", parents[1]  # noqa: S608


def union(statements: Iterable[Statement]) -> Statement:
    """All in one; those that are nothing are left out."""
    there = [each for each in statements if each[0]]
    return " UNION ALL ".join(sql for sql, _ in there), tuple(value for _, params in there for value in params)


def with_roles(statement: Statement) -> Statement:
    """A statement made of ways, complete; nothing stays nothing."""
    if not statement[0]:
        return NOTHING
    head = role_grants()
    return head[0] + statement[0], (*head[1], *statement[1])


def _team(table: str) -> str:
    """The name of the team of a row."""
    return f"(SELECT n.name FROM {quoted(Group)} n WHERE n.id = {table}.group_id)"  # noqa: S608


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("%s" for _ in values)


def _column(name: str) -> str:
    return connection.ops.quote_name(name)
