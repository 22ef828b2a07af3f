"""Reading accounts for their pages: all that these show of one person, or of many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from people.selectors import list_people, pick_person
from permissions.models import User
from permissions.policy import can
from virtualmachines.models import VirtualMachine


def list_accounts(user: User) -> QuerySet[User]:
    """The accounts of everybody, for who sees them, with their teams and how many machines they own."""
    people = list_people(user) if can(user, "see_people") else list_people(user).none()
    teams = Prefetch("groups", Group.objects.order_by("name"))
    return people.annotate(machines=_machines_of(OuterRef("pk"))).prefetch_related(teams)


def get_account(user: User, name: str) -> User:
    """One of them, by user name. Http404."""
    return pick_person(list_accounts(user), name)


def _machines_of(person: Any) -> Coalesce:
    owned = VirtualMachine.objects.filter(owner__user=person, missing_since__isnull=True).order_by()
    counted = owned.values("owner__user").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@dataclass(frozen=True)
class Owned:
    """How many machines somebody owns on a cluster, by its short name."""

    slug: str
    machines: int


def list_owned(person: User) -> Sequence[Owned]:
    """Where a person's machines are."""
    rows = VirtualMachine.objects.filter(owner__user=person, missing_since__isnull=True).order_by()
    counted = rows.values_list("cluster__slug").annotate(number=Count("pk")).order_by("cluster__slug")
    return [Owned(slug, number) for slug, number in counted]
