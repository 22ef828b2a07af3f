"""How far somebody's rights reach beyond single rows: over everything, or over whole clusters.

A list asks this first. What covers everything needs no condition, and whole clusters are named by their keys: to look
up the rights on each of twenty thousand rows takes longer than to read the rows. One short query tells it for all
lists; within `reach_kept`, the reading of one page, it is asked once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import connection

from permissions.access import VIEW, Access
from permissions.models import User
from permissions.policy.rowtest import KEYS_LISTED
from permissions.policy.ways import (
    NOTHING,
    Shape,
    Statement,
    access_of,
    filled,
    quoted,
    shapes_of_roles,
    union,
    ways_in,
    whole_roles,
    with_roles,
)

# Of so great a part of all parents on, rows are tested one after the other instead of looked up by their parents.
MOST = 0.25
# So many keys are kept at most.
MOST_KEPT = 10_000


@dataclass(frozen=True)
class Covered:
    """What is held of a model beyond single rows. `is_most`: `parents` are a good part of all there are."""

    everything: bool = False
    parents: tuple[int, ...] = ()
    is_most: bool = False


@dataclass(frozen=True)
class Reach:
    """All that one person holds in this way: kind and verb, with kind and key of where (empty and None: everywhere).

    `shapes` are those of all roles that they hold, those on single rows or narrowed to some included.
    """

    facts: frozenset[tuple[str, str, str, int | None]]
    totals: dict[str, int]
    shapes: frozenset[Shape]

    def is_everywhere(self, kind: str, verbs: frozenset[str]) -> bool:
        """Whether one of `verbs` is held on everything of `kind`."""
        return any((kind, verb, "", None) in self.facts for verb in verbs)

    def places(self, kind: str, verbs: frozenset[str], place: str) -> set[int]:
        """The keys of the objects of kind `place` on which one of `verbs` is held for things of `kind`."""
        return {
            key
            for some, verb, where, key in self.facts
            if key is not None and some == kind and where == place and verb in verbs
        }

    def covered(self, model: Any, verbs: frozenset[str], from_parent: frozenset[str] = frozenset()) -> Covered:
        """What is held of `model` by `verbs` for its own kind, or by `from_parent` for that of its parent."""
        access = access_of(model)
        if self.is_everywhere(access.kind, verbs):
            return Covered(everything=True)
        if not access.parent:
            return Covered()
        outer = access_of(model._meta.get_field(access.parent).related_model).kind
        if self.is_everywhere(outer, from_parent):
            return Covered(everything=True)
        keys = self.places(outer, from_parent, outer) | self.places(access.kind, verbs, outer)
        return Covered(parents=tuple(sorted(keys)), is_most=len(keys) > MOST * self.totals[outer])


@dataclass(frozen=True)
class _Known:
    """What was read so far: by person, and by person, model and verbs."""

    reach: dict[int, Reach] = field(default_factory=dict)
    keys: dict[tuple[int, Any, frozenset[str]], Statement | None] = field(default_factory=dict)
    numbers: dict[tuple[int, Any, frozenset[str]], int] = field(default_factory=dict)


_kept: ContextVar[_Known | None] = ContextVar("reach", default=None)


@contextmanager
def reach_kept() -> Iterator[None]:
    """Within it each person's reach is read once, and the keys of what several lists ask for: for what is one reading,
    as a request or a look at an open page. One within another is a part of the same reading."""
    if _kept.get() is not None:
        yield
        return
    token = _kept.set(_Known())
    try:
        yield
    finally:
        _kept.reset(token)


def holds_everywhere(user: User, kind: str, verb: str) -> bool:
    """Whether somebody has a right on everything of a kind by a role."""
    return find_reach(user).is_everywhere(kind, frozenset({verb}))


def find_reach(user: User) -> Reach:
    """The reach of somebody's rights. One query, where it is not kept."""
    kept = _kept.get()
    if kept is None:
        return _read(user)
    if user.pk not in kept.reach:
        kept.reach[user.pk] = _read(user)
    return kept.reach[user.pk]


def find_kept_keys(user: User, model: Any, verbs: frozenset[str], asked: Statement) -> Statement | None:
    """The keys that `asked` tells of what somebody holds by itself and may see, as a value, where reach is kept: lists
    of it and of what touches it would look them up anew each time. Of what else they hold if it was read ahead. None:
    where they are not kept, or too many."""
    kept = _kept.get()
    if kept is None:
        return None
    if model in touched_models() and verbs == access_of(model).granting(VIEW):
        keep_keys(user, {(model, verbs): asked})
    return kept.keys.get((user.pk, model, verbs))


