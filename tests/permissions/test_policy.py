"""The policy: what a grant gives, and that object checks and list filters agree."""

import itertools

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clusters.models import Cluster, Job, Node
from clusters.operations import CLUSTER_OPERATIONS, JOB_OPERATIONS
from permissions.models import Persona, User
from permissions.policy import SITE_VERBS, access_of, can, can_somewhere, reach_kept, verbs_on, visible
from permissions.services import UnknownVerb, grant, grant_role, persona_of, revoke, set_role
from tests.factories import make_admin, make_cluster, make_job, make_node, make_template, make_user, make_vm
from virtualmachines.models import MachineTemplate, VirtualMachine
from virtualmachines.operations import VM_OPERATIONS

pytestmark = pytest.mark.django_db

VM_VERBS = ["view", "admin", "power", "console", "modify", "remove", "tags", "migrate", "replace_disks", "export"]
CLUSTER_VERBS = ["view", "admin", "create_vm", "migrate", "export", "replace_disks", "tags"]


def held(user: User, obj: object, verbs: list[str]) -> set[str]:
    """By asking `can` for each verb, after seeing that the two other doors give the same answer."""
    one_by_one = {verb for verb in verbs if can(user, verb, obj)}
    by_list = {verb for verb in verbs if visible(user, verb, type(obj).objects.all()).filter(pk=obj.pk).exists()}
    assert one_by_one == by_list == set(verbs_on(user, obj)) & set(verbs)
    return one_by_one


@pytest.mark.feature("F095", "F108", "F109", "F096", "F097", "F098")
@pytest.mark.parametrize(
    ("granted", "given"),
    [
        ("power", {"view", "power", "console"}),
        ("console", {"view", "console"}),
        ("modify", {"view", "modify"}),
        ("remove", {"view", "remove"}),
        ("tags", {"view", "tags"}),
        ("admin", {"view", "admin", "power", "console", "modify", "remove", "tags"}),
    ],
)
@pytest.mark.parametrize("through_group", [False, True])
def test_grant_on_machine(granted: str, given: set[str], through_group: bool) -> None:
    cluster = make_cluster()
    vm, other = make_vm(cluster), make_vm(cluster)
    group = Group.objects.create(name="web")
    user = make_user("alice", group)
    grant([granted], group if through_group else user, vm)
    assert held(user, vm, VM_VERBS) == given
    assert held(user, other, VM_VERBS) == set()
    assert held(user, cluster, CLUSTER_VERBS) == set()


@pytest.mark.feature("F092", "F093", "F099", "F094")
@pytest.mark.parametrize(
    ("granted", "on_cluster", "on_vm", "on_node"),
    [
        ("admin", set(CLUSTER_VERBS), set(VM_VERBS), {"view", "migrate"}),
        ("create_vm", {"view", "create_vm"}, set(), set()),
        ("migrate", {"view", "migrate"}, {"view", "migrate"}, {"view", "migrate"}),
        ("replace_disks", {"view", "replace_disks"}, {"view", "replace_disks"}, {"view"}),
        ("export", {"view", "export"}, {"view", "export"}, set()),
        ("tags", {"view", "tags"}, set(), set()),
    ],
)
def test_grant_on_cluster(granted: str, on_cluster: set[str], on_vm: set[str], on_node: set[str]) -> None:
    cluster, elsewhere = make_cluster(), make_cluster()
    vm, node, far = make_vm(cluster), make_node(cluster), make_vm(elsewhere, name="same.example.org")
    user = make_user()
    grant([granted], user, cluster)
    assert held(user, cluster, CLUSTER_VERBS) == on_cluster
    assert held(user, vm, VM_VERBS) == on_vm
    assert held(user, node, ["view", "migrate"]) == on_node
    assert held(user, far, VM_VERBS) == set()
    assert held(user, elsewhere, CLUSTER_VERBS) == set()


@pytest.mark.feature("F236", "F242")
def test_job_is_seen_with_the_machines_it_works_on() -> None:
    here, there = make_cluster(), make_cluster()
    vm = make_vm(here, name="web1.example.org")
    make_vm(there, name="web1.example.org")
    mine = make_job(here, ("instance", "web1.example.org"))
    same_name_elsewhere = make_job(there, ("instance", "web1.example.org"))
    of_a_node = make_job(here, ("node", "web1.example.org"))
    alice, bob = make_user(), make_user()
    grant(["power"], alice, vm)
    grant(["modify"], bob, vm)
    assert held(alice, mine, ["view", "cancel"]) == {"view", "cancel"}
    assert held(bob, mine, ["view", "cancel"]) == {"view"}
    assert held(alice, same_name_elsewhere, ["view", "cancel"]) == set()
    assert held(alice, of_a_node, ["view", "cancel"]) == set()
    chief = make_user()
    grant(["admin"], chief, here)
    assert set(visible(chief, "cancel", Job.objects.all())) == {mine, of_a_node}


@pytest.mark.feature("F108")
def test_nobody_else() -> None:
    cluster = make_cluster()
    vm = make_vm(cluster)
    asleep = make_user("asleep")
    grant(["admin"], asleep, cluster)
    asleep.is_active = False
    asleep.save()
    root = make_admin()
    for user in (AnonymousUser(), asleep, make_user()):
        assert not any(can(user, verb, vm) for verb in VM_VERBS)
        assert not visible(user, "view", VirtualMachine.objects.all()).exists()
        assert not can(user, "add_cluster")
        assert verbs_on(user, vm) == verbs_on(user, cluster) == frozenset()
    assert held(root, vm, VM_VERBS) == set(VM_VERBS)
    assert can(root, "add_cluster")
    root.is_active = False
    assert not can(root, "view", vm)
    assert not visible(root, "view", VirtualMachine.objects.all()).exists()
    assert verbs_on(root, vm) == frozenset()


