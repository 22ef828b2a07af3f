"""Doing something from a page: asking, doing, and saying what became of it, against a simulator over real HTTPS."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Job
from objectlog.models import Entry, Event
from operations.table import OPERATIONS
from permissions.models import User
from permissions.services import grant
from simulator import Simulator
from tests.factories import make_admin, make_cluster, make_job, make_user
from tests.operations.conftest import Watched
from updates.cycle import sync_cluster
from updates.follower import follow_cluster
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[User], Client]
VM = "/clusters/alpha/vms/vm1.example.org/"


def update(cluster: Cluster) -> None:
    """One update and one look at the jobs, from the row as it is now."""
    sync_cluster(Cluster.objects.get(pk=cluster.pk))
    follow_cluster(Cluster.objects.get(pk=cluster.pk))


@pytest.fixture
def alpha(simulator: Simulator) -> Cluster:
    """A cluster that answers, updated once."""
    row = make_cluster(
        "alpha",
        host=simulator.host,
        port=simulator.port,
        tls_fingerprint=simulator.fingerprint,
        username=simulator.username,
        password=simulator.password,
        uuid="",
        synced_at=None,
        live_at=None,
    )
    update(row)
    return Cluster.objects.get(pk=row.pk)


@pytest.fixture
def admin(alpha: Cluster, sign_in: SignIn) -> Client:
    """Signed in as an administrator."""
    return sign_in(make_admin())


def text_of(answer: Any) -> str:
    """The page."""
    return str(answer.content.decode())


@pytest.mark.feature("F142", "F144", "F145", "F231", "F232", "F234")
def test_shut_down_from_question_to_end(admin: Client, alpha: Cluster, simulator: Simulator) -> None:
    question = text_of(admin.get(f"{VM}do/shutdown/"))
    assert "Shut down vm1.example.org?" in question
    assert 'name="timeout_s" value="120"' in question
    answer = admin.post(f"{VM}do/shutdown/", {"timeout_s": "30"}, follow=True)
    assert answer.redirect_chain == [(VM, 302)]
    page = text_of(answer)
    number = Job.objects.get().ganeti_id
    assert f"job {number} is in progress" in page
    assert "shutting down" in page
    assert "A shutdown is already in progress. Wait until it has ended." in page
    assert f"/clusters/alpha/jobs/{number}/" in page
    simulator.run_jobs()
    update(alpha)
    assert "stopped" in text_of(admin.get(VM))
    job = text_of(admin.get(f"/clusters/alpha/jobs/{number}/"))
    assert "succeeded" in job
    assert "INSTANCE_SHUTDOWN" in job
    assert "running" not in job.partition('id="work"')[2].partition("</main>")[0]
    assert "Shut down vm1.example.org" in text_of(admin.get(f"{VM}journal/"))


def test_what_has_ended_by_the_time_it_is_told_is_told_as_ended(
    admin: Client, alpha: Cluster, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPERATIONS, "vm.shutdown", Watched(simulator))
    page = text_of(admin.post(f"{VM}do/shutdown/", {"timeout_s": "30"}, follow=True))
    said = re.findall(r"<p>(.*?)</p>", page.partition('id="toasts"')[2].partition("</div>")[0])
    assert said == ["Shut down vm1.example.org"]


@pytest.mark.alike
@pytest.mark.feature("F142", "F143")
@pytest.mark.parametrize("elsewhere", ["https://evil.example.org/", "//evil.example.org/", "javascript:alert(1)"])
def test_a_button_leads_back_to_our_own_pages_only(admin: Client, elsewhere: str) -> None:
    answers = [admin.post("/clusters/alpha/do/refresh/", {"next": page}) for page in ("/vms/?q=web", elsewhere)]
    assert [answer.headers["Location"] for answer in answers] == ["/vms/?q=web", "/clusters/alpha/"]


def test_every_power_operation(admin: Client, alpha: Cluster, simulator: Simulator) -> None:
    for verb, given in (
        ("reboot", {"type": "soft", "timeout_s": "10"}),
        ("shutdown-now", {}),
        ("start", {}),
    ):
        assert admin.get(f"{VM}do/{verb}/").status_code == 200
        assert admin.post(f"{VM}do/{verb}/", given).status_code == 302, verb
        simulator.run_jobs()
        update(alpha)
    assert VirtualMachine.objects.get(name="vm1.example.org").status == "running"
    assert [entry.verb for entry in Entry.objects.filter(target_kind="vm").order_by("pk")] == [
        "vm.reboot",
        "vm.shutdown-now",
        "vm.start",
    ]


@pytest.mark.alike
def test_what_cannot_be_done_says_why_and_sends_nothing(admin: Client, simulator: Simulator) -> None:
    before = simulator.count("PUT")
    question = text_of(admin.get(f"{VM}do/start/"))
    assert "It is running already." in question
    assert 'type="submit" disabled' in question
    answer = admin.post(f"{VM}do/start/")
    assert answer.status_code == 409
    assert "It is running already." in text_of(answer)
    assert admin.post(f"{VM}do/nothing/").status_code == 404
    assert simulator.count("PUT") == before


@pytest.mark.alike
def test_wrong_parameters_are_kept_and_explained(admin: Client) -> None:
    answer = admin.post(f"{VM}do/shutdown/", {"timeout_s": "soon"})
    assert answer.status_code == 422
    assert "a number of whole seconds" in text_of(answer)
    assert 'value="soon"' in text_of(answer)
    assert Entry.objects.count() == 0


def test_rights_are_asked_before_anything_is_shown(alpha: Cluster, sign_in: SignIn) -> None:
    vm = VirtualMachine.objects.get(name="vm1.example.org")
    tagger, stranger = make_user("tagger"), make_user("stranger")
    grant(["tags"], tagger, vm)
    client = sign_in(tagger)
    assert "You may not start or stop this machine (needs power)." in text_of(client.get(VM))
    for answer in (client.get(f"{VM}do/shutdown/"), client.post(f"{VM}do/shutdown/")):
        assert answer.status_code == 403
        assert "You may not start or stop this machine (needs power)." in text_of(answer)
    answer = client.get(f"{VM}console/")
    assert answer.status_code == 403 and "You may not open the console of this machine (needs console)." in text_of(
        answer
    )
    client = sign_in(stranger)
    assert client.get(f"{VM}do/shutdown/").status_code == client.post(f"{VM}do/shutdown/").status_code == 404
    assert Entry.objects.count() == 0


@pytest.mark.feature("G004")
def test_no_answer_is_told_as_such(admin: Client, alpha: Cluster, simulator: Simulator) -> None:
    simulator.faults.add("drop_after", method="PUT", path="/2/instances/.*", times=1)
    answer = admin.post(f"{VM}do/shutdown/", {"timeout_s": "1"}, follow=True)
    assert answer.redirect_chain == [(VM, 302)]
    assert "nothing is sent twice" in text_of(answer)
    assert "shutting down" in text_of(answer)
    assert admin.post(f"{VM}do/shutdown/").status_code == 409
    update(alpha)
    assert Entry.objects.get().outcome == "submitted"
    assert len(simulator.queue.jobs) == 1


@pytest.mark.alike
@pytest.mark.feature("F235")
def test_refusal_in_the_words_of_the_cluster(admin: Client, simulator: Simulator) -> None:
    simulator.faults.refuse(
        500, "The job queue is <b>drained</b>, & says so", method="PUT", path="/2/instances/.*", times=1
    )
    answer = admin.post(f"{VM}do/shutdown/", {"timeout_s": "77"})
    assert answer.status_code == 409
    assert "The cluster says: The job queue is &lt;b&gt;drained&lt;/b&gt;, &amp; says so" in text_of(answer)
    assert 'name="timeout_s" value="77"' in text_of(answer)
    assert "running" in text_of(admin.get(VM))


def test_what_is_said_of_the_connection_is_nobody_elses_word(admin: Client, alpha: Cluster) -> None:
    Cluster.objects.update(port=1)
    said = text_of(admin.post(f"{VM}do/shutdown/", {"timeout_s": "77"}))
    assert "It was not done." in said and "Nothing listens there" in said and "The cluster says" not in said
    assert admin.post(f"{VM}do/shutdown/", {"timeout_s": "77", "check": "1"}).status_code == 409
    check = text_of(admin.get(f"{VM}do/shutdown/?check={Entry.objects.latest('pk').uuid}"))
    assert "The check has no answer." in check and "Ganeti would not do it" not in check
    assert "Check without an answer" in Event.objects.latest("pk").said


@pytest.mark.feature("F242", "F241")
def test_cancel_a_job(admin: Client, alpha: Cluster, simulator: Simulator) -> None:
    admin.post(f"{VM}do/shutdown/", {"timeout_s": "1"})
    number = Job.objects.get().ganeti_id
    url = f"/clusters/alpha/jobs/{number}/"
    assert "Cancel job" in text_of(admin.get(url))
    assert "Keep running" in text_of(admin.get(f"{url}do/cancel/"))
    assert admin.post(f"{url}do/cancel/", follow=True).redirect_chain == [(url, 302)]
    update(alpha)
    assert "cancelled" in text_of(admin.get(url)) or "cancelled" in text_of(admin.get(f"{VM}jobs/"))
    assert admin.post(f"{url}do/cancel/").status_code == 409


@pytest.mark.feature("F238")
def test_status_of_a_job_for_scripts(admin: Client, alpha: Cluster, simulator: Simulator) -> None:
    admin.post(f"{VM}do/reboot/", {"type": "hard"})
    number = Job.objects.get().ganeti_id
    simulator.run_jobs()
    update(alpha)
    status = admin.get(f"/clusters/alpha/jobs/{number}/status.json").json()
    assert status["id"] == number
    assert status["status"] == "success"
    assert status["is_final"] is True
    last = max((line[0] for line in status["log"]), default=0)
    assert admin.get(f"/clusters/alpha/jobs/{number}/status.json?since={last}").json()["log"] == []


@pytest.mark.feature("F060")
def test_refresh_asks_for_an_update(admin: Client, alpha: Cluster) -> None:
    assert admin.get("/clusters/alpha/do/refresh/").status_code == 200
    answer = admin.post("/clusters/alpha/do/refresh/")
    assert answer["Location"] == "/clusters/alpha/"
    assert Cluster.objects.get().schedule.sync_wanted_at is not None


@pytest.mark.feature("F052")
def test_remove_a_cluster_by_its_name(admin: Client, alpha: Cluster) -> None:
    url = "/clusters/alpha/do/remove/"
    assert "Type alpha to confirm." in text_of(admin.get(url))
    for typed in ("", "beta"):
        assert admin.post(url, {"typed_name": typed}).status_code == 422
    assert Cluster.objects.exists()
    assert admin.post(url, {"typed_name": "alpha"})["Location"] == "/clusters/"
    assert not Cluster.objects.exists()
    assert "Removed cluster alpha" in text_of(admin.get("/journal/"))


@pytest.mark.feature("F206", "F208")
def test_ticket_of_a_console(admin: Client, alpha: Cluster) -> None:
    vm = VirtualMachine.objects.get(name="vm1.example.org")
    url = f"{VM}console/ticket/"
    assert admin.get(url).status_code == 405
    assert vm.primary_node is not None
    vm.primary_node.primary_ip = "192.0.2.7"
    vm.primary_node.save()
    vm.raw["hvparams"] = {"vnc_bind_address": "127.0.0.1"}
    vm.save()
    refused = admin.post(url)
    assert refused.status_code == 409
    assert "reachable from its node alone" in refused.json()["error"]
    assert "Set vnc_bind_address to 0.0.0.0" in refused.json()["remedy"]
    vm.raw["hvparams"] = {"vnc_bind_address": "0.0.0.0"}
    vm.save()
    given = admin.post(url)
    assert given.status_code == 200
    assert set(given.json()) == {"url", "ticket", "password"}
    assert vm.primary_node.primary_ip not in given.content.decode()
    assert "no-store" in given["Cache-Control"]


@pytest.mark.feature("F235", "F236")
def test_failure_is_shown_with_its_reason_until_it_is_cleared(
    admin: Client, alpha: Cluster, simulator: Simulator
) -> None:
    job = make_job(
        alpha, ("instance", "vm1.example.org"), status="error", error="No <node> answers", ended_at=timezone.now()
    )
    for url in (VM, "/"):
        assert "No &lt;node&gt; answers" in text_of(admin.get(url)), url
    clear = f"/clusters/alpha/jobs/{job.ganeti_id}/do/clear/"
    assert clear in text_of(admin.get(VM))
    assert admin.post(clear, {"next": "https://elsewhere.example.org/"})["Location"].startswith("/clusters/alpha/jobs/")
    assert admin.post(clear).status_code == 409
    for url in (VM, "/"):
        assert "No &lt;node&gt; answers" not in text_of(admin.get(url)), url
    again = make_job(alpha, ("instance", "vm1.example.org"), status="error", error="No", ended_at=timezone.now())
    clear = f"/clusters/alpha/jobs/{again.ganeti_id}/do/clear/"
    assert admin.post(clear, {"next": VM})["Location"] == VM


def test_who_may_not_cancel_gets_no_button(alpha: Cluster, sign_in: SignIn) -> None:
    job = make_job(alpha, ("instance", "vm1.example.org"))
    tagger = make_user("tagger")
    grant(["tags"], tagger, VirtualMachine.objects.get(name="vm1.example.org"))
    client = sign_in(tagger)
    cancel = f"/clusters/alpha/jobs/{job.ganeti_id}/do/cancel/"
    assert cancel not in text_of(client.get(VM))
    assert client.get(cancel).status_code == 403


def test_a_shutdown_that_runs_says_until_when_and_can_be_forced(
    admin: Client, alpha: Cluster, simulator: Simulator
) -> None:
    admin.post(f"{VM}do/shutdown/", {"timeout_s": "120"})
    assert "at the latest" not in text_of(admin.get(VM)), "it waits in the queue, for nobody knows how long"
    while simulator.queue.jobs[Job.objects.get().ganeti_id].status != "running":
        simulator.advance()
    update(alpha)
    until = timezone.localtime(VirtualMachine.objects.get(name="vm1.example.org").busy_until)
    shown = text_of(admin.get(VM))
    assert "shutting down" in shown and f"{until:%H:%M:%S}" in shown and "at the latest" in shown
    assert '/do/shutdown-now/" hx-get' in shown, "Force off can be used"
    question = text_of(admin.get(f"{VM}do/shutdown-now/"))
    assert "Ganeti does not interrupt a shutdown that is running" in question
    assert admin.post(f"{VM}do/shutdown-now/", follow=True).redirect_chain == [(VM, 302)]
    assert "forcing off" in text_of(admin.get(VM))
    simulator.run_jobs()
    update(alpha)
    assert {entry.outcome for entry in Entry.objects.all()} == {"succeeded"}
    assert "at the latest" not in text_of(admin.get(VM))


@pytest.mark.alike
def test_ways_of_rebooting_in_the_words_of_the_hypervisor(admin: Client, alpha: Cluster) -> None:
    question = text_of(admin.get(f"{VM}do/reboot/"))
    assert "Shutdown timeout, in seconds" in question
    assert question.index('value="hard"') < question.index('value="full"') < question.index('value="soft"')
    assert re.findall(r'<input type="radio"[^>]*value="(\w+)"[^>]* checked', question) == ["hard"]
    assert "Reset at once, like the reset button" in question
    VirtualMachine.objects.update(hypervisor="xen-hvm")
    assert "Ask the guest to reboot itself" in text_of(admin.get(f"{VM}do/reboot/"))
    VirtualMachine.objects.update(hypervisor="chroot")
    assert 'value="soft"' not in text_of(admin.get(f"{VM}do/reboot/"))
    assert admin.post(f"{VM}do/reboot/", {"type": "soft", "timeout_s": "1"}).status_code == 422


def test_a_job_that_cannot_be_cancelled_is_refused_in_ganetis_words(
    admin: Client, alpha: Cluster, simulator: Simulator
) -> None:
    admin.post(f"{VM}do/shutdown/", {"timeout_s": "1"})
    number = Job.objects.get().ganeti_id
    while simulator.queue.jobs[number].status != "running":
        simulator.advance()
    update(alpha)
    answer = admin.post(f"/clusters/alpha/jobs/{number}/do/cancel/")
    assert answer.status_code == 409
    assert "The cluster says: Job no longer waiting" in text_of(answer)
    assert Entry.objects.get(verb="job.cancel").outcome == "refused"


def test_a_reserved_machine_is_shown_as_such(admin: Client, alpha: Cluster) -> None:
    VirtualMachine.objects.update(status="ADMIN_down", admin_state="down")
    VirtualMachine.objects.filter(name="vm1.example.org").update(status="forthcoming")
    page = text_of(admin.get(VM))
    assert "reserved" in page and "only reserved in Ganeti" in page
    assert "/do/start/" not in page and "/do/start/" in text_of(admin.get("/clusters/alpha/vms/vm2.example.org/"))
    assert "reserved" in text_of(admin.get("/clusters/alpha/vms/"))
    assert admin.post(f"{VM}do/start/").status_code == 409


def test_an_address_that_died_is_told_and_can_be_replaced(admin: Client, alpha: Cluster, sign_in: SignIn) -> None:
    Cluster.objects.update(host="192.0.2.9", answers_at="127.0.0.1", answers_at_since=timezone.now())
    page = text_of(admin.get("/clusters/alpha/"))
    assert "192.0.2.9" in page and "does not answer since" in page and "127.0.0.1" in page
    assert "/clusters/alpha/do/use-address/" in page
    assert "address moved" in page and "address moved" in text_of(admin.get("/clusters/"))
    viewer = make_user("viewer")
    grant(["create_vm"], viewer, alpha)
    assert "use-address" not in text_of(sign_in(viewer).get("/clusters/alpha/"))
    assert admin.get("/clusters/alpha/do/use-address/").status_code == 200
    assert Cluster.objects.get().host == "192.0.2.9", "asking changes nothing"
    assert admin.post("/clusters/alpha/do/use-address/")["Location"] == "/clusters/alpha/"
    assert (Cluster.objects.get().host, Cluster.objects.get().answers_at) == ("127.0.0.1", "")
    assert Entry.objects.get(verb="cluster.use-address").outcome == "done"
