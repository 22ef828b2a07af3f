"""A hundred thousand grants, as rows: verbs and roles, for people and teams, on machines, clusters, tags and owners."""

from __future__ import annotations

import itertools
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from clusters.models import Cluster
from permissions.models import Persona, RoleGrant, User, content_type_of
from permissions.services import grant, grant_role, make_team, persona_of, set_role
from virtualmachines.models import MachineTag, VirtualMachine, VMGroupGrant, VMUserGrant

IN_TEAMS = 5
# The teams of the one who is in very many.
MANY_TEAMS = 50
# One in fifty machines of a site is tagged so.
TAG = "special"
# What the names of people to measure with begin with.
HOLDER = "holder of "


def make_grants(count: int, *, people_of: int = 1000, teams_of: int = 100) -> dict[str, User]:
    """`count` grants over the machines that are there, of so many people and teams; people to measure with, by what
    they hold."""
    User.objects.bulk_create([User(username=f"person{number}") for number in range(people_of)])
    Group.objects.bulk_create([Group(name=f"team{number}") for number in range(teams_of)])
    people = list(User.objects.filter(username__startswith="person").order_by("pk"))
    teams = list(Group.objects.filter(name__startswith="team").order_by("pk"))
    members = User.groups.through
    members.objects.bulk_create(
        members(user=person, group=teams[(number + each * 7) % teams_of])
        for number, person in enumerate(people)
        for each in range(IN_TEAMS)
    )
    machines = list(VirtualMachine.objects.order_by("pk").values_list("pk", flat=True))
    verbs = list(Permission.objects.filter(content_type=content_type_of(VirtualMachine)).order_by("pk"))
    story: dict[str, Any] = {"granted_at": timezone.now(), "granted_by": people[0]}
    of_people, of_teams, of_roles = count * 8 // 10, count // 10, count // 10
    VMUserGrant.objects.bulk_create(
        (
            VMUserGrant(
                user=people[number % people_of],
                content_object_id=machines[number * 7 % len(machines)],
                permission=verbs[number // len(machines) % len(verbs)],
                **story,
            )
            for number in range(of_people)
        ),
        batch_size=1000,
        ignore_conflicts=True,
    )
    VMGroupGrant.objects.bulk_create(
        (
            VMGroupGrant(
                group=teams[number % teams_of],
                content_object_id=machines[number * 11 % len(machines)],
                permission=verbs[number // len(machines) % len(verbs)],
                **story,
            )
            for number in range(of_teams)
        ),
        batch_size=1000,
        ignore_conflicts=True,
    )
    roles = [set_role(f"role{number}", {"vm": ["power", "tags"][: 1 + number % 2]}) for number in range(20)]
    RoleGrant.objects.bulk_create(
        (
            RoleGrant(
                role=roles[number % len(roles)],
                user=people[number % people_of],
                scope_kind="vm",
                scope_pk=machines[number * 13 % len(machines)],
                **story,
            )
            for number in range(of_roles)
        ),
        batch_size=1000,
    )
    MachineTag.objects.bulk_create((MachineTag(machine_id=key, tag=TAG) for key in machines[::50]), batch_size=1000)
    return _make_holders(teams, machines)


def _make_holders(teams: list[Group], machines: list[int]) -> dict[str, User]:
    """One person for each way of holding much or little."""
    names = ("fifty machines", "a cluster", "a tag", "an owner", "everything", "a bit of all", "nothing")
    found = {name: User.objects.create_user(f"{HOLDER}{name}") for name in names}
    operator = set_role("operator", {"vm": ["power", "modify"], "cluster": ["migrate"]})
    cluster = Cluster.objects.order_by("pk")[1]
    for key in machines[:: len(machines) // 50][:50]:
        grant(["power"], found["fifty machines"], VirtualMachine.objects.get(pk=key))
    grant(["admin"], found["a cluster"], cluster)
    grant_role(operator, found["a tag"], None, tag=TAG)
    owner = VirtualMachine.objects.exclude(owner=None).order_by("pk").values_list("owner", flat=True)[0]
    grant_role(operator, found["an owner"], None, owner=Persona.objects.get(pk=owner))
    grant_role(operator, found["everything"], None)
    mixed, team = found["a bit of all"], make_team("a bit of all", [found["a bit of all"]])
    mixed.groups.add(*itertools.islice(teams, IN_TEAMS))
    for key in machines[:20]:
        grant(["modify"], mixed, VirtualMachine.objects.get(pk=key))
    grant(["migrate"], team, cluster)
    grant_role(operator, team, Cluster.objects.order_by("pk")[2], tag=TAG)
    grant_role(operator, mixed, None, tag=TAG, owner=persona_of(mixed))
    found["fifty teams"] = User.objects.create_user(f"{HOLDER}fifty teams")
    found["fifty teams"].groups.add(*teams[:MANY_TEAMS])
    return found
