"""Whatever the grants, roles, scopes, tags, owners, teams and ends: lists, objects and reasons say the same, and they
say what a model says that is so simple that one can see it is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusters.models import Cluster, Job, JobTarget, Node
from clusters.selectors import list_job_rows, read_few_job_rows
from permissions.middleware import ReachReadOnce
from permissions.models import RoleGrant, Team, User
from permissions.policy import Source, access_of, can, find_holdings, held, reach_kept, verbs_on, visible
from permissions.services import forget_grants_of_nothing, grant, grant_role, make_team, persona_of, revoke, set_role
from tests.factories import make_cluster, make_node, make_user, make_vm
from virtualmachines.models import MachineTag, VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F108", "G054")]

PEOPLE, TEAMS, CLUSTERS, MACHINES, JOBS = 2, 2, 5, 6, 4
MODELS: dict[str, Any] = {"vm": VirtualMachine, "cluster": Cluster, "team": Team, "node": Node, "job": Job}
GRANTABLE = [(kind, verb) for kind in ("vm", "cluster", "team") for verb in access_of(MODELS[kind]).verbs]
HOW_MANY = {"vm": MACHINES, "cluster": CLUSTERS, "team": TEAMS}
TAGS = ["", "web", "db"]

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
                if kind == "job" and targets and all(key is None for _, key in targets) and verb != "admin":
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


def told(site: Site, sources: list[Source]) -> set[tuple[Any, ...]]:
    ends_in = {site.end(seconds): seconds for seconds in (-60, 60, None)}
    return {(s.verb, s.granted, s.via_role, s.via_team, s.via_parent, ends_in[s.until]) for s in sources}


def given_to(user: User, obj: Model) -> set[str]:
    """By what the page of rights says was given, and being in a team."""
    teams = set(user.groups.all())
    member = {"view"} if obj in {Team(pk=team.pk) for team in teams} else set()
    theirs = [each for each in find_holdings(obj) if each.who == user or each.who in teams]
    return member.union(*(each.gives for each in theirs))


def compare(site: Site, world: World) -> None:
    model = Naive(site, world)
    kinds: dict[str, list[Any]] = {
        "vm": site.machines,
        "cluster": site.clusters,
        "team": site.teams,
        "node": site.nodes,
        "job": site.jobs,
    }
    for person, user in enumerate(site.people):
        for kind, objects in kinds.items():
            listed: dict[str, set[Any]] = {
                verb: set(visible(user, verb, MODELS[kind].objects.order_by()).values_list("pk", flat=True))
                for verb in access_of(MODELS[kind]).every
            }
            for number, obj in enumerate(objects):
                expected = model.sources(person, kind, number)
                now_held = {source for source in expected if source[-1] != -60}
                assert told(site, held(user, obj, with_ended=True)) == expected
                assert told(site, held(user, obj)) == now_held
                assert verbs_on(user, obj) == {source[0] for source in now_held}
                assert {verb for verb, keys in listed.items() if obj.pk in keys} == verbs_on(user, obj)
            for obj in objects if kind in HOW_MANY else ():
                assert given_to(user, obj) == verbs_on(user, obj)
        jobs = Job.objects.order_by("-ganeti_id")
        few = [(job.pk, job.title, job.error) for job in read_few_job_rows(user, jobs, JOBS)]
        assert few == [(job.pk, job.title, job.error) for job in list_job_rows(user).order_by("-ganeti_id")]
        seen = set(visible(user, "view", JobTarget.objects.all()))
        for target in JobTarget.objects.all():
            assert bool(can(user, "view", target)) == (target in seen)


@pytest.mark.long
@given(worlds())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_objects_and_reasons_agree_in_any_world(django_db_setup: None, db: None, world: World) -> None:
    with transaction.atomic():
        site = Site()
        site.fill(world)
        compare(site, world)
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("tag", "is_theirs", "in_cluster", "expected"),
    [
        ("", True, None, {0, 1, 5}),
        ("web", False, None, {0, 1, 3}),
        ("web", True, None, {0, 1}),
        ("web", True, 0, {0}),
        ("", True, 0, {0, 5}),
        ("web", False, 1, {1}),
        ("Web", False, None, set()),
    ],
)
def test_tag_owner_and_cluster_narrow_together(
    tag: str, is_theirs: bool, in_cluster: int | None, expected: set[int]
) -> None:
    """Machines 0, 1 and 5 are theirs, 0, 1 and 3 have the tag, 0 and 5 are in the first cluster."""
    site = Site()
    theirs = persona_of(site.people[1])
    VirtualMachine.objects.filter(pk__in=[site.machines[number].pk for number in (0, 1, 5)]).update(owner=theirs)
    MachineTag.objects.bulk_create(MachineTag(machine=site.machines[number], tag="web") for number in (0, 1, 3))
    role = set_role("operator", {"vm": ["power"], "cluster": ["admin"]})
    scope = None if in_cluster is None else site.clusters[in_cluster]
    grant_role(role, site.people[0], scope, tag=tag, owner=theirs if is_theirs else None)
    found = set(visible(site.people[0], "power", VirtualMachine.objects.all()))
    assert found == {site.machines[number] for number in expected}
    assert [bool(can(site.people[0], "power", vm)) for vm in site.machines] == [vm in found for vm in site.machines]
    assert not visible(site.people[0], "view", Cluster.objects.all()).exists()


def test_a_role_is_live_and_a_grant_ends_at_its_very_moment() -> None:
    site = Site()
    user, vm = site.people[0], site.machines[0]
    role = set_role("operator", {"vm": ["power"]})
    end = site.now + timedelta(hours=1)
    grant_role(role, user, vm, until=end)
    grant(["tags"], user, vm, until=end)
    assert verbs_on(user, vm) == {"view", "power", "console", "tags"}
    set_role("operator", {"vm": ["modify"]})
    assert verbs_on(user, vm) == {"view", "modify", "tags"}
    with time_machine.travel(end - timedelta(milliseconds=1), tick=False):
        assert can(user, "modify", vm) and visible(user, "tags", VirtualMachine.objects.all()).exists()
    with time_machine.travel(end, tick=False):
        assert verbs_on(user, vm) == frozenset() and not visible(user, "view", VirtualMachine.objects.all()).exists()
        assert {source.verb for source in held(user, vm, with_ended=True)} == {"view", "modify", "tags"}


def test_another_machine_gets_nothing_of_one_that_is_gone() -> None:
    site = Site()
    user, vm = site.people[0], site.machines[-1]
    grant_role(set_role("operator", {"vm": ["power"]}), user, vm)
    assert can(user, "power", vm)
    VirtualMachine.objects.filter(pk=vm.pk).delete()
    assert not can(user, "power", vm)
    again = make_vm(vm.cluster, vm.name, uuid=vm.uuid)
    grant_role(set_role("other", {}), user, again)
    assert not can(user, "view", again) and not visible(user, "view", VirtualMachine.objects.all()).exists()
    assert forget_grants_of_nothing() == 1 and RoleGrant.objects.get().scope_pk == again.pk


def test_one_query_each_and_one_more_for_lists(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    site, team = Site(), make_team("web", [])
    user = site.people[0]
    user.groups.add(team)
    grant_role(set_role("operator", {"vm": ["power"]}), team, site.clusters[0], tag="web")
    objects: list[Model] = [site.machines[0], site.clusters[0], site.nodes[0], site.jobs[0], team]
    for obj in objects:
        with django_assert_num_queries(1):
            can(user, "view", obj)
        with django_assert_num_queries(1):
            verbs_on(user, obj)
        with django_assert_num_queries(1):
            held(user, obj)
        with django_assert_max_num_queries(2):
            list(visible(user, "view", type(obj)._default_manager.all()))
    with reach_kept(), django_assert_max_num_queries(1 + len(objects)):
        for obj in objects:
            list(visible(user, "view", type(obj)._default_manager.order_by("pk")))
    assert RoleGrant.objects.count() == 1


def test_what_covers_everything_is_no_condition_and_a_new_cluster_is_not_covered_by_all_others() -> None:
    site = Site()
    user = site.people[0]
    for cluster in site.clusters:
        grant(["admin"], user, cluster)
    vms = visible(user, "view", VirtualMachine.objects.all())
    stranger = make_vm(make_cluster("new"))
    assert stranger not in vms and set(vms) == set(site.machines)
    grant_role(set_role("operator", {"vm": ["power"]}), user, None)
    vms = visible(user, "power", VirtualMachine.objects.all())
    assert not vms.query.has_filters() and set(vms) == {*site.machines, stranger}
    assert visible(user, "forget", VirtualMachine.objects.all()).query.has_filters()


def test_the_reach_is_kept_for_reading_alone(rf: Any) -> None:
    """A page asks once; what changes something asks anew, as does the next page."""
    site = Site()
    user, vm = site.people[0], site.machines[0]

    def view(request: Any) -> Any:
        before = visible(user, "view", VirtualMachine.objects.all()).exists()
        grant(["admin"], user, vm.cluster)
        return HttpResponse(f"{before} {visible(user, 'view', VirtualMachine.objects.all()).exists()}")

    for method, expected in (("get", b"False False"), ("get", b"True True")):
        assert ReachReadOnce(view)(getattr(rf, method)("/")).content == expected  # type: ignore[attr-defined]
    revoke(["admin"], user, vm.cluster)
    assert ReachReadOnce(view)(rf.post("/")).content == b"False True"  # type: ignore[attr-defined]
