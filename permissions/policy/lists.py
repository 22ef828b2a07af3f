"""Which rows of a list somebody may see, or do something on: one condition of a query.

What is held over everything or over whole clusters is known beforehand (`permissions.policy.reach`). The rest is one
list of keys, from all sources of the declaration, so that the database begins with the few rights and not with the many
rows. Nearly every query of every page has it as a part; to have its text made anew each time took most of a page's
time, so it is kept.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import Model, Q
from django.db.models.sql import Query

from permissions.access import VIEW, Related
from permissions.models import User
from permissions.policy.reach import (
    Covered,
    Reach,
    count_kept_keys,
    find_kept_keys,
    find_reach,
    keep_keys,
    parent_models,
    touched_models,
)
from permissions.policy.rowtest import ROW, LookedUp, RowTest, is_one_of
from permissions.policy.ways import (
    NOTHING,
    TARGET_KEY,
    Shape,
    Statement,
    access_of,
    filled,
    keys_below,
    keys_by_themselves,
    marks,
    quoted,
    scopes_of_roles,
    union,
    with_roles,
)

# Behind what is asked of few rows. Without it PostgreSQL reads all that any row touches once, and asks that instead.
_ASKED_OF_EACH = " LIMIT 1 OFFSET 0"


@dataclass(frozen=True)
class Holding:
    """What is held of a model by some verbs: all of it, parents as a whole, and single rows by their keys."""

    model: Any
    covered: Covered
    rows: Statement = NOTHING
    roles: Statement = NOTHING

    @property
    def few(self) -> tuple[int, ...]:
        """Parents whose rows are looked up."""
        return () if self.covered.is_most else self.covered.parents

    @property
    def most(self) -> tuple[int, ...]:
        """Parents that are so many that every row is tested for its own."""
        return self.covered.parents if self.covered.is_most else ()

    @property
    def is_broad(self) -> bool:
        """Whether rows are tested one after the other: most of them pass."""
        return self.covered.everything or self.covered.is_most

    @property
    def is_nothing(self) -> bool:
        """Whether it is known that there is none."""
        return not (self.rows[0] or self.covered.everything or self.covered.parents)

    def keys(self) -> Statement:
        """The keys of what is looked up."""
        return union([self.rows, keys_below(self.model, self.few)])

    def has(self, column: str, *, is_beginning: bool = False) -> Statement:
        """SQL: whether a column of another table is the key of something that is held; see `is_one_of`."""
        row = f"SELECT 1 FROM {quoted(self.model)} w WHERE w.{_name(self.model._meta.pk.column)} = {column}"  # noqa: S608
        if self.covered.everything:
            return f"EXISTS ({row})", ()
        keys, params = with_roles(self.keys(), self.roles)
        # So put, PostgreSQL makes a table of keys once, instead of a join for each row that is tested.
        test = is_one_of(column, keys) if is_beginning else f"({column} IN ({keys})) IS TRUE"
        tests = [test] if keys else []
        if self.most:
            tests.append(f"EXISTS ({row} AND w.{_name(_parent_of(self.model).column)} IN ({marks(self.most)}))")
        return f"({' OR '.join(tests)})" if tests else "1 = 0", (*params, *self.most)


def condition(user: User, verb: str, model: type[Model], *, of_few: bool = False) -> Q:
    """Rows of `model` on which `user` may do `verb`; `of_few`: of few rows alone, which are tested one by one."""
    access, reach = access_of(model), find_reach(user)
    related = access.related
    if related is not None and not related.through:
        return _condition_on_columns(user, reach, verb, model, related)
    verbs, giving = access.granting(verb), access.granting_from_parent(verb)
    if model in parent_models():
        is_all = reach.covered(model, verbs).everything
        return Q() if is_all else Q(pk__in=reach.places(access.kind, verbs, access.kind))
    held = _holding(user, reach, model, verbs, giving - (related.needs_tie if related is not None else frozenset()))
    if held.covered.everything:
        return _all_of(user, reach, held, verbs)
    tested = held.covered.parents if of_few else held.most
    keys = [held.rows if of_few else held.keys()]
    ways = [_is_in_one_of(user, model, tested)] if tested else []
    if related is not None:
        tied = Holding(model, reach.covered(model, frozenset(), giving & related.needs_tie))
        if tied.is_broad or (of_few and tied.covered.parents):
            is_there = Q() if tied.covered.everything else _is_in_one_of(user, model, tied.covered.parents)
            ways.append(_passes(user, "pk", (_is_tied(model, ROW, of_few=of_few), ())) & is_there)
        else:
            keys.append(keys_below(model, tied.few, f" AND {_is_tied(model, _key_of(model))}"))
        touched = _holding(user, reach, apps.get_model(related.model), access.granting_from_related(verb))
        if touched.is_nothing:
            pass
        elif touched.is_broad or of_few:
            ways.append(_passes(user, "pk", _touches(model, verb, touched, ROW, of_few=of_few)))
        else:
            keys.append(_keys_touching(model, verb, touched))
    looked_up = with_roles(union(keys), held.roles)
    if looked_up[0]:
        ways.append(_looked_up(user, looked_up))
    return reduce(or_, ways) if ways else Q(pk__in=[])


def as_statement(which: Q, model: type[Model]) -> Statement | bool:
    """A condition on the columns of `model` in SQL; True for every row, False for none."""
    query = Query(model)
    try:
        sql, params = query.build_where(which).as_sql(query.get_compiler(connection=connection), connection)
    except FullResultSet:
        return True
    except EmptyResultSet:
        return False
    return f"({sql})", tuple(params)


def means(user: User, verb: str, model: Any, column: str, *, looked_up: bool = False) -> Q | None:
    """Rows of another table whose `column` is the key of a row of `model` on which `user` may do `verb`; None: of none.

    They are `looked_up` where they are few, by all keys that are held; else each is tested as it comes by.
    """
    access, reach = access_of(model), find_reach(user)
    table, key = quoted(model), _name(model._meta.pk.column)
    if access.related is None and model not in parent_models():
        held = _holding(user, reach, model, access.granting(verb), access.granting_from_parent(verb))
        if held.is_nothing:
            return None
        if not held.is_broad:
            keys = with_roles(held.keys(), held.roles)
            sql, values = filled(_there(model, keys) if held.roles[0] else keys, person=user.pk)
            if looked_up:
                return Q(LookedUp(column, sql, tuple(values)))
            # SQLite may still begin with it.
            return Q(RowTest(column, f"{ROW} IN ({sql})", tuple(values)))
    which = as_statement(condition(user, verb, model, of_few=True), model)
    if which is False:
        return None
    test, given = ("1 = 1", ()) if which is True else which
    one = f"SELECT 1 FROM {table} WHERE {table}.{key} = {ROW} AND {test}"  # noqa: S608
    return Q(RowTest(column, f"EXISTS ({one}{_ASKED_OF_EACH})", given))


def read_ahead(user: User, asked: Iterable[tuple[str, type[Model]]]) -> None:
    """Read at once what `means` asks for of these verbs on these models, and what every page asks for, where reach is
    kept."""
    reach = find_reach(user)
    wanted: list[tuple[Any, frozenset[str]]] = [(model, access_of(model).granting(VIEW)) for model in touched_models()]
    for verb, model in asked:
        access, related = access_of(model), access_of(model).related
        if related is not None:
            wanted.append((apps.get_model(related.model), access.granting_from_related(verb)))
        elif model not in parent_models():
            wanted.append((model, access.granting(verb)))
    listed = ((which, _single_rows(*which, reach.shapes, connection.vendor)) for which in wanted)
    keep_keys(user, {(model, verbs): _listed(model, *rows) for (model, verbs), rows in listed})


def count_read_ahead(user: User, verb: str, model: type[Model]) -> int:
    """How many rows of `model` somebody holds one by one, as far as that was read ahead."""
    return count_kept_keys(user, model, access_of(model).granting(verb))


def _listed(model: Any, rows: Statement, roles: Statement) -> Statement:
    """A list of keys by itself."""
    keys = with_roles(rows, roles)
    return _there(model, keys) if roles[0] else keys


def _there(model: Any, keys: Statement) -> Statement:
    """Those of `keys` of which there is a row: a role may stand on what is gone."""
    key = _name(model._meta.pk.column)
    return f"SELECT w.{key} FROM {quoted(model)} w WHERE w.{key} IN ({keys[0]})", keys[1]  # noqa: S608


def is_held_somewhere(user: User, verb: str, model: type[Model], among: Collection[int] | None = None) -> bool:
    """Whether `verb` is held on one of these parents or on all. No query, where reach is kept."""
    access, reach = access_of(model), find_reach(user)
    verbs = access.granting(verb)
    if reach.is_everywhere(access.kind, verbs):
        return among is None or bool(among)
    places = reach.places(access.kind, verbs, access.kind)
    return bool(places if among is None else places.intersection(among))


def held_by_parent(user: User, verb: str, model: Any) -> tuple[Covered, Q]:
    """The same in two: the parents all of whose rows are among them, and those that are so by themselves."""
    access = access_of(model)
    if not access.parent or access.related is not None:
        raise TypeError(f"what gives rights on {model.__name__} cannot be told apart by its parent")
    held = _holding(user, find_reach(user), model, access.granting(verb), access.granting_from_parent(verb))
    keys = with_roles(held.rows, held.roles)
    return held.covered, _looked_up(user, keys) if keys[0] else Q(pk__in=[])


def _condition_on_columns(user: User, reach: Reach, verb: str, model: Any, related: Related) -> Q:
    """The same for rows that say in their own columns what they belong to and which object they mean.

    Such rows are asked for by what they hang on (the objects of a job), so their own keys are no good beginning.
    """
    access = access_of(model)
    giving = access.granting_from_parent(verb)
    parent = f"{_parent_of(model).attname}__in"
    always = reach.covered(model, frozenset(), giving - related.needs_tie)
    if_tied = reach.covered(model, frozenset(), giving & related.needs_tie)
    if always.everything:
        return Q()
    touched = _holding(user, reach, apps.get_model(related.model), access.granting_from_related(verb))
    found = Q(**{parent: always.parents})
    if not touched.is_nothing:
        found |= Q(kind=related.kind) & _passes(user, TARGET_KEY, touched.has(ROW))
    there = Q() if if_tied.everything else Q(**{parent: if_tied.parents})
    return found | (Q(**{f"{TARGET_KEY}__isnull": False}) & there)


def _holding(
    user: User, reach: Reach, model: Any, verbs: frozenset[str], from_parent: frozenset[str] = frozenset()
) -> Holding:
    rows, roles = _single_rows(model, verbs, reach.shapes, connection.vendor)
    covered = reach.covered(model, verbs, from_parent)
    kept = None if covered.everything else find_kept_keys(user, model, verbs, _listed(model, rows, roles))
    return Holding(model, covered, rows, roles) if kept is None else Holding(model, covered, kept)


@lru_cache(maxsize=1024)
def _single_rows(
    model: Any, verbs: frozenset[str], shapes: frozenset[Shape], vendor: str
) -> tuple[Statement, Statement]:
    """The keys of rows that are held by themselves, and what goes before them."""
    keys, is_by_roles = keys_by_themselves(model, verbs, shapes)
    return keys, scopes_of_roles(access_of(model).kind, verbs) if is_by_roles else NOTHING


def _all_of(user: User, reach: Reach, held: Holding, verbs: frozenset[str]) -> Q:
    """Every row; but what is held of all parents says nothing of a row that belongs to none."""
    access = access_of(held.model)
    if not access.parent or not _parent_of(held.model).null or reach.is_everywhere(access.kind, verbs):
        return Q()
    found = Q(**{f"{_parent_of(held.model).attname}__isnull": False})
    keys = with_roles(held.rows, held.roles)
    return found | _looked_up(user, keys) if keys[0] else found


def _looked_up(user: User, keys: Statement) -> Q:
    sql, params = filled(keys, person=user.pk)
    return Q(LookedUp("pk", sql, tuple(params)))


def _passes(user: User, column: str, test: Statement) -> Q:
    """A test of each row. So put, no database begins with what the test lists: rows stay in the order of an index."""
    sql, params = filled(test, person=user.pk)
    return Q(RowTest(column, f"({sql}) IS TRUE", tuple(params)))


def _is_in_one_of(user: User, model: Any, parents: tuple[int, ...]) -> Q:
    if not parents:
        return Q(pk__in=[])
    return _passes(user, _parent_of(model).attname, (f"{ROW} IN ({marks(parents)})", parents))


def _is_tied(model: Any, row: str, *, of_few: bool = False) -> str:
    """SQL: of what the row touches something is known by its key, or it touches nothing. See `access.Related`."""
    link = _link_of(model)
    touched = f"SELECT 1 FROM {quoted(link.model)} t WHERE t.{_name(link.column)} = {row}"  # noqa: S608
    found = _ASKED_OF_EACH if of_few else ""
    return f"(EXISTS ({touched} AND t.{_name(TARGET_KEY)} IS NOT NULL{found}) OR NOT EXISTS ({touched}{found}))"


def _keys_touching(model: Any, verb: str, held: Holding) -> Statement:
    """The keys of the rows of `model` that touch an object that is held."""
    link = _link_of(model)
    test, params = _is_touch(model, verb, held, is_beginning=True)
    return f"SELECT t.{_name(link.column)} FROM {quoted(link.model)} t WHERE {test}", params  # noqa: S608


def _touches(model: Any, verb: str, held: Holding, row: str, *, of_few: bool = False) -> Statement:
    """SQL: whether a row of `model` touches an object that is held."""
    link = _link_of(model)
    test, params = _is_touch(model, verb, held)
    one = f"SELECT 1 FROM {quoted(link.model)} t WHERE t.{_name(link.column)} = {row} AND {test}"  # noqa: S608
    return f"EXISTS ({one}{_ASKED_OF_EACH if of_few else ''})", params


def _is_touch(model: Any, verb: str, held: Holding, *, is_beginning: bool = False) -> Statement:
    """SQL: whether `t`, which says what a row of `model` touches, counts for it."""
    related: Any = access_of(model).related
    link, kind, key = _link_of(model), _name("kind"), _name(TARGET_KEY)
    has, params = held.has(f"t.{key}", is_beginning=is_beginning)
    sql, params = f"t.{kind} = %s AND {has}", (related.kind, *params)
    if verb in related.needs_all:
        has_other, more = held.has(f"o.{key}")
        same = f"o.{_name(link.column)} = t.{_name(link.column)}"
        other = f"o.{kind} <> %s OR o.{key} IS NULL OR NOT {has_other}"
        sql += f" AND NOT EXISTS (SELECT 1 FROM {quoted(link.model)} o WHERE {same} AND ({other}))"  # noqa: S608
        params = (*params, related.kind, *more)
    return sql, params


def _parent_of(model: Any) -> Any:
    return model._meta.get_field(access_of(model).parent)


def _link_of(model: Any) -> Any:
    """The column by which what a row touches hangs on it."""
    related: Any = access_of(model).related
    return model._meta.get_field(related.through).remote_field


def _key_of(model: Any) -> str:
    return f"{quoted(model)}.{_name(model._meta.pk.column)}"


def _name(column: str) -> str:
    return connection.ops.quote_name(column)
