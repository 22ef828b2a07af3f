"""All that was given on some objects, as it was given: for the record of a cluster, which gives it again elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet

from permissions.models import Persona, Role, RoleGrant, User
from permissions.policy.holders import has_not_ended
from permissions.policy.ways import access_of, grant_tables


@dataclass(frozen=True)
class Given:
    """Verbs, or a role, given to one person or team on one object, until some moment."""

    on: Model
    who: User | Group
    verbs: tuple[str, ...] = ()
    role: Role | None = None
    tag: str = ""
    owner: Persona | None = None
    until: datetime | None = None


def find_given(objects: QuerySet[Any]) -> Iterator[Given]:
    """What was given on just these objects, all of one kind, and has not ended: verbs with one end together, then
    roles. Four queries."""
    keys = objects.order_by().values("pk")
    for table, who in zip(grant_tables(objects.model) or (), ("user", "group"), strict=False):
        verbs: dict[tuple[Any, Any, Any], list[str]] = defaultdict(list)
        rows = table.objects.filter(has_not_ended(), content_object__in=keys)
        for each in rows.select_related("content_object", "permission", who).order_by("content_object", who, "pk"):
            verbs[each.content_object, getattr(each, who), each.expires_at].append(each.permission.codename)
        for (on, subject, until), some in verbs.items():
            yield Given(on, subject, verbs=tuple(sorted(some)), until=until)
    kind = access_of(objects.model).kind
    roles = RoleGrant.objects.filter(has_not_ended(), scope_kind=kind, scope_pk__in=keys).order_by("scope_pk", "pk")
    found = list(roles.select_related("role", "user", "group", "owner__user", "owner__group"))
    there = objects.in_bulk({each.scope_pk for each in found})
    for each in found:
        who_holds: Any = each.user or each.group
        yield Given(
            there[each.scope_pk], who_holds, role=each.role, tag=each.tag, owner=each.owner, until=each.expires_at
        )
