"""The question the other way round, for explanations: who may do something, and which row gave it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from permissions.models import Granted, RoleGrant, User
from permissions.policy.sources import GrantKey, Source
from permissions.policy.ways import access_of, grant_tables


def find_grants(sources: Iterable[Source]) -> dict[GrantKey, Granted]:
    """The rows behind sources, with their givers, as far as they are there: one query a table."""
    keys: dict[str, set[int]] = defaultdict(set)
    for source in sources:
        if source.grant is not None:
            keys[source.grant.table].add(source.grant.pk)
    found: dict[GrantKey, Granted] = {}
    for table, pks in keys.items():
        model: Any = apps.get_model(table)
        rows = model._default_manager.select_related("granted_by").filter(pk__in=pks)
        found |= {GrantKey(table, row.pk): row for row in rows}
    return found


def find_candidates(obj: Model) -> QuerySet[User]:
    """Everybody to whom anything was granted that could count on `obj` or on its parent, and superusers."""
    access = access_of(type(obj))
    objects: list[Any] = [obj, *([getattr(obj, access.parent)] if access.parent else [])]
    people, teams = Q(is_superuser=True), Q(pk__in=[])
    scope = Q(scope_kind="")
    for each in objects:
        tables = grant_tables(type(each))
        if tables is not None:
            people |= Q(pk__in=tables[0].objects.filter(content_object=each).values("user"))
            teams |= Q(pk__in=tables[1].objects.filter(content_object=each).values("group"))
        scope |= Q(scope_kind=access_of(type(each)).kind or "-", scope_pk=each.pk)
    roles = RoleGrant.objects.filter(scope)
    people |= Q(pk__in=roles.exclude(user=None).values("user"))
    teams |= Q(pk__in=roles.exclude(group=None).values("group"))
    people |= Q(groups__in=Group.objects.filter(teams))
    return User.objects.filter(people, is_active=True).distinct().order_by("username")


def count_holders(on: Model) -> tuple[int, int]:
    """To how many people and to how many teams something was granted on just this object, as verbs or as roles."""
    tables = grant_tables(type(on))
    if tables is None:
        return 0, 0
    roles = RoleGrant.objects.filter(has_not_ended(), scope_kind=access_of(type(on)).kind or "-", scope_pk=on.pk)
    people, teams = (
        {
            *table.objects.filter(has_not_ended(), content_object=on).values_list(whom, flat=True),
            *roles.exclude(**{whom: None}).values_list(whom, flat=True),
        }
        for table, whom in zip(tables, ("user", "group"), strict=True)
    )
    return len(people), len(teams)


def granted_verbs(who: User | Group, on: Model) -> dict[str, datetime | None]:
    """The verbs that were granted to just this person or team on just this object and give something now, with ends."""
    tables = grant_tables(type(on))
    if tables is None:
        return {}
    rows = tables[0].objects.filter(user=who) if isinstance(who, User) else tables[1].objects.filter(group_id=who.pk)
    there = rows.filter(has_not_ended(), content_object=on).order_by("permission__codename")
    return dict(there.values_list("permission__codename", "expires_at"))


def granted_roles(who: User | Group, on: Model | None) -> QuerySet[RoleGrant]:
    """The same of roles on an object, or (None) on everything."""
    subject = Q(user=who) if isinstance(who, User) else Q(group_id=who.pk)
    scope = Q(scope_kind="") if on is None else Q(scope_kind=access_of(type(on)).kind, scope_pk=on.pk)
    rows = RoleGrant.objects.filter(subject, scope, has_not_ended())
    return rows.select_related("role", "owner__user", "owner__group").order_by("role__name", "tag", "pk")


def has_not_ended() -> Q:
    """Of a row that grants: that it still gives something."""
    return Q(expires_at=None) | Q(expires_at__gt=timezone.now())
