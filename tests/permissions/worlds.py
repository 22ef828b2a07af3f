"""Worlds of grants, roles, scopes, tags, owners, teams and ends; and a model of docs/rights.md that says who may what
in them, so simple that one can see it is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone
from hypothesis import strategies as st

from clusters.models import Cluster, Job, JobTarget, Node
from permissions.models import Team, User
from permissions.policy import access_of
from permissions.services import grant, grant_role, persona_of, set_role
from tests.factories import make_cluster, make_node, make_user, make_vm
from virtualmachines.models import MachineTag, VirtualMachine

PEOPLE, TEAMS, CLUSTERS, MACHINES, JOBS = 2, 2, 5, 6, 4
MODELS: dict[str, Any] = {"vm": VirtualMachine, "cluster": Cluster, "team": Team, "node": Node, "job": Job}
GRANTABLE = [(kind, verb) for kind in ("vm", "cluster", "team") for verb in access_of(MODELS[kind]).verbs]
HOW_MANY = {"vm": MACHINES, "cluster": CLUSTERS, "team": TEAMS}
TAGS = ["", "web", "db"]
# On a cluster: also what is tied to no row.
SEE_ALL = ("admin", "audit")

Subject = tuple[str, int]
# Already over, not yet over, without end.
ends = st.sampled_from([-60, 60, None])
subjects = st.one_of(
    st.tuples(st.just("person"), st.integers(0, PEOPLE - 1)), st.tuples(st.just("team"), st.integers(0, TEAMS - 1))
)


@dataclass(frozen=True)
class Given:
    """A verb on an object."""

    to: Subject
    kind: str
    verb: str
    number: int
    end: int | None


@dataclass(frozen=True)
class GivenRole:
    """A role on an object, a cluster or everything (empty kind), for machines with a tag or of an owner."""

    to: Subject
    role: int
    kind: str
    number: int
    tag: str
    owner: Subject | None
    end: int | None


@dataclass(frozen=True)
class World:
    """All that counts."""

    members: frozenset[tuple[int, int]]
    grants: list[Given]
    roles: list[frozenset[tuple[str, str]]]
    role_grants: list[GivenRole]
    tags: list[frozenset[str]]
    owners: list[Subject | None]
    targets: list[list[tuple[str, int | None]]] = field(default_factory=list)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    def given_verb(pair: tuple[str, str]) -> st.SearchStrategy[Given]:
        return st.builds(
            Given, subjects, st.just(pair[0]), st.just(pair[1]), st.integers(0, HOW_MANY[pair[0]] - 1), ends
        )

    def given_role(kind: str) -> st.SearchStrategy[GivenRole]:
        number = st.integers(0, HOW_MANY.get(kind, 1) - 1)
        narrow = st.sampled_from(TAGS) if kind in ("", "cluster") else st.just("")
        owner = st.none() | subjects if kind in ("", "cluster") else st.none()
        return st.builds(GivenRole, subjects, st.integers(0, 1), st.just(kind), number, narrow, owner, ends)

    role = st.frozensets(st.sampled_from(GRANTABLE), max_size=4)
    target = st.tuples(st.sampled_from(["instance", "node"]), st.none() | st.integers(0, MACHINES - 1))
    return World(
        members=draw(st.frozensets(st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, TEAMS - 1)), max_size=3)),
        grants=draw(st.lists(st.sampled_from(GRANTABLE).flatmap(given_verb), max_size=5)),
        roles=[draw(role), draw(role)],
        role_grants=draw(st.lists(st.sampled_from(["", "cluster", "vm", "team"]).flatmap(given_role), max_size=4)),
        tags=[draw(st.frozensets(st.sampled_from(TAGS[1:]))) for _ in range(MACHINES)],
        owners=[draw(st.none() | subjects) for _ in range(MACHINES)],
        targets=[draw(st.lists(target, max_size=3, unique_by=str)) for _ in range(JOBS)],
    )


class Site:
    """The rows that are the same in every world."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.people = [make_user(f"person{number}") for number in range(PEOPLE)]
        self.teams = [Team.objects.get(pk=Group.objects.create(name=f"team{n}").pk) for n in range(TEAMS)]
        self.clusters = [make_cluster(f"cluster{number}") for number in range(CLUSTERS)]
        self.machines = [make_vm(self.clusters[number % CLUSTERS]) for number in range(MACHINES)]
        self.nodes = [make_node(cluster) for cluster in self.clusters]
        self.jobs = [
            Job.objects.create(cluster=self.clusters[number % CLUSTERS], ganeti_id=number, error="not for everybody")
            for number in range(JOBS)
        ]

    def objects(self, kind: str) -> list[Any]:
        return {"vm": self.machines, "cluster": self.clusters, "team": self.teams}[kind]

    def whom(self, subject: Subject) -> User | Team:
        return (self.people if subject[0] == "person" else self.teams)[subject[1]]

    def end(self, seconds: int | None) -> datetime | None:
        return None if seconds is None else self.now + timedelta(seconds=seconds)

    def fill(self, world: World) -> None:
        for person, team in world.members:
            self.people[person].groups.add(self.teams[team])
        for each in world.grants:
            target = self.objects(each.kind)[each.number]
            grant([each.verb], self.whom(each.to), target, until=self.end(each.end))
        roles = []
        for number, verbs in enumerate(world.roles):
            kinds = {kind: [verb for some, verb in verbs if some == kind] for kind, _ in verbs}
            roles.append(set_role(f"role{number}", kinds))
        for given_role in world.role_grants:
            scope = self.objects(given_role.kind)[given_role.number] if given_role.kind else None
            owner = persona_of(self.whom(given_role.owner)) if given_role.owner else None
            whom, until = self.whom(given_role.to), self.end(given_role.end)
            grant_role(roles[given_role.role], whom, scope, tag=given_role.tag, owner=owner, until=until)
        for vm, tags, owner_of in zip(self.machines, world.tags, world.owners, strict=True):
            MachineTag.objects.bulk_create(MachineTag(machine=vm, tag=tag) for tag in tags)
            vm.owner = persona_of(self.whom(owner_of)) if owner_of else None
            vm.save()
        for job, targets in zip(self.jobs, world.targets, strict=True):
            for kind, number in targets:
                key = None if number is None else self.machines[number].pk
                name = f"{kind}{number}"
                JobTarget.objects.create(job=job, cluster=job.cluster, kind=kind, target_pk=key, name=name)


