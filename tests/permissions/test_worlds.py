"""Whatever the grants, roles, scopes, tags, owners, teams and ends: lists, objects and reasons say the same, and they
say what a model says that is so simple that one can see it is right.
"""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpResponse
from hypothesis import HealthCheck, example, given, settings

from clusters.models import Cluster, Job, JobTarget, Node
from clusters.selectors import few_lines_of, list_job_rows, read_job_lines
from gwm.journal_found import find_by_ways
from gwm.journal_list import JOURNAL_TABLE
from objectlog.models import Event
from permissions.journal import list_visible_events, read_few_visible_events, ways_to_read
from permissions.kinds import KINDS
from permissions.middleware import ReachReadOnce
from permissions.models import Role, RoleGrant, Team, User
from permissions.policy import Source, access_of, can, find_holdings, held, reach_kept, read_visible, verbs_on, visible
from permissions.services import (
    forget_grants_of_nothing,
    grant,
    grant_role,
    make_team,
    persona_of,
    revoke,
    revoke_role,
    set_role,
)
from tests.factories import make_cluster, make_vm
from tests.permissions.worlds import HOW_MANY, JOBS, MACHINES, MODELS, GivenRole, Naive, Site, World, worlds
from ui.kept import Kept
from ui.listed import one_by_one
from virtualmachines.models import MachineTag, VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F108", "G054")]
KEYS = {kind: Kept(model, lambda rows: rows.order_by().values_list("pk")) for kind, model in MODELS.items()}


def told(site: Site, sources: list[Source]) -> set[tuple[Any, ...]]:
    ends_in = {site.end(seconds): seconds for seconds in (-60, 60, None)}
    return {(s.verb, s.granted, s.via_role, s.via_team, s.via_parent, ends_in[s.until]) for s in sources}


def given_to(user: User, obj: Model) -> set[str]:
    """By what the page of rights says was given, and being in a team."""
    teams = set(user.groups.all())
    member = {"view"} if obj in {Team(pk=team.pk) for team in teams} else set()
    theirs = [each for each in find_holdings(obj) if each.who == user or each.who in teams]
    return member.union(*(each.gives for each in theirs))


def compare_journal(site: Site, kinds: dict[str, list[Any]], model: Naive) -> None:
    """Of one event about each object people may read those about what they audit, looked up or tested, kept or not; who
    audits every cluster there is or will be may read all, also about what is gone."""
    about = [(kind, obj.pk) for kind, objects in kinds.items() for obj in objects]
    about += [(kind, 0) for kind in kinds]  # nothing, or what is gone
    story: dict[str, Any] = {"at": site.now, "verb": "x", "outcome": "done", "actor": None}
    Event.objects.bulk_create(Event(target_kind=kind, target_pk=pk, **story) for kind, pk in about)
    for person, user in enumerate(site.people):
        expected = {
            (kind, obj.pk)
            for kind, objects in kinds.items()
            for obj in objects
            if KINDS[kind].journal in verbs_on(user, obj)
        }
        of_all = model.is_everywhere(person, "cluster", "audit")
        for keeping in (nullcontext, reach_kept):
            with keeping():
                few, every = read_few_visible_events(user), list_visible_events(user)
                by_ways = find_by_ways(
                    every, ways_to_read(user, looked_up=True), JOURNAL_TABLE.plain(), "1", len(about)
                )
                assert few is None or not of_all
                assert set(every.values_list("target_kind", "target_pk")) == (set(about) if of_all else expected)
                for events in (by_ways.rows, *([] if few is None else [few])):
                    assert set(events.values_list("target_kind", "target_pk")) == expected


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
            for verb, keys in listed.items():
                assert {key for (key,) in read_visible(user, verb, KEYS[kind])} == keys
            with reach_kept():
                assert {key for (key,) in read_visible(user, "view", KEYS[kind])} == listed["view"]
                tested = one_by_one(visible(user, "view", MODELS[kind].objects.order_by()))
                assert set(tested.values_list("pk", flat=True)) == listed["view"]
            for number, obj in enumerate(objects):
                expected = model.sources(person, kind, number)
                now_held = {source for source in expected if source[-1] != -60}
                assert told(site, held(user, obj, with_ended=True)) == expected
                assert told(site, held(user, obj)) == now_held
                assert verbs_on(user, obj) == {source[0] for source in now_held}
                with reach_kept():
                    assert verbs_on(user, obj) == {source[0] for source in now_held}
                assert {verb for verb, keys in listed.items() if obj.pk in keys} == verbs_on(user, obj)
            for obj in objects if kind in HOW_MANY else ():
                assert given_to(user, obj) == verbs_on(user, obj)
        newest = few_lines_of(lambda jobs: jobs, JOBS)
        rows = [(job.pk, job.title, job.error) for job in list_job_rows(user).order_by("-ganeti_id")]
        for keeping in (nullcontext, reach_kept):
            with keeping():
                assert [(job.pk, job.title, job.error) for job in read_job_lines(user, newest)] == rows
        seen = set(visible(user, "view", JobTarget.objects.all()))
        for target in JobTarget.objects.all():
            assert bool(can(user, "view", target)) == (target in seen)
    compare_journal(site, kinds, model)