def keep_keys(user: User, asked: Mapping[tuple[Any, frozenset[str]], Statement]) -> None:
    """Read the keys that these statements tell of what somebody holds by itself, by model and verbs, where reach is
    kept and as far as they are not. One query: to put each into what asks for it has it planned again and again."""
    kept, told = _kept.get(), _KEYS_TOLD.get(connection.vendor)
    if kept is None or told is None:
        return
    wanted = {(user.pk, *which): each for which, each in asked.items() if (user.pk, *which) not in kept.keys}
    kept.keys.update(dict.fromkeys(wanted, NOTHING))
    numbered = dict(enumerate(which for which, each in wanted.items() if each[0]))
    if not numbered:
        return
    lists = [filled(wanted[which], person=user.pk) for which in numbered.values()]
    named = ", ".join(f"held{number}(key) AS ({sql})" for number, (sql, _params) in enumerate(lists))
    sorted_keys = f"SELECT DISTINCT key FROM held{{0}} ORDER BY key LIMIT {MOST_KEPT + 1}"  # noqa: S608
    one = f"SELECT {{0}}, COUNT(*), {told} FROM ({sorted_keys}) AS sorted{{0}}"  # noqa: S608
    with connection.cursor() as cursor:
        every = " UNION ALL ".join(one.format(number) for number in numbered)
        cursor.execute(f"WITH {named} {every}", [value for _sql, params in lists for value in params])
        for number, count, keys in cursor.fetchall():
            found = (KEYS_LISTED[connection.vendor], (keys,)) if count else NOTHING
            kept.keys[numbered[number]] = None if count > MOST_KEPT else found
            kept.numbers[numbered[number]] = count


def count_kept_keys(user: User, model: Any, verbs: frozenset[str]) -> int:
    """How many keys were read so; of too many one more than are kept. 0 where none were read."""
    kept = _kept.get()
    return 0 if kept is None else kept.numbers.get((user.pk, model, verbs), 0)


# How keys come as one value: the database itself makes it, so that no key becomes a number here. They are in their
# order: SQLite puts each list of them into a tree first, which takes half as long then.
_KEYS_TOLD = {"sqlite": "json_group_array(key)", "postgresql": "CAST(array_agg(key) AS text)"}


def _read(user: User) -> Reach:
    sql, params = filled(_statement(connection.vendor), person=user.pk)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    others = [row[1:] for row in rows if not row[0]]
    return Reach(
        frozenset(row for row in rows if row[0]),
        {place: number for what, place, number in others if what == "total"},
        frozenset(Shape(scope, bool(code & 1), bool(code & 2)) for what, scope, code in others if what == "shape"),
    )


def verbs_by_reach(user: User, obj: Any) -> frozenset[str] | None:
    """All verbs that somebody holds on `obj` where reach is kept, and tells it: of a parent it tells everything."""
    if _kept.get() is None or type(obj) not in parent_models():
        return None
    access, reach = access_of(type(obj)), find_reach(user)
    where = {("", None), (access.kind, obj.pk)}
    given = {verb for kind, verb, *place in reach.facts if kind == access.kind and tuple(place) in where}
    return frozenset(verb for verb in access.every if given & access.granting(verb))


@lru_cache(maxsize=1)
def touched_models() -> frozenset[Any]:
    """The models of what others touch (see `access.Related`)."""
    declared = (getattr(model, "access", None) for model in apps.get_models())
    return frozenset(
        apps.get_model(each.related.model) for each in declared if isinstance(each, Access) and each.related
    )


@lru_cache(maxsize=1)
def parent_models() -> tuple[Any, ...]:
    """The models to which others belong."""
    found: dict[Any, None] = {}
    for model in apps.get_models():
        access = getattr(model, "access", None)
        if isinstance(access, Access) and access.parent:
            found[model._meta.get_field(access.parent).related_model] = None
    return tuple(found)


@lru_cache(maxsize=8)
def _statement(vendor: str) -> Statement:
    """Roles on everything and on parents, all that is held on a parent itself, and how many parents there are."""
    parts: list[Statement] = []
    for model in parent_models():
        kind = access_of(model).kind
        parts += [way.places(kind) for way in ways_in(model) if not way.is_whole]
        parts.append((f"SELECT '', 'total', '{kind}', COUNT(*) FROM {quoted(model)}", ()))  # noqa: S608
    kinds = tuple(access_of(model).kind for model in parent_models())
    return with_roles(union([whole_roles(("", *kinds)), shapes_of_roles(), *parts]))