class Naive:
    """The rules of docs/rights.md, one after the other, on the description of a world."""

    def __init__(self, site: Site, world: World) -> None:
        self.site, self.world = site, world
        last: dict[Any, Given] = {(each.to, each.kind, each.verb, each.number): each for each in world.grants}
        self.grants = list(last.values())
        roles = {(g.to, g.role, g.kind, g.number, g.tag, g.owner): g for g in world.role_grants}
        self.role_grants = list(roles.values())

    def is_me(self, person: int, subject: Subject) -> bool:
        return subject == ("person", person) or (subject[0] == "team" and (person, subject[1]) in self.world.members)

    def granted(self, person: int, kind: str, number: int) -> Iterator[tuple[str, str, str, int | None]]:
        """Verbs on the object itself: verb, role, team, end."""
        for each in self.grants:
            if (each.kind, each.number) == (kind, number) and self.is_me(person, each.to):
                yield each.verb, "", self.team_name(each.to), each.end
        for given_role in self.role_grants:
            if self.is_me(person, given_role.to) and self.is_in_scope(given_role, kind, number):
                for some, verb in self.world.roles[given_role.role]:
                    if some == kind:
                        yield verb, f"role{given_role.role}", self.team_name(given_role.to), given_role.end

    def team_name(self, subject: Subject) -> str:
        return f"team{subject[1]}" if subject[0] == "team" else ""

    def is_in_scope(self, given_role: GivenRole, kind: str, number: int) -> bool:
        if given_role.tag or given_role.owner:
            if kind != "vm":
                return False
            if given_role.tag and given_role.tag not in self.world.tags[number]:
                return False
            if given_role.owner and given_role.owner != self.world.owners[number]:
                return False
        if not given_role.kind:
            return True
        if given_role.kind == kind:
            return given_role.number == number
        return kind == "vm" and given_role.kind == "cluster" and number % CLUSTERS == given_role.number

    def is_everywhere(self, person: int, kind: str, verb: str) -> bool:
        """Whether a role gives a verb now on everything of a kind that there is or will be."""
        return any(
            self.is_me(person, each.to)
            and not (each.kind or each.tag or each.owner)
            and each.end != -60
            and (kind, verb) in self.world.roles[each.role]
            for each in self.role_grants
        )

    def sources(self, person: int, kind: str, number: int) -> set[tuple[Any, ...]]:
        """verb, granted, role, team, parent, end."""
        access = access_of(MODELS[kind])
        found: set[tuple[Any, ...]] = set()
        if kind in HOW_MANY:
            for verb, role, team, end in self.granted(person, kind, number):
                if verb in access.verbs:
                    for given_verb in {verb, "view"} | access.implies.get(verb, frozenset()):
                        found.add((given_verb, verb, role, team, "", end))
        if kind == "team" and (person, number) in self.world.members:
            found.add(("view", "member", "", f"team{number}", "", None))
        targets = self.world.targets[number] if kind == "job" else []
        if access.parent:
            for verb, role, team, end in self.granted(person, "cluster", number % CLUSTERS):
                given_verbs = access.from_parent.get(verb, frozenset())
                if kind == "job" and targets and all(key is None for _, key in targets) and verb not in SEE_ALL:
                    continue
                for given_verb in given_verbs | ({"view"} if given_verbs else set()):
                    found.add((given_verb, verb, role, team, "cluster", end))
        if kind == "job":
            found |= self.through_machines(person, targets)
        return found

    def through_machines(self, person: int, targets: list[tuple[str, int | None]]) -> set[tuple[Any, ...]]:
        gives = access_of(Job).related.gives  # type: ignore[union-attr]
        held_on = {
            number: list(self.granted(person, "vm", number))
            for kind, number in targets
            if kind == "instance" and number is not None
        }
        may_cancel = {
            number
            for number, some in held_on.items()
            if any("cancel" in gives[verb] for verb, _, _, end in some if end != -60)
        }
        on_all = all(kind == "instance" and number in may_cancel for kind, number in targets)
        return {
            (given_verb, verb, role, team, "machine", end)
            for some in held_on.values()
            for verb, role, team, end in some
            for given_verb in gives[verb]
            if given_verb == "view" or on_all
        }
