"""The ways in which somebody comes to hold verbs on rows of a model, as SQL: lists and single objects are both made
of these, so that they cannot disagree.

Nothing in it but names from the models; all values are parameters. A statement is made once in a process; what differs
from call to call (who, when, which object) has a slot among its parameters.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from permissions.access import MEMBER, Access
from permissions.models import Role, RoleGrant, RoleVerb, User
from permissions.policy.rowtest import is_one_of


class Slot(Enum):
    """What stands in a statement's parameters for a value that is known when it is asked."""

    PERSON = auto()
    NOW = auto()
    KEY = auto()


Statement = tuple[str, tuple[Any, ...]]
NOTHING: Statement = ("", ())
# The column in which a row keeps the key of the object it means (see access.Related).
TARGET_KEY = "target_pk"
# Of a role's grant: it counts for all in its scope.
_OF_ALL_OWNERS = "mine.owner_id IS NULL"
_NOT_NARROWED = f"mine.tag = '' AND {_OF_ALL_OWNERS}"


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


class Shape(NamedTuple):
    """What a role's grant counts for: the kind of its scope (empty: everything), and whether a tag and an owner narrow
    it."""

    scope: str
    by_tag: bool = False
    by_owner: bool = False


@dataclass(frozen=True)
class Way:
    """One way: where to look, and the expressions for the object's key, the verb, and what else is told of it.

    `kind`: it comes of roles, and counts what these hold for things of this kind; the rows of `mine` are these roles.
    `shapes`: of which shape a role's grant must be to lead anywhere (see `Shape`).
    `is_whole`: it leads to all rows, or to all of a parent. Lists leave these to `permissions.policy.reach`.
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
    kind: str = ""
    shapes: frozenset[Shape] = frozenset()
    is_whole: bool = False

    def keys(self, verbs: frozenset[str]) -> Statement:
        """The keys of all rows on which one of `verbs` is held now; roles are sifted by `scopes_of_roles`."""
        if self.kind:
            return f"SELECT {self.key} FROM {self.tables} WHERE {self.where}", self.params  # noqa: S608
        where, params = self._now()
        wanted = sorted(verbs)
        sql = f"SELECT {self.key} FROM {self.tables} WHERE {where} AND {self.verb} IN ({marks(wanted)})"  # noqa: S608
        return sql, (*params, *wanted)

    def places(self, kind: str) -> Statement:
        """Every verb held now, as what is held on objects of `kind` for themselves."""
        where, params = self._now()
        return f"SELECT '{kind}', {self.verb}, '{kind}', {self.key} FROM {self.tables} WHERE {where}", params  # noqa: S608

    def facts(self, place: str, one: Statement) -> Statement:
        """Every verb held on some objects, whether it has ended or not, with where it comes from."""
        told = f"'{place}', {self.key}, {self.verb}, '{self.how}', {self.grant}, {self.role}, {self.team}"
        where = f"{self._of_kind()} AND {self.key} {one[0]}"
        until = self.until or "NULL"
        return f"SELECT {told}, {until} FROM {self.tables} WHERE {where}", (*self.params, *one[1])  # noqa: S608

    def _of_kind(self) -> str:
        return f"{self.where} AND mine.kind = '{self.kind}'" if self.kind else self.where

    def _now(self) -> Statement:
        where = self._of_kind()
        if not self.until:
            return where, self.params
        return f"{where} AND ({self.until} IS NULL OR {self.until} > %s)", (*self.params, Slot.NOW)


def quoted(model: type[Model]) -> str:
    """The name of a model's table."""
    return connection.ops.quote_name(model._meta.db_table)


def role_grants() -> Statement:
    """To be put before facts and places: what roles somebody holds, verb by verb, ended or not."""
    told = "g.id, g.role_id, g.group_id, g.scope_kind, g.scope_pk, g.tag, g.owner_id, g.expires_at, v.kind, v.verb"
    return _mine(told, "UNION ALL")


