"""The one place that decides who may do what.

Nothing else reads `is_superuser`, guardian's tables or group membership. `can` answers for one object, `visible`
filters a queryset; both read the same declaration (`permissions.access`) on the model, so they cannot disagree.
Nothing is kept between calls: a grant withdrawn counts at once.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL

from permissions.access import VIEW, Access
from permissions.models import User

M = TypeVar("M", bound=Model)
Actor = User | AnonymousUser

# What is not done to an object that exists: only superusers may.
SITE_VERBS = {
    "add_cluster": "Only administrators may add clusters.",
    "see_health": "Only administrators may see how the service is doing.",
    "see_styleguide": "Only staff may see the style guide.",
    "see_journal_of_all": "Only administrators may see everybody's journal.",
}


@dataclass(frozen=True)
class Allowed:
    """Yes."""

    reason: str = ""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Denied:
    """No, and why, in a sentence for the person who asked."""

    reason: str

    def __bool__(self) -> bool:
        return False


Verdict = Allowed | Denied


def access_of(model: type[Model]) -> Access:
    """The declaration of a protected model; TypeError for one that has none (deny by default)."""
    access = getattr(model, "access", None)
    if not isinstance(access, Access):
        raise TypeError(f"{model.__name__} declares no access")
    return access


Statement = tuple[str, tuple[Any, ...]]
# Stands for the person in statements that are kept; no key is like it.
_SOMEBODY = -4711


def _condition(user: User, verb: str, model: type[Model]) -> Q:
    """Rows of `model` on which `user` may do `verb`."""
    sql, params = _keys_allowed(model, verb, connection.vendor)
    if not sql:
        return Q(pk__in=[])
    keys = RawSQL(sql, [user.pk if value == _SOMEBODY else value for value in params])  # noqa: S611 - see below
    return Q(pk__in=keys)


@lru_cache(maxsize=256)
def _keys_allowed(model: Any, verb: str, vendor: str) -> Statement:
    """The keys of the rows of `model` on which somebody may do `verb`: as SQL, made once in a process.

    Nearly every query of every page has it as a part; to have it made anew each time took most of a page's time. It is
    one list of keys, from all sources of the declaration, so that the database begins with the few rights and not with
    the many rows. Nothing in it but names from the models; all values are parameters.
    """
    access = access_of(model)
    quote = connection.ops.quote_name
    parts: list[Statement] = [_keys_held(model, access.granting(verb))]
    if access.parent:
        field = model._meta.get_field(access.parent)
        held, params = _keys_held(field.related_model, access.granting_from_parent(verb))
        table, key, parent = (quote(name) for name in (model._meta.db_table, model._meta.pk.column, field.column))
        parts.append((f"SELECT {key} FROM {table} WHERE {parent} IN ({held})" if held else "", params))  # noqa: S608
    parts.append(_keys_touching(model, access.granting_from_related(verb)))
    there = [part for part in parts if part[0]]
    return " UNION ALL ".join(sql for sql, _ in there), tuple(value for _, params in there for value in params)


def _keys_held(model: Any, verbs: frozenset[str]) -> Statement:
    """The keys of the rows of `model` on which somebody was granted one of `verbs`, directly or through a group."""
    if not verbs or not hasattr(model, "user_grants"):
        return "", ()
    by_user, by_group = model.user_grants.rel.related_model, model.group_grants.rel.related_model
    wanted = {"permission__codename__in": sorted(verbs)}
    direct = by_user.objects.filter(user=_SOMEBODY, **wanted).order_by().values("content_object_id")
    through = by_group.objects.filter(group__user=_SOMEBODY, **wanted).order_by().values("content_object_id")
    sql, params = direct.union(through, all=True).query.get_compiler(connection=connection).as_sql()
    return sql, tuple(params)


def _keys_touching(model: Any, verbs: frozenset[str]) -> Statement:
    """The keys of the rows of `model` that touch an object on which somebody was granted one of `verbs`.

    See `access.Related`: a join on cluster and name, which are no foreign key.
    """
    related = access_of(model).related
    if related is None or not verbs:
        return "", ()
    quote = connection.ops.quote_name
    target: Any = apps.get_model(related.model)
    link = model._meta.get_field(related.through)
    held, params = _keys_held(target, verbs)
    sql = (
        f"SELECT t.{quote(link.remote_field.column)} "  # noqa: S608
        f"FROM {quote(target._meta.db_table)} o INNER JOIN {quote(link.related_model._meta.db_table)} t "
        f"ON t.{quote('cluster_id')} = o.{quote('cluster_id')} AND t.{quote('name')} = o.{quote('name')} "
        f"WHERE t.{quote('kind')} = %s AND o.{quote('id')} IN ({held})"
    )
    return sql, (related.kind, *params)


def visible(user: Actor, verb: str, queryset: QuerySet[M]) -> QuerySet[M]:
    """The rows of `queryset` on which `user` may do `verb` (`view`: which they may see at all)."""
    access_of(queryset.model)
    if not isinstance(user, User) or not user.is_active:
        return queryset.none()
    if user.is_superuser:
        return queryset
    return queryset.filter(_condition(user, verb, queryset.model))


def can(user: Actor, verb: str, obj: Model | None = None) -> Verdict:
    """Whether `user` may do `verb` on `obj` (None: something of the site, see SITE_VERBS)."""
    if not isinstance(user, User):
        return Denied("Sign in first.")
    if not user.is_active:
        return Denied("This account is switched off.")
    if user.is_superuser:
        return Allowed("administrator")
    if obj is None:
        if verb == "see_styleguide" and user.is_staff:
            return Allowed("staff")
        return Denied(SITE_VERBS.get(verb, "Only administrators may do this."))
    model = type(obj)
    if model._default_manager.filter(_condition(user, verb, model), pk=obj.pk).exists():
        return Allowed()
    return Denied(f"You need the right “{verb}” on this {access_of(model).noun}{_helpers(model)}.")


def _helpers(model: type[Model]) -> str:
    """Whom to ask."""
    return "" if not access_of(model).parent else " or on its cluster"


def verbs_on(user: Actor, obj: Model) -> frozenset[str]:
    """Every verb that `user` may do on `obj`, in as few queries as its declaration has sources.

    For pages that draw many buttons: the same answer as `can` for each verb.
    """
    access = access_of(type(obj))
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    parent_verbs = frozenset().union(*access.from_parent.values()) if access.from_parent else frozenset()
    related_verbs: frozenset[str] = (
        frozenset().union(*access.related.gives.values()) if access.related is not None else frozenset()
    )
    every = frozenset(access.verbs) | parent_verbs | related_verbs | {VIEW}
    if user.is_superuser:
        return every
    held, held_on_parent = _verbs_held(user, obj, access)
    allowed = {
        verb for verb in every if held & access.granting(verb) or held_on_parent & access.granting_from_parent(verb)
    }
    in_question = related_verbs - allowed
    if in_question:
        model = type(obj)
        row = model._default_manager.filter(pk=obj.pk)
        flags = {
            f"may_{verb}": Exists(model._default_manager.filter(_condition(user, verb, model), pk=OuterRef("pk")))
            for verb in in_question
        }
        found = row.annotate(**flags).values(*flags).first() or {}
        allowed |= {verb for verb in in_question if found.get(f"may_{verb}")}
    return frozenset(allowed)


def _verbs_held(user: User, obj: Model, access: Access) -> tuple[frozenset[str], frozenset[str]]:
    """The verbs granted to `user`, directly or through a group, on `obj` itself and on its parent. One query."""
    places: list[tuple[str, Any, Any]] = [("own", type(obj), obj.pk)]
    if access.parent:
        field: Any = type(obj)._meta.get_field(access.parent)
        places.append(("parent", field.related_model, getattr(obj, field.attname)))
    granted: list[QuerySet[Any, Any]] = []
    for place, model, key in places:
        if hasattr(model, "user_grants"):
            by_user, by_group = model.user_grants.rel.related_model, model.group_grants.rel.related_model
            for grants in (by_user.objects.filter(user=user), by_group.objects.filter(group__user=user)):
                marked = grants.filter(content_object_id=key).annotate(place=Value(place))
                granted.append(marked.values_list("place", "permission__codename"))
    rows = list(granted[0].union(*granted[1:])) if granted else []
    held = {place: frozenset(verb for found, verb in rows if found == place) for place in ("own", "parent")}
    return held["own"], held["parent"]
