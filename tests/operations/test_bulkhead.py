"""A cluster that hangs holds two requests of a web process, and no more; whoever comes then is told at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.db import connection

from clusters.bulkhead import CALLS, Bulkhead, Full, limit_web_process
from clusters.operations.cluster import RefreshCluster
from clusters.operations.probe import fetch_certificate, probe_cluster
from clusters.operations.wanted import ClusterSettings
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask, NoParams, Refusal
from operations.pipeline import run
from tests.factories import make_admin, make_vm
from tests.operations.conftest import Scene
from tests.processes.commands import wait_for
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown, ShutdownParams

pytestmark = pytest.mark.feature("G047")


@pytest.fixture
def as_on_web() -> Iterator[None]:
    """The bounds of a web process with ten threads."""
    limit_web_process(10)
    yield
    CALLS.limit(each=None, in_all=None)


def test_two_a_cluster_and_so_many_in_all() -> None:
    places = Bulkhead()
    places.limit(each=2, in_all=3)
    with places.place("one", 5080), places.place("ONE", 5080):
        with pytest.raises(Full, match="The cluster is slow to answer; 2 requests wait for it"):
            places.place("one", 5080).__enter__()
        with places.place("two", 5080), pytest.raises(Full, match="3 requests wait for them"):
            places.place("three", 5080).__enter__()
        with places.place("one", 5081):
            pass


def test_a_web_process_lends_half_of_its_threads_to_clusters(as_on_web: None) -> None:
    with ExitStack() as held:
        for number in range(5):
            held.enter_context(CALLS.place(f"host{number}", 5080))
        with pytest.raises(Full, match="5 requests wait for them"):
            held.enter_context(CALLS.place("another", 5080))


def test_one_is_told_as_one() -> None:
    places = Bulkhead()
    places.limit(each=1, in_all=None)
    with places.place("one", 5080), pytest.raises(Full, match="1 request waits for it"), places.place("one", 5080):
        pass


def test_without_bounds_as_many_as_come() -> None:
    places = Bulkhead()
    with places.place("one", 1), places.place("one", 1), places.place("one", 1):
        pass


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_place_is_given_back_however_the_call_ends(error: type[BaseException]) -> None:
    places = Bulkhead()
    places.limit(each=1, in_all=1)
    for _ in range(3):
        with pytest.raises(error), places.place("one", 1):
            raise error
    with places.place("one", 1):
        pass


def test_never_more_than_allowed_with_many_threads() -> None:
    places = Bulkhead()
    places.limit(each=2, in_all=5)
    lock, counts, most = threading.Lock(), dict.fromkeys("abcd", 0), []

    def call(name: str) -> None:
        for _ in range(300):
            try:
                with places.place(name, 1):
                    with lock:
                        counts[name] += 1
                        most.append((max(counts.values()), sum(counts.values())))
                    with lock:
                        counts[name] -= 1
            except Full:
                continue

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(call, "abcd" * 3))
    assert max(each for each, _ in most) <= 2
    assert max(in_all for _, in_all in most) <= 5


@pytest.mark.django_db(transaction=True)
def test_thirteen_operations_at_once_on_a_cluster_that_hangs(scene: Scene, as_on_web: None) -> None:
    root = make_admin()
    actor = Actor(root, Via.WEB)
    names = [f"vm{number}.example.org" for number in range(10, 23)]
    machines = [make_vm(scene.cluster, name, uuid=scene.simulator.outside.add(name).uuid) for name in names]
    scene.simulator.faults.add("hang", method="PUT", path="/2/instances/.*")

    def shut_down(vm: VirtualMachine) -> str:
        try:
            return str(run(Shutdown(), Ask(actor, vm, ShutdownParams())).outcome)
        except Refusal as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(13) as pool:
        calls = [pool.submit(shut_down, vm) for vm in machines]
        wait_for(lambda: sum(call.done() for call in calls) == 11, "eleven are told at once")
        wait_for(lambda: scene.submissions() == 2, "two are sent")
        assert Entry.objects.count() == 2 == VirtualMachine.objects.filter(busy_entry__isnull=False).count()
        scene.simulator.faults.clear()
        said = sorted(call.result() for call in calls)
    assert said.count(Outcome.UNKNOWN) == 2
    assert [words for words in said if "2 requests wait for it" in words] == said[:11]
    idle = next(vm for vm in machines if not Entry.objects.filter(target_pk=vm.pk).exists())
    assert run(Shutdown(), Ask(actor, idle, ShutdownParams())).outcome == Outcome.SUBMITTED, "the places are free again"


@pytest.mark.django_db
def test_probes_take_places_too(scene: Scene, as_on_web: None) -> None:
    root = Actor(make_admin(), Via.WEB)
    simulator = scene.simulator
    wanted = ClusterSettings("other", simulator.host, simulator.port, tls_fingerprint=simulator.fingerprint)
    with CALLS.place(simulator.host, simulator.port), CALLS.place(simulator.host, simulator.port):
        for probe in (fetch_certificate(root, simulator.host, simulator.port), probe_cluster(root, wanted)):
            assert "2 requests wait for it" in probe.error
            assert probe.certificate is None
        assert simulator.requests == []
    assert fetch_certificate(root, simulator.host, simulator.port).error == ""


@pytest.mark.django_db
def test_what_needs_no_cluster_needs_no_place(scene: Scene, as_on_web: None) -> None:
    root = Actor(make_admin(), Via.WEB)
    with CALLS.place(scene.cluster.host, scene.cluster.port), CALLS.place(scene.cluster.host, scene.cluster.port):
        assert run(RefreshCluster(), Ask(root, scene.cluster, NoParams())).outcome == Outcome.DONE