def scopes_of_roles(kind: str, verbs: frozenset[str]) -> Statement:
    """To be put before keys: the scopes of the roles by which somebody holds one of `verbs` now, each once."""
    wanted = sorted(verbs)
    live = f"v.kind = %s AND v.verb IN ({marks(wanted)}) AND (g.expires_at IS NULL OR g.expires_at > %s)"
    return _mine("g.scope_kind, g.scope_pk, g.tag, g.owner_id", "UNION", (live, (kind, *wanted, Slot.NOW)))


def _mine(columns: str, union: str, which: Statement = ("", ())) -> Statement:
    grants, verbs, members = quoted(RoleGrant), quoted(RoleVerb), quoted(User.groups.through)
    held, also = f"JOIN {verbs} v ON v.role_id = g.role_id", f" AND {which[0]}" if which[0] else ""
    own = f"SELECT {columns} FROM {grants} g {held} WHERE g.user_id = %s{also}"  # noqa: S608
    in_team = f"{members} m JOIN {grants} g ON g.group_id = m.group_id {held}"
    by_team = f"SELECT {columns} FROM {in_team} WHERE m.user_id = %s{also}"  # noqa: S608
    return f"WITH mine AS ({own} {union} {by_team}) ", (Slot.PERSON, *which[1]) * 2


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
    # Told of a join, PostgreSQL reads what all teams hold.
    in_team = is_one_of("g.group_id", f"SELECT m.group_id FROM {quoted(User.groups.through)} m WHERE m.user_id = %s")  # noqa: S608
    yield Way("team grant", f"{by_group} g {of}", in_team, key, verb, who, "g.id", until, team=_team("g"))


def _by_role(model: Any, access: Access) -> Iterator[Way]:
    kind, table, key = access.kind, quoted(model), f"x.{_column(model._meta.pk.column)}"

    def way(
        tables: str,
        where: str,
        *shapes: Shape,
        key: str = key,
        params: tuple[Any, ...] = (),
        is_whole: bool = False,
    ) -> Way:
        return Way(
            "role",
            f"mine {tables}",
            where,
            key,
            "mine.verb",
            params,
            "mine.id",
            "mine.expires_at",
            f"(SELECT r.name FROM {quoted(Role)} r WHERE r.id = mine.role_id)",  # noqa: S608
            _team("mine"),
            kind,
            frozenset(shapes),
            is_whole,
        )

    yield way("", f"mine.scope_kind = %s AND {_NOT_NARROWED}", Shape(kind), key="mine.scope_pk", params=(kind,))
    yield way(f"CROSS JOIN {table} x", f"mine.scope_kind = '' AND {_NOT_NARROWED}", is_whole=True)
    within, up, outer = "mine.scope_kind = ''", "", ""
    around: tuple[str, ...] = ()
    if access.parent:
        parent = model._meta.get_field(access.parent)
        outer, up = access_of(parent.related_model).kind, f"x.{_column(parent.column)}"
        in_one = f"JOIN {table} x ON {up} = mine.scope_pk"
        yield way(in_one, f"mine.scope_kind = %s AND {_NOT_NARROWED}", params=(outer,), is_whole=True)
        within = f"({within} OR (mine.scope_kind = %s AND mine.scope_pk = {up}))"
        around = (outer,)
    owner = f"x.{_column(model._meta.get_field(access.owner).column)}" if access.owner else ""
    of_theirs = f"JOIN {table} x ON {owner} = mine.owner_id"
    if owner:
        shapes = (Shape(scope, by_owner=True) for scope in ("", *around))
        yield way(of_theirs, f"mine.tag = '' AND {within}", *shapes, params=around)
    if access.tags:
        link = model._meta.get_field(access.tags).remote_field
        tags, tagged = quoted(link.model), f"t.{_column(link.column)}"
        of_tag = f"JOIN {tags} t ON t.tag = mine.tag"
        # Rows are wide: where the tag alone tells, and where an index does, they are not looked at.
        everywhere = f"mine.tag <> '' AND mine.scope_kind = '' AND {_OF_ALL_OWNERS}"
        yield way(of_tag, everywhere, Shape("", by_tag=True), key=tagged)
        if access.parent:
            # To SQLite the order is said: what belongs to the parent, and its tags, stand in indexes.
            in_one = f"JOIN {table} x ON {up} = mine.scope_pk CROSS JOIN {tags} t"
            there = f"{tagged} = {key} AND t.tag = mine.tag AND mine.scope_kind = %s AND {_OF_ALL_OWNERS}"
            yield way(in_one, there, Shape(outer, by_tag=True), params=(outer,))
        if owner:
            both = f"{of_theirs} JOIN {tags} t ON {tagged} = {key} AND t.tag = mine.tag"
            shapes = (Shape(scope, by_tag=True, by_owner=True) for scope in ("", *around))
            yield way(both, f"mine.tag <> '' AND NOT {_OF_ALL_OWNERS} AND {within}", *shapes, params=around)


