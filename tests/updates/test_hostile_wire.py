"""A cluster whose answers are absurd, endless or slow: the others are updated, and it heals when it behaves again."""

import pytest
from django.urls import reverse

from objectlog.models import Outcome, Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from tests.factories import make_user
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.updates.conftest import update
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown, ShutdownParams

pytestmark = pytest.mark.feature("G046")

OK = b"HTTP/1.1 200 OK\r\n"


def whole(body, status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


NEVER_S = 600
FAULTS = {
    "slow head": ("timed out", {"kind": "dribble", "seconds": 0.05, "raw": OK + b"X: y\r\n" * 50}),
    "slow 100 Continue": ("timed out", {"kind": "dribble", "seconds": 0.02, "raw": b"HTTP/1.1 100 Continue\r\n\r\n"}),
    "cut": ("unreachable", {"kind": "raw", "raw": OK + b"Content-Length: 99\r\n\r\n{"}),
    "endless headers": ("garbled", {"kind": "raw", "raw": OK + b"X: y\r\n" * 100_000}),
    "many empties": ("garbled", {"kind": "raw", "raw": whole(b"[" + b"[]," * 4_000_000 + b"0]")}),
    "deep": ("garbled", {"kind": "raw", "raw": whole(b"[" * 100_000)}),
    "not UTF-8": ("garbled", {"kind": "raw", "raw": whole(b"\xff\xfe")}),
    "NaN": ("garbled", {"kind": "raw", "raw": whole(b"NaN")}),
    "tuple refusal": (
        "refused",
        {"kind": "raw", "raw": whole(b'{"message": "' + b"(1,1,1," * 500_000 + b'"}', b"500 Oops")},
    ),
    "a proxy": ("unreachable", {"kind": "raw", "raw": whole(b"<html>Bad Gateway</html>", b"502 Bad Gateway")}),
    "escape": ("refused", {"kind": "raw", "raw": whole(b'{"message": "no\\u0000\\u001b[2J\\ud800"}', b"500 Oops")}),
}


@pytest.fixture(autouse=True)
def time_outs(settings):
    settings.GWM_RAPI_READ_TIMEOUT_S = NEVER_S
    settings.GWM_RAPI_CONNECT_TIMEOUT_S = 30


def time_out_for(kind):
    """Soon where that is how it is to end; else never, however busy the machine is."""
    return 0.8 if kind == "timed out" else NEVER_S


FEW = ("tuple refusal", "slow head", "cut", "deep")


@pytest.mark.parametrize(
    "name",
    [
        *some_in_fast(few_on_both(FEW, "tuple refusal"), 2),
        *(pytest.param(name, marks=[pytest.mark.long, pytest.mark.alike]) for name in FAULTS if name not in FEW),
    ],
)
def test_others_go_on_and_it_heals(make_simulator, track, client, settings, name):
    kind, fault = FAULTS[name]
    bad, good = make_simulator(nodes=2, instances=3), make_simulator(nodes=2, instances=3)
    hostile, other = track(bad, "hostile", uuid=""), track(good, "other", uuid="")
    assert update(hostile).outcome == update(other).outcome == "updated"
    settings.GWM_RAPI_READ_TIMEOUT_S = time_out_for(kind)
    bad.faults.add(**fault)
    stopped = next(iter(good.cluster.instances))
    good.outside.stop(stopped)
    report = update(hostile)
    assert (report.outcome, report.error_kind) == ("failed", kind), report.error
    assert report.error == report.error.replace("\0", "").replace("\x1b", "")
    settings.GWM_RAPI_READ_TIMEOUT_S = NEVER_S
    assert update(other).outcome == "updated"
    assert VirtualMachine.objects.get(cluster=other, name=stopped).status != "running"
    client.force_login(make_user("root", is_superuser=True))
    for url in (reverse("overview"), reverse("clusters"), reverse("vms"), reverse("cluster", args=["hostile"])):
        assert client.get(url).status_code == 200, url

    bad.faults.clear()
    assert update(hostile).outcome == "updated"
    assert (hostile.schedule.failures, hostile.last_error) == (0, "")


@pytest.mark.parametrize("name", some_in_fast(few_on_both(FAULTS, "escape"), 3))
def test_an_operation_that_is_answered_so_never_stays_submitting(simulator, cluster, settings, name):
    kind, fault = FAULTS[name]
    settings.GWM_RAPI_READ_TIMEOUT_S = time_out_for(kind)
    simulator.faults.add(**fault, method="PUT", path=r"/2/instances/.*")
    vm = VirtualMachine.objects.get(name="vm1.example.org")
    actor = Actor(make_user("root", is_superuser=True), Via.WEB)
    entry = run(Shutdown(), Ask(actor, vm, ShutdownParams(timeout_s=30)))
    entry.refresh_from_db()
    assert entry.outcome == (Outcome.REFUSED if kind == "refused" else Outcome.UNKNOWN), entry.message
    assert "\0" not in entry.message and "\x1b" not in entry.message
    assert len(entry.message.encode()) < 10_000
