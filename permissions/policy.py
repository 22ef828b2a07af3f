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
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from permissions.access import VIEW, Access, Related
from permissions.models import User

M = TypeVar("M", bound=Model)
Actor = User | AnonymousUser


@dataclass(frozen=True)
class SiteVerb:
    """Something that is not done to an object that exists: superusers may, staff where it says so."""

    refusal: str | Promise
    for_staff: bool = False


SITE_VERBS = {
    "add_cluster": SiteVerb(_("Only administrators may add clusters.")),
    # Where the product connects, and where it sends passwords, is as far-reaching as adding a cluster.
    "point_cluster": SiteVerb(_("Only administrators may change the address of a cluster and whom to trust there.")),
    "see_health": SiteVerb(_("Only administrators may see how the service is doing.")),
    "see_styleguide": SiteVerb(_("Only staff may see the style guide."), for_staff=True),
    "see_journal_of_all": SiteVerb(_("Only administrators may see everybody's journal.")),
}
_OTHER_SITE_VERB = SiteVerb(_("Only administrators may do this."))


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
# The column in which a row keeps the key of the object it means (see access.Related).
_KEY = "target_pk"
# Stands for the person in statements that are kept; no key is like it.
_SOMEBODY = -4711


def _condition(user: User, verb: str, model: type[Model]) -> Q:
    """Rows of `model` on which `user` may do `verb`."""
    related = access_of(model).related
    if related is not None and not related.through:
        return _condition_on_columns(user, verb, model, related)
    statement = _keys_allowed(model, verb, connection.vendor)
    return Q(pk__in=_for_user(user, statement)) if statement[0] else Q(pk__in=[])


def _for_user(user: User, statement: Statement) -> RawSQL:
    """A kept statement, with the person in the place of somebody."""
    sql, params = statement
    return RawSQL(sql, [user.pk if value == _SOMEBODY else value for value in params])  # noqa: S611 - see below


def _condition_on_columns(user: User, verb: str, model: Any, related: Related) -> Q:
    """The same for rows that say in their own columns what they belong to and which object they mean.

    Such rows are asked for by what they hang on (the objects of a job), so their own keys are no good beginning.
    """
    parent = f"{model._meta.get_field(access_of(model).parent).attname}__in"
    touching, always, if_tied = _statements_on_columns(model, verb, connection.vendor)
    found = Q(pk__in=[])
    if touching[0]:
        found |= Q(**{"kind": related.kind, f"{_KEY}__in": _for_user(user, touching)})
    if always[0]:
        found |= Q(**{parent: _for_user(user, always)})
    if if_tied[0]:
        found |= Q(**{parent: _for_user(user, if_tied), f"{_KEY}__isnull": False})
    return found


@lru_cache(maxsize=256)
def _statements_on_columns(model: Any, verb: str, vendor: str) -> tuple[Statement, Statement, Statement]:
    """The keys of related objects, of parents, and of parents that count for known objects only."""
    access = access_of(model)
    related: Any = access.related
    parent = model._meta.get_field(access.parent).related_model
    giving = access.granting_from_parent(verb)
    return (
        _keys_held(apps.get_model(related.model), access.granting_from_related(verb)),
        _keys_held(parent, giving - related.needs_tie),
        _keys_held(parent, giving & related.needs_tie),
    )


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
        giving = access.granting_from_parent(verb)
        needs_tie = access.related.needs_tie if access.related is not None else frozenset()
        table, key, parent = (quote(name) for name in (model._meta.db_table, model._meta.pk.column, field.column))
        for verbs, condition in ((giving - needs_tie, ""), (giving & needs_tie, _is_tied(model))):
            held, params = _keys_held(field.related_model, verbs)
            found = f"SELECT {key} FROM {table} WHERE {parent} IN ({held}){condition}" if held else ""  # noqa: S608
            parts.append((found, params))
    parts.append(_keys_touching(model, verb))
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


def _is_tied(model: Any) -> str:
    """SQL: of what the row touches something is known by its key, or it touches nothing. See `access.Related`."""
    related = access_of(model).related
    if related is None:
        return ""
    quote = connection.ops.quote_name
    link = model._meta.get_field(related.through).remote_field
    row = f"{quote(model._meta.db_table)}.{quote(model._meta.pk.column)}"
    touched = f"SELECT 1 FROM {quote(link.model._meta.db_table)} t WHERE t.{quote(link.column)} = {row}"  # noqa: S608
    return f" AND (EXISTS ({touched} AND t.{quote(_KEY)} IS NOT NULL) OR NOT EXISTS ({touched}))"


def _keys_touching(model: Any, verb: str) -> Statement:
    """The keys of the rows of `model` that touch an object on which somebody was granted what gives `verb` here."""
    related = access_of(model).related
    if related is None:
        return "", ()
    held, params = _keys_held(apps.get_model(related.model), access_of(model).granting_from_related(verb))
    if not held:
        return "", ()
    quote = connection.ops.quote_name
    link = model._meta.get_field(related.through).remote_field
    table, job, kind, key = (quote(name) for name in (link.model._meta.db_table, link.column, "kind", _KEY))
    sql = f"SELECT t.{job} FROM {table} t WHERE t.{kind} = %s AND t.{key} IN ({held})"  # noqa: S608
    params = (related.kind, *params)
    if verb in related.needs_all:
        other = f"o.{kind} <> %s OR o.{key} IS NULL OR o.{key} NOT IN ({held})"
        sql += f" AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.{job} = t.{job} AND ({other}))"  # noqa: S608
        params = (*params, *params)
    return sql, params


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
        return Denied(gettext("Sign in first."))
    if not user.is_active:
        return Denied(gettext("This account is disabled."))
    if user.is_superuser:
        return Allowed("administrator")
    if obj is None:
        declared = SITE_VERBS.get(verb, _OTHER_SITE_VERB)
        return Allowed("staff") if declared.for_staff and user.is_staff else Denied(str(declared.refusal))
    model = type(obj)
    if model._default_manager.filter(_condition(user, verb, model), pk=obj.pk).exists():
        return Allowed()
    return Denied(access_of(model).refuse(verb))


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
    if access.related is not None:
        related_verbs |= frozenset().union(*(access.from_parent[verb] for verb in access.related.needs_tie))
        held_on_parent -= access.related.needs_tie
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