def whole_roles(scopes: tuple[str, ...]) -> Statement:
    """What roles give now on all of a scope: kind, verb, and kind and key of the scope."""
    where = f"{_NOT_NARROWED} AND mine.scope_kind IN ({marks(scopes)})"
    sql = f"SELECT mine.kind, mine.verb, mine.scope_kind, mine.scope_pk FROM mine WHERE {where}"  # noqa: S608
    return f"{sql} AND (mine.expires_at IS NULL OR mine.expires_at > %s)", (*scopes, Slot.NOW)


def shapes_of_roles() -> Statement:
    """Which shapes the roles that somebody holds now are of: nothing, scope, and tag and owner as a number."""
    shape = "CASE WHEN mine.tag = '' THEN 0 ELSE 1 END + CASE WHEN mine.owner_id IS NULL THEN 0 ELSE 2 END"
    now = "mine.expires_at IS NULL OR mine.expires_at > %s"
    return f"SELECT DISTINCT '', 'shape', mine.scope_kind, {shape} FROM mine WHERE {now}", (Slot.NOW,)  # noqa: S608


def keys_by_themselves(model: type[Model], verbs: frozenset[str], shapes: frozenset[Shape]) -> tuple[Statement, bool]:
    """The keys of rows of `model` that are few: those that something was granted on, or that have the tag or owner of a
    role; and whether roles of these `shapes` lead to any. Where there are none, databases have much less to plan."""
    ways = [way for way in ways_in(model) if verbs and not way.is_whole and (not way.kind or way.shapes & shapes)]
    return union(way.keys(verbs) for way in ways), any(way.kind for way in ways)


def keys_below(model: Any, parents: tuple[int, ...], condition: str = "") -> Statement:
    """The keys of the rows of `model` that belong to these parents."""
    if not parents:
        return NOTHING
    key, parent = model._meta.pk.column, model._meta.get_field(access_of(model).parent).column
    where = f"{_column(parent)} IN ({marks(parents)}){condition}"
    return f"SELECT {_column(key)} FROM {quoted(model)} WHERE {where}", parents  # noqa: S608


def union(statements: Iterable[Statement]) -> Statement:
    """All in one; those that are nothing are left out."""
    there = [each for each in statements if each[0]]
    return " UNION ALL ".join(sql for sql, _ in there), tuple(value for _, params in there for value in params)


def with_roles(statement: Statement, roles: Statement | None = None) -> Statement:
    """A statement made of ways, complete; nothing stays nothing."""
    if not statement[0]:
        return NOTHING
    head = roles if roles is not None else role_grants()
    return head[0] + statement[0], (*head[1], *statement[1])


def filled(statement: Statement, **values: Any) -> tuple[str, list[Any]]:
    """A kept statement with values in its slots (by their names in lower case); `now` is filled in by itself."""
    values.setdefault("now", timezone.now())
    return statement[0], [
        _adapted(values[value.name.lower()]) if isinstance(value, Slot) else value for value in statement[1]
    ]


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _team(table: str) -> str:
    """The name of the team of a row."""
    return f"(SELECT n.name FROM {quoted(Group)} n WHERE n.id = {table}.group_id)"  # noqa: S608


def marks(values: Iterable[Any]) -> str:
    return ", ".join("%s" for _ in values)


def _column(name: str) -> str:
    return connection.ops.quote_name(name)
