"""Names are given again: whose job it is does not follow the name but the machine, node, group or network."""

from itertools import pairwise

import pytest

from clusters.forms.cluster import describe_cluster
from clusters.models import FormerName, Job, JobTarget, Node
from clusters.operations.cluster import EditCluster
from clusters.operations.wanted import ClusterSettings
from clusters.selectors import list_jobs
from clusters.sync.targets import MOST_FORMER_NAMES
from objectlog.models import Outcome, Via
from objectlog.services import Target, advance, begin
from operations.contract import Actor, Ask, NoParams
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.models import User
from permissions.services import grant
from simulator import Network as SimulatedNetwork
from tests.factories import make_admin, make_user
from tests.fixtures.databases import some_in_fast
from tests.updates.conftest import update
from updates.due import select_to_follow
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

VM1, VM2 = "vm1.example.org", "vm2.example.org"
pytestmark = pytest.mark.feature("G048")


def machine(cluster, name=VM1):
    return VirtualMachine.objects.get(cluster=cluster, name=name, missing_since=None)


def holder_of(vm):
    person = make_user()
    grant(["power"], person, vm)
    return person


def run_job(simulator, opcode, **params):
    job = simulator.outside.submit(opcode, **params)
    simulator.run_jobs()
    return job.id


def numbers(person):
    return set(list_jobs(person).values_list("ganeti_id", flat=True))


def create(simulator, name):
    return run_job(
        simulator,
        "INSTANCE_CREATE",
        instance_name=name,
        mode="create",
        disk_template="file",
        disks=[{"size": 1024}],
        nics=[{}],
        os_type="noop",
        pnode=next(iter(simulator.cluster.nodes)),
    )


def tied_to(number):
    return {(target.kind, target.name): target.target_pk for target in JobTarget.objects.filter(job__ganeti_id=number)}