def take_back_everything(site: Site, world: World) -> None:
    """What was given is revoked as it was given, ended or not; then everybody leaves their teams."""
    for each in world.grants:
        revoke([each.verb], site.whom(each.to), site.objects(each.kind)[each.number])
    for given_role in world.role_grants:
        scope = site.objects(given_role.kind)[given_role.number] if given_role.kind else None
        owner = persona_of(site.whom(given_role.owner)) if given_role.owner else None
        role = Role.objects.get(name=f"role{given_role.role}")
        revoke_role(role, site.whom(given_role.to), scope, tag=given_role.tag, owner=owner)
    assert not RoleGrant.objects.exists()
    nothing_is_left(site, world.members)
    for person, team in world.members:
        site.people[person].groups.remove(site.teams[team])
    for user in site.people:
        assert not visible(user, "view", Team.objects.all()).exists()
        assert not any(held(user, team, with_ended=True) for team in site.teams)


def nothing_is_left(site: Site, members: frozenset[tuple[int, int]]) -> None:
    """Neither list nor object nor reason nor journal has anything left, but a team for who is in it."""
    assert not any(find_holdings(obj) for kind in HOW_MANY for obj in site.objects(kind))
    for person, user in enumerate(site.people):
        theirs = {site.teams[team].pk for member, team in members if member == person}
        assert not can(user, "see_journal_of_all")
        assert not list_visible_events(user).exists()
        for model, objects in (*((MODELS[kind], site.objects(kind)) for kind in HOW_MANY), (Node, site.nodes)):
            listed = set(visible(user, "view", model.objects.order_by()).values_list("pk", flat=True))
            assert listed == (theirs if model is Team else set())
            for obj in objects:
                left = {"view"} if model is Team and obj.pk in theirs else set()
                assert {source.verb for source in held(user, obj, with_ended=True)} == left
        assert not visible(user, "view", Job.objects.all()).exists()
        assert not visible(user, "view", JobTarget.objects.all()).exists()
        assert not any(can(user, "view", job) for job in site.jobs)


#: Both audit everything, one by themselves and one by a team: so seldom drawn that it is always tried.
AUDITED = World(
    members=frozenset([(1, 0)]),
    grants=[],
    roles=[frozenset([("cluster", "audit")]), frozenset()],
    role_grants=[
        GivenRole(("person", 0), 0, "", 0, "", None, 60),
        GivenRole(("team", 0), 0, "", 0, "", None, None),
        GivenRole(("team", 1), 0, "", 0, "", None, None),
    ],
    tags=[frozenset()] * MACHINES,
    owners=[None] * MACHINES,
    targets=[[]] * JOBS,
)

#: Of a second database the first worlds show whether it takes the statements; what these mean is the same for both.
WORLDS = 50 if connection.vendor == "sqlite" else 15


@pytest.mark.long
@given(worlds())
@example(AUDITED)
@settings(max_examples=WORLDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lists_objects_and_reasons_agree_in_any_world(django_db_setup: None, db: None, world: World) -> None:
    with transaction.atomic():
        site = Site()
        site.fill(world)
        compare(site, world)
        take_back_everything(site, world)
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
    assert found == set(one_by_one(visible(site.people[0], "power", VirtualMachine.objects.all())))
    assert [bool(can(site.people[0], "power", vm)) for vm in site.machines] == [vm in found for vm in site.machines]
    assert not visible(site.people[0], "view", Cluster.objects.all()).exists()


def test_a_role_on_a_machine_gives_nothing_of_what_it_would_give_on_the_cluster() -> None:
    site = Site()
    vm, user = site.machines[0], site.people[0]
    role = set_role("operator", {"vm": ["power"], "cluster": ["migrate"]})
    grant_role(role, user, vm)
    assert given_to(user, vm) == verbs_on(user, vm) == {"view", "power", "console"}
    grant_role(role, user, vm.cluster)
    assert given_to(user, vm) == verbs_on(user, vm) >= {"migrate", "power"}


def test_what_is_held_on_a_cluster_is_told_by_the_reach() -> None:
    """By a role on everything, by one on it, and by a grant: the same as without the reach kept, and nothing more."""
    site = Site()
    user, [here, there, *_rest] = site.people[0], site.clusters
    grant_role(set_role("seer", {"cluster": ["create_vm"], "vm": ["power"]}), user, None)
    grant_role(set_role("mover", {"cluster": ["migrate"]}), user, here)
    grant(["replace_disks"], user, there)
    asked = {cluster.pk: verbs_on(user, cluster) for cluster in site.clusters}
    assert asked[here.pk] == {"view", "create_vm", "migrate"}
    with reach_kept():
        assert {cluster.pk: verbs_on(user, cluster) for cluster in site.clusters} == asked


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
    with reach_kept(), django_assert_num_queries(1):
        assert [bool(can(user, "view", cluster)) for cluster in site.clusters] == [False] * len(site.clusters)
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
