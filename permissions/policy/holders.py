"""The question the other way round, for explanations: who may do something, and which row gave it."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import Model, Q, QuerySet

from permissions.models import Granted, RoleGrant, User
from permissions.policy.sources import Source
from permissions.policy.ways import access_of, grant_tables


def find_grant(source: Source) -> Granted | None:
    """The row behind a source, with its giver; None where nobody granted it, or it is gone."""
    if source.grant is None:
        return None
    model: Any = apps.get_model(source.grant.table)
    found: Granted | None = model._default_manager.select_related("granted_by").filter(pk=source.grant.pk).first()
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
