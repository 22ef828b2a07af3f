"""Which rows of a list somebody may see, or do something on: one condition of a query.

It is one list of keys, from all sources of the declaration, so that the database begins with the few rights and not
with the many rows. Nearly every query of every page has it as a part; to have it made anew each time took most of a
page's time, so it is kept.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from permissions.access import Related
from permissions.models import User
from permissions.policy.ways import (
    NOTHING,
    TARGET_KEY,
    Slot,
    Statement,
    access_of,
    keys_below,
    keys_by_themselves,
    keys_held,
    parents_of_held,
    quoted,
    union,
    with_roles,
)


def condition(user: User, verb: str, model: type[Model]) -> Q:
    """Rows of `model` on which `user` may do `verb`."""
    related = access_of(model).related
    if related is not None and not related.through:
        return _condition_on_columns(user, verb, model, related)
    statement = _keys_allowed(model, verb, connection.vendor)
    return Q(pk__in=_raw(user, statement)) if statement[0] else Q(pk__in=[])


def conditions_by_parent(user: User, verb: str, model: Any) -> tuple[Q, Q]:
    """The same in two: the parents all of whose rows are among them, and those that are so by themselves."""
    parents, rows = _keys_by_parent(model, verb, connection.vendor)
    return Q(pk__in=_raw(user, parents)), Q(pk__in=_raw(user, rows))


def filled(statement: Statement, **values: Any) -> tuple[str, list[Any]]:
    """A kept statement with values in its slots (by their names in lower case); `now` is filled in by itself."""
    values.setdefault("now", timezone.now())
    return statement[0], [
        _adapted(values[value.name.lower()]) if isinstance(value, Slot) else value for value in statement[1]
    ]


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _raw(user: User, statement: Statement) -> RawSQL:
    sql, params = filled(statement, person=user.pk)
    return RawSQL(sql, params)  # noqa: S611 - made in this package from names of models


def _condition_on_columns(user: User, verb: str, model: Any, related: Related) -> Q:
    """The same for rows that say in their own columns what they belong to and which object they mean.

    Such rows are asked for by what they hang on (the objects of a job), so their own keys are no good beginning.
    """
    parent = f"{model._meta.get_field(access_of(model).parent).attname}__in"
    touching, always, if_tied = _statements_on_columns(model, verb, connection.vendor)
    found = Q(pk__in=[])
    if touching[0]:
        found |= Q(**{"kind": related.kind, f"{TARGET_KEY}__in": _raw(user, touching)})
    if always[0]:
        found |= Q(**{parent: _raw(user, always)})
    if if_tied[0]:
        found |= Q(**{parent: _raw(user, if_tied), f"{TARGET_KEY}__isnull": False})
    return found


@lru_cache(maxsize=256)
def _statements_on_columns(model: Any, verb: str, vendor: str) -> tuple[Statement, Statement, Statement]:
    """The keys of related objects, of parents, and of parents that count for known objects only."""
    access = access_of(model)
    related: Any = access.related
    parent = model._meta.get_field(access.parent).related_model
    giving = access.granting_from_parent(verb)
    return (
        with_roles(keys_held(apps.get_model(related.model), access.granting_from_related(verb))),
        with_roles(keys_held(parent, giving - related.needs_tie)),
        with_roles(keys_held(parent, giving & related.needs_tie)),
    )


@lru_cache(maxsize=256)
def _keys_allowed(model: Any, verb: str, vendor: str) -> Statement:
    """The keys of the rows of `model` on which somebody may do `verb`."""
    access = access_of(model)
    verbs = access.granting(verb)
    parts = [keys_by_themselves(model, verbs)]
    if access.parent:
        parent = model._meta.get_field(access.parent).related_model
        giving = access.granting_from_parent(verb)
        needs_tie = access.related.needs_tie if access.related is not None else frozenset()
        whole = union([keys_held(parent, giving - needs_tie), parents_of_held(model, verbs)])
        parts += [
            keys_below(model, whole),
            keys_below(model, keys_held(parent, giving & needs_tie), _is_tied(model)),
        ]
    parts.append(_keys_touching(model, verb))
    return with_roles(union(parts))


@lru_cache(maxsize=64)
def _keys_by_parent(model: Any, verb: str, vendor: str) -> tuple[Statement, Statement]:
    access = access_of(model)
    if not access.parent or access.related is not None:
        raise TypeError(f"what gives rights on {model.__name__} cannot be told apart by its parent")
    verbs = access.granting(verb)
    parent = model._meta.get_field(access.parent).related_model
    whole = [keys_held(parent, access.granting_from_parent(verb)), parents_of_held(model, verbs)]
    return with_roles(union(whole)), with_roles(keys_by_themselves(model, verbs))


def _is_tied(model: Any) -> str:
    """SQL: of what the row touches something is known by its key, or it touches nothing. See `access.Related`."""
    related = access_of(model).related
    if related is None:
        return ""
    link = model._meta.get_field(related.through).remote_field
    row = f"{quoted(model)}.{_name(model._meta.pk.column)}"
    touched = f"SELECT 1 FROM {quoted(link.model)} t WHERE t.{_name(link.column)} = {row}"  # noqa: S608
    return f" AND (EXISTS ({touched} AND t.{_name(TARGET_KEY)} IS NOT NULL) OR NOT EXISTS ({touched}))"


def _keys_touching(model: Any, verb: str) -> Statement:
    """The keys of the rows of `model` that touch an object on which somebody holds what gives `verb` here."""
    related = access_of(model).related
    if related is None:
        return NOTHING
    held, params = keys_held(apps.get_model(related.model), access_of(model).granting_from_related(verb))
    if not held:
        return NOTHING
    link = model._meta.get_field(related.through).remote_field
    table, job, kind, key = quoted(link.model), *(_name(name) for name in (link.column, "kind", TARGET_KEY))
    sql = f"SELECT t.{job} FROM {table} t WHERE t.{kind} = %s AND t.{key} IN ({held})"  # noqa: S608
    params = (related.kind, *params)
    if verb in related.needs_all:
        other = f"o.{kind} <> %s OR o.{key} IS NULL OR o.{key} NOT IN ({held})"
        sql += f" AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.{job} = t.{job} AND ({other}))"  # noqa: S608
        params = (*params, *params)
    return sql, params


def _name(column: str) -> str:
    return connection.ops.quote_name(column)