def test_a_namesake_and_the_removed_machine_share_no_job(simulator, cluster):
    old = machine(cluster)
    of_old = run_job(simulator, "INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    removal = run_job(simulator, "INSTANCE_REMOVE", instance_name=VM1)
    creation = create(simulator, VM1)
    of_new = run_job(simulator, "INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    new = machine(cluster)
    assert new.pk != old.pk and VirtualMachine.objects.get(pk=old.pk).is_missing
    assert numbers(holder_of(old)) == {of_old, removal}
    assert numbers(holder_of(new)) == {creation, of_new}


def test_jobs_of_a_machine_that_came_and_went_between_two_updates_are_nobodys(simulator, cluster):
    old = machine(cluster)
    removal = run_job(simulator, "INSTANCE_REMOVE", instance_name=VM1)
    between = {create(simulator, VM1), run_job(simulator, "INSTANCE_SHUTDOWN", instance_name=VM1)}
    run_job(simulator, "INSTANCE_REMOVE", instance_name=VM1)
    update(cluster)
    assert numbers(holder_of(old)) == {removal}
    create(simulator, VM1)
    update(cluster)
    assert not between & (numbers(holder_of(old)) | numbers(holder_of(machine(cluster))))


def test_a_job_that_was_listed_before_its_machine_is_tied_when_the_machine_appears(simulator, cluster):
    creation = create(simulator, "new.example.org")
    VirtualMachine.objects.filter(name="new.example.org").delete()
    follow_cluster(cluster)
    JobTarget.objects.filter(name="new.example.org").update(target_pk=None, uuid="")
    VirtualMachine.objects.filter(name="new.example.org").delete()
    update(cluster)
    new = machine(cluster, "new.example.org")
    assert tied_to(creation)["instance", "new.example.org"] == new.pk
    assert numbers(holder_of(new)) == {creation}


def test_a_namesake_made_after_an_unknown_machines_job_does_not_get_it(simulator, track):
    earlier = run_job(simulator, "INSTANCE_REMOVE", instance_name=VM1)
    create(simulator, VM1)
    cluster = track(simulator, "late")
    update(cluster)
    assert tied_to(earlier) == {("instance", VM1): None}
    assert earlier not in numbers(holder_of(machine(cluster)))
    admin, mover = make_user(), make_user()
    grant(["admin"], admin, cluster)
    grant(["migrate", "replace_disks"], mover, cluster)
    assert earlier in numbers(admin) and earlier not in numbers(mover)


def test_one_job_that_removes_and_makes_again_is_nobodys(simulator, cluster):
    """Both machines have the name in it."""
    old = machine(cluster)
    run_job(simulator, "INSTANCE_SHUTDOWN", instance_name=VM1)
    job = Job.objects.create(
        cluster=cluster,
        ganeti_id=900,
        status="running",
        opcodes=[
            {"OP_ID": "OP_INSTANCE_REMOVE", "instance_name": VM1},
            {"OP_ID": "OP_INSTANCE_CREATE", "instance_name": VM1},
        ],
        received_at=cluster.synced_at,
    )
    JobTarget.objects.create(job=job, cluster=cluster, kind="instance", name=VM1, target_pk=old.pk, uuid=old.uuid)
    simulator.outside.remove(VM1)
    simulator.outside.add(VM1)
    update(cluster)
    assert tied_to(900) == {("instance", VM1): None}


def test_a_renamed_machine_keeps_jobs_and_gets_those_listed_later(simulator, cluster):
    vm = machine(cluster)
    before = run_job(simulator, "INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    unlisted = run_job(simulator, "INSTANCE_QUERY_DATA", instances=[VM1])
    renaming = run_job(simulator, "INSTANCE_RENAME", instance_name=VM1, new_name="new.example.org", name_check=False)
    after = run_job(simulator, "INSTANCE_STARTUP", instance_name="new.example.org")
    update(cluster)
    vm.refresh_from_db()
    assert vm.name == "new.example.org"
    assert numbers(holder_of(vm)) == {before, unlisted, renaming, after}
    assert tied_to(renaming) == {("instance", VM1): vm.pk, ("instance", "new.example.org"): vm.pk}
    assert FormerName.objects.get().name == VM1


def test_a_job_under_way_while_its_machine_is_renamed_stays_with_it(simulator, cluster):
    vm = machine(cluster)
    simulator.outside.stop(VM1)
    renaming = simulator.outside.submit(
        "INSTANCE_RENAME", instance_name=VM1, new_name="new.example.org", name_check=False
    )
    update(cluster)
    assert set(tied_to(renaming.id).values()) == {vm.pk}
    simulator.run_jobs()
    follow_cluster(cluster)
    vm.refresh_from_db()
    assert (vm.name, vm.is_missing) == ("new.example.org", False)
    assert set(tied_to(renaming.id).values()) == {vm.pk}


def test_who_takes_a_name_that_another_gave_up_takes_no_job(simulator, cluster):
    first, second = machine(cluster), machine(cluster, VM2)
    of_first = run_job(simulator, "INSTANCE_SHUTDOWN", instance_name=VM1)
    update(cluster)
    simulator.outside.rename(VM1, "old.example.org")
    simulator.outside.rename(VM2, VM1)
    update(cluster)
    of_second = run_job(simulator, "INSTANCE_REBOOT", instance_name=VM1, reboot_type="hard")
    update(cluster)
    assert numbers(holder_of(first)) == {of_first}
    assert numbers(holder_of(second)) == {of_second}


@pytest.mark.long
def test_of_a_machine_that_is_renamed_all_the_time_the_newest_names_are_kept(simulator, cluster):
    names = [VM1, *(f"name{number}.example.org" for number in range(MOST_FORMER_NAMES + 3))]
    for old, new in pairwise(names):
        simulator.outside.rename(old, new)
        update(cluster)
    kept = list(FormerName.objects.order_by("pk").values_list("name", flat=True))
    assert kept == names[-MOST_FORMER_NAMES - 1 : -1]


def test_a_failed_creation_of_a_name_that_is_taken_is_not_its_holders(simulator, cluster):
    holder = holder_of(machine(cluster))
    refused = create(simulator, VM1)
    update(cluster)
    assert Job.objects.get(ganeti_id=refused).status == "error"
    assert numbers(holder) == set()


def test_a_renaming_to_a_name_that_is_taken_is_not_its_holders(simulator, cluster):
    simulator.outside.stop(VM1)
    refused = run_job(simulator, "INSTANCE_RENAME", instance_name=VM1, new_name=VM2, name_check=False)
    update(cluster)
    assert numbers(holder_of(machine(cluster, VM2))) == set()
    assert numbers(holder_of(machine(cluster))) == {refused}


def test_a_node_that_was_removed_and_added_again_is_another(simulator, cluster):
    simulator.outside.add_node("node9.example.org")
    update(cluster)
    old = Node.objects.get(name="node9.example.org")
    of_old = run_job(simulator, "NODE_SET_PARAMS", node_name="node9.example.org", drained=True)
    update(cluster)
    simulator.outside.remove_node("node9.example.org")
    simulator.outside.add_node("node9.example.org")
    of_new = run_job(simulator, "NODE_SET_PARAMS", node_name="node9.example.org", drained=True)
    update(cluster)
    new = Node.objects.get(name="node9.example.org", missing_since=None)
    assert new.pk != old.pk
    assert tied_to(of_old) == {("node", "node9.example.org"): old.pk}
    assert tied_to(of_new) == {("node", "node9.example.org"): new.pk}


def test_networks_and_groups_are_known_by_their_keys_too(simulator, cluster):
    with simulator.cluster.lock:
        simulator.cluster.networks["lan"] = SimulatedNetwork("lan", "192.0.2.0/24")
    update(cluster)
    group = next(iter(simulator.cluster.groups))
    jobs = [
        run_job(simulator, "NETWORK_SET_PARAMS", network_name="lan", gateway="192.0.2.1"),
        run_job(simulator, "GROUP_RENAME", group_name=group, new_name="other"),
    ]
    update(cluster)
    assert tied_to(jobs[0]) == {("network", "lan"): cluster.networks.get().pk}
    assert tied_to(jobs[1]) == {("group", group): cluster.groups.get().pk, ("group", "other"): cluster.groups.get().pk}


def test_two_clusters_with_nodes_of_the_same_name(make_simulator, track):
    first, second = make_simulator(nodes=2, instances=1), make_simulator(nodes=2, instances=1)
    one, two = track(first, "one"), track(second, "two")
    job = run_job(first, "NODE_SET_PARAMS", node_name="node2.example.org", drained=True)
    update(one)
    update(two)
    assert tied_to(job) == {("node", "node2.example.org"): Node.objects.get(cluster=one, name="node2.example.org").pk}


def rename_cluster(cluster, slug):
    cluster.refresh_from_db()
    wanted = ClusterSettings(**{**describe_cluster(cluster), "slug": slug})
    run(EditCluster(), Ask(Actor(User.objects.get(username="root"), Via.CLI), cluster, wanted))
    cluster.refresh_from_db()


def test_an_entry_is_settled_though_its_cluster_is_called_otherwise_by_then(simulator, cluster):
    entry = run(OPERATIONS["vm.shutdown-now"], Ask(Actor(make_admin(), Via.CLI), machine(cluster), NoParams()))
    assert entry.outcome == Outcome.SUBMITTED
    rename_cluster(cluster, "beta")
    assert select_to_follow().get().cluster == cluster
    simulator.run_jobs()
    follow_cluster(cluster)
    entry.refresh_from_db()
    assert (entry.outcome, entry.cluster_name) == (Outcome.SUCCEEDED, "alpha")
    assert not machine(cluster).is_busy


def test_a_lost_submission_is_found_though_its_cluster_is_called_otherwise_by_then(simulator, cluster):
    make_admin()
    entry = begin_entry(cluster, machine(cluster))
    rename_cluster(cluster, "beta")
    submit_with_reason(simulator, entry.reason)
    follow_cluster(cluster)
    entry.refresh_from_db()
    assert entry.job_ids == [Job.objects.get().ganeti_id]


@pytest.mark.parametrize("has_the_old_name", [False, True])
def test_a_job_of_another_cluster_binds_no_entry(simulator, cluster, make_simulator, track, has_the_old_name):
    """Whoever runs a cluster can give a job any reason; also where that cluster has the short name of the other now."""
    make_admin()
    entry = begin_entry(cluster, machine(cluster))
    hostile = make_simulator(nodes=1, instances=1)
    other = track(hostile, "hostile")
    update(other)
    if has_the_old_name:
        rename_cluster(cluster, "beta")
        rename_cluster(other, "alpha")
    submit_with_reason(hostile, entry.reason)
    update(other)
    entry.refresh_from_db()
    assert (entry.outcome, entry.job_ids) == (Outcome.UNKNOWN, [])
    assert Job.objects.get(cluster=other).entry is None


@pytest.mark.parametrize("verb", some_in_fast(["shutdown", "shutdown-now", "reboot"], 3))
@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_namesake_that_no_update_has_seen_is_not_hit(simulator, cluster, verb, is_replaced):
    simulator.outside.remove(VM1)
    if is_replaced:
        simulator.outside.add(VM1)
    operation = OPERATIONS[f"vm.{verb}"]
    entry = run(operation, Ask(Actor(make_admin(), Via.CLI), machine(cluster), operation.params_type()))
    said = "another machine in Ganeti by now" if is_replaced else "no longer lists"
    assert entry.outcome == Outcome.REFUSED and said in entry.message
    assert not simulator.queue.jobs and not machine(cluster).is_busy


@pytest.mark.parametrize("name", ["vm2.example.org", VM1])
@pytest.mark.parametrize(
    "outcome", some_in_fast([Outcome.UNKNOWN, Outcome.SUCCEEDED, Outcome.FAILED, Outcome.NOT_SUBMITTED], 2)
)
def test_a_copied_reason_binds_no_job_but_the_one_that_is_waited_for(simulator, cluster, name, outcome):
    """Whoever may read the jobs of a cluster can read our reasons, and give them to jobs of his own."""
    entry = begin_entry(cluster, machine(cluster))
    if outcome != Outcome.UNKNOWN:
        advance(entry, outcome)
    submit_with_reason(simulator, entry.reason, name)
    follow_cluster(cluster)
    is_waited_for = outcome in (Outcome.UNKNOWN, Outcome.NOT_SUBMITTED)
    is_bound = Job.objects.get().entry_id == entry.pk
    assert is_bound == (is_waited_for and name == VM1)
    entry.refresh_from_db()
    assert bool(entry.job_ids) == is_bound and (is_bound or entry.outcome == outcome)


def begin_entry(cluster, vm):
    """Of a submission whose answer was lost."""
    entry = begin(
        actor_id=None,
        actor_name="root",
        persona_name="root",
        via=Via.CLI,
        verb="vm.shutdown-now",
        target=Target("vm", vm.pk, vm.name, cluster.slug, cluster.pk, vm.uuid),
        params={},
    )
    advance(entry, Outcome.UNKNOWN)
    return entry


def submit_with_reason(simulator, reason, name=VM1):
    job = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=name)
    with simulator.cluster.lock:
        for opcode in job.ops:
            opcode["reason"] = [["gwm", reason, 1]]
    return job