def test_reason_names_the_right_that_is_missing() -> None:
    verdict = can(make_user(), "power", make_vm(make_cluster()))
    assert not verdict
    assert verdict.reason == "You may not start or stop this machine (needs power)."


@pytest.mark.feature("F103")
def test_withdrawn_grant_counts_at_once_and_dies_with_its_object() -> None:
    vm, user = make_vm(make_cluster()), make_user()
    grant(["power", "tags"], user, vm)
    revoke(["power"], user, vm)
    assert held(user, vm, VM_VERBS) == {"view", "tags"}
    vm.delete()
    assert not VirtualMachine.user_grants.rel.related_model.objects.exists()


def test_unknown_verb_is_refused_before_anything_is_granted() -> None:
    vm, user = make_vm(make_cluster()), make_user()
    with pytest.raises(UnknownVerb, match="root"):
        grant(["power", "root"], user, vm)
    assert held(user, vm, VM_VERBS) == set()


@pytest.mark.feature("F106")
def test_owning_alone_grants_nothing() -> None:
    user = make_user()
    vm = make_vm(make_cluster(), owner=persona_of(user))
    assert held(user, vm, VM_VERBS) == set()


@pytest.mark.feature("F017", "F025")
def test_personas() -> None:
    group = Group.objects.create(name="web")
    user = make_user("alice", group)
    assert persona_of(user).name == "alice"
    assert persona_of(group) == persona_of(group)
    vm = make_vm(make_cluster(), owner=persona_of(user))
    user.delete()
    vm.refresh_from_db()
    assert vm.owner is None
    assert not Persona.objects.filter(group__isnull=True).exists()


def test_list_is_two_queries_at_most_and_one_where_the_reach_is_kept() -> None:
    user = make_user("alice", Group.objects.create(name="web"))
    for _, cluster in itertools.product(range(3), [make_cluster()]):
        grant(["power"], user, make_vm(cluster))
    for model in (VirtualMachine, Node, Cluster, Job):
        with CaptureQueriesContext(connection) as queries:
            list(visible(user, "view", model.objects.all()))
        assert len(queries) <= 2
        with reach_kept():
            visible(user, "view", model.objects.all())
            with CaptureQueriesContext(connection) as queries:
                list(visible(user, "view", model.objects.all()))
        assert len(queries) <= 1


def test_what_is_gone_is_nothing_on_which_one_may_do_something() -> None:
    user, cluster = make_user("alice"), make_cluster()
    grant_role(set_role("maker", {"cluster": ["create_vm"]}), user, cluster)
    assert can_somewhere(user, "create_vm", Cluster, {cluster.pk})
    assert not can_somewhere(user, "create_vm", Cluster, {cluster.pk + 1})
    assert not can_somewhere(make_admin(), "create_vm", Cluster, frozenset())


def test_a_reading_within_another_reads_nothing_anew() -> None:
    user = make_user("alice")
    with reach_kept():
        visible(user, "view", VirtualMachine.objects.all())
        for _ in range(2):  # within it, and after what was within it
            with reach_kept(), CaptureQueriesContext(connection) as queries:
                visible(user, "view", VirtualMachine.objects.all())
            assert len(queries) == 0
        with CaptureQueriesContext(connection) as queries:
            visible(user, "view", VirtualMachine.objects.all())
        assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        visible(user, "view", VirtualMachine.objects.all())
    assert len(queries) == 1


@pytest.mark.feature("F108")
@pytest.mark.parametrize("verb", [*SITE_VERBS, "something_new"])
def test_what_is_done_to_the_site_is_for_superusers_and_for_staff_where_declared(verb: str) -> None:
    plain, staff, former = make_user("plain"), make_user("staff"), make_user("former")
    staff.is_staff = former.is_staff = True
    former.is_active = False
    for_staff = {"see_styleguide"}
    assert [bool(can(user, verb)) for user in (plain, staff, former, make_admin())] == [
        False,
        verb in for_staff,
        False,
        True,
    ]
    assert can(plain, verb).reason.startswith("Only ")
    assert {declared for declared, verb in SITE_VERBS.items() if verb.for_staff} == for_staff


def test_every_verb_that_can_be_lacking_has_its_own_sentence() -> None:
    operations = (*VM_OPERATIONS, *CLUSTER_OPERATIONS, *JOB_OPERATIONS)
    models = {"vm": VirtualMachine, "cluster": Cluster, "job": Job, "node": Node}
    for operation in operations:
        access = access_of(models[operation.kind])
        assert operation.needs in access.refusals or operation.needs == "view", operation.name
    for model in models.values():
        access = access_of(model)
        assert set(access.verbs) <= set(access.refusals) <= access.every
        for verb, sentence in access.refusals.items():
            assert str(sentence).startswith("You may not ") and str(sentence).endswith(f" (needs {verb}).")


def test_a_role_on_every_cluster_is_none_on_what_belongs_to_no_cluster() -> None:
    """There the list showed what could not be opened; what is held on such a row by itself counts as ever."""
    ruth = make_user("ruth")
    grant_role(set_role("keeper", {"cluster": ["admin"]}), ruth, None)
    there, hers, other = make_template("there", make_cluster()), make_template("hers"), make_template("other")
    grant(["use"], ruth, hers)
    listed = set(visible(ruth, "use", MachineTemplate.objects.all()))
    assert listed == {there, hers} == {each for each in (there, hers, other) if can(ruth, "use", each)}
