"""What the product writes into the journal: the pipeline, rights, clusters, signing in."""

import json
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from clusters.bulkhead import CALLS, limit_web_process
from clusters.models import Cluster
from clusters.operations.cluster import ClusterSettings, EditCluster, RemoveCluster, add_cluster
from clusters.operations.settle import settle_entry
from objectlog.chain import seal_all
from objectlog.models import Event, Outcome, Via
from objectlog.verification import Verification
from operations.contract import Actor, Ask, Forbidden, NoParams, Refusal
from operations.pipeline import run
from operations.planning import plan
from operations.table import OPERATIONS
from permissions.services import grant
from rapi.trust import normalize_fingerprint
from simulator import Simulator
from tests.factories import make_admin, make_cluster, make_user, make_vm
from tests.operations.conftest import Scene
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown, ShutdownParams

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G018")]
Said = Callable[[], list[str]]


@pytest.fixture
def scene(transactional_db: None, simulator: Simulator) -> Scene:
    """A simulated cluster with a machine that alice may power."""
    cluster = make_cluster(
        "lab",
        host=simulator.host,
        port=simulator.port,
        username=simulator.username,
        password=simulator.password,
        tls_fingerprint=normalize_fingerprint(simulator.fingerprint),
        uuid="",
    )
    vm = make_vm(cluster, "vm1.example.org", uuid=simulator.cluster.instances["vm1.example.org"].uuid)
    user = make_user("alice")
    grant(["power"], user, vm)
    return Scene(simulator, cluster, vm, Actor(user, Via.WEB))


def test_a_shutdown_step_by_step(scene: Scene, events: Said) -> None:
    entry = run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    entry.jobs.update(status="success")
    assert settle_entry(entry)
    assert events() == [
        "Shutdown of vm1.example.org begun",
        "Shutdown of vm1.example.org accepted by Ganeti",
        "Shut down vm1.example.org",
    ]


def test_what_ganeti_refuses_was_refused(scene: Scene, events: Said) -> None:
    scene.simulator.faults.refuse(400, "Not today", method="PUT")
    assert run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams())).outcome == Outcome.REFUSED
    assert events()[1:] == ["Shutdown of vm1.example.org refused\nNot today"]


def test_what_the_policy_turns_away_is_an_event_without_an_entry(scene: Scene, events: Said) -> None:
    stranger = make_user("stranger")
    grant(["tags"], stranger, scene.vm)
    with pytest.raises(Forbidden):
        run(Shutdown(), Ask(Actor(stranger, Via.API), scene.vm, ShutdownParams()))
    event = Event.objects.get()
    assert (event.actor, event.entry_uuid, event.outcome, event.target_pk) == (stranger, None, "denied", scene.vm.pk)
    assert event.said.startswith("Shutdown of vm1.example.org not allowed\nYou may not start")
    assert event.cluster_pk == scene.cluster.pk


@pytest.fixture
def full(scene: Scene) -> Iterator[None]:
    """All places of a web process for this cluster are taken."""
    limit_web_process(10)
    with CALLS.place(scene.cluster.host, scene.cluster.port), CALLS.place(scene.cluster.host, scene.cluster.port):
        yield
    CALLS.limit(each=None, in_all=None)


def test_what_the_bulkhead_turns_away_is_one_too(scene: Scene, full: None, events: Said) -> None:
    with pytest.raises(Refusal):
        run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    [said] = events()
    assert said.startswith("Shutdown of vm1.example.org turned away")
    assert Event.objects.get().entry_uuid is None


def test_what_is_busy_is_no_event(scene: Scene, events: Said) -> None:
    """Buttons say it beforehand, and nothing happened."""
    run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    before = events()
    with pytest.raises(Refusal):
        run(Shutdown(), Ask(scene.alice, scene.vm, ShutdownParams()))
    assert events() == before


CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


@pytest.mark.feature("G053")
def test_editing_a_cluster_tells_before_and_after(events: Said) -> None:
    actor = Actor(make_admin(), Via.WEB)
    made = ClusterSettings("lab", "192.0.2.1", username="gwm", password="first-secret", tls_fingerprint="ab" * 32)
    cluster = add_cluster(actor, made)
    after = ClusterSettings(
        "lab", "192.0.2.1", username="gwm", password="second-secret", vnc_password="", tls_trust="ca", tls_ca_pem=CA
    )
    run(EditCluster(), Ask(actor, cluster, after))
    run(RemoveCluster(), Ask(actor, Cluster.objects.get(), NoParams()))
    assert events() == [
        "Added cluster lab",
        "Edited cluster lab: trust pin → CA, fingerprint changed, CA certificate changed, password changed, 1 more",
        "Removed cluster lab",
    ]
    added, edited, removed = (json.loads(event.text)["changes"] for event in Event.objects.order_by("pk"))
    assert {"field": "port", "label": "port", "before": None, "after": 5080} in added
    assert {"field": "host", "label": "address", "before": "192.0.2.1", "after": None} in removed
    assert [change["field"] for change in edited][2:] == ["tls_ca_pem", "password", "vnc_password"]
    assert "secret" not in "".join(Event.objects.values_list("text", flat=True)).replace("is_secret", "")
    seal_all()
    assert list(Verification().problems()) == []


def test_an_edit_that_is_undone_leaves_no_event(events: Said) -> None:
    """What fails in the transaction of the edit takes the event with it."""
    actor = Actor(make_admin(), Via.WEB)
    cluster = make_cluster("lab", username="", password="")
    wanted = ClusterSettings("lab", cluster.host, cluster.port, tls_fingerprint=cluster.tls_fingerprint)
    with pytest.raises(ValueError, match="A SHA-256"):
        run(EditCluster(), Ask(actor, cluster, ClusterSettings("lab", cluster.host, 1, tls_fingerprint="nonsense")))
    assert events() == []
    run(EditCluster(), Ask(actor, cluster, wanted))
    assert len(events()) == 1


@pytest.mark.feature("F255")
def test_rights_given_taken_and_refused(events: Said) -> None:
    make_admin()
    make_user("alice")
    stranger, cluster = make_user("stranger"), make_cluster("lab")
    grant(["create_vm"], stranger, cluster)
    call_command("grant", "alice", "admin", "create_vm", "--on", "lab", "--as", "root")
    call_command("grant", "alice", "create_vm", "--on", "lab", "--as", "root", "--revoke")
    with pytest.raises(CommandError):
        call_command("grant", "alice", "admin", "--on", "lab", "--as", "stranger")
    *done, refused = events()
    given, taken = done
    assert given == "Gave admin, create_vm on lab to alice"
    assert taken == "Revoked create_vm on lab from alice: rights admin, create_vm → admin"
    assert refused.startswith("Grant of admin on lab to alice not allowed\n")


@pytest.mark.parametrize(
    ("name", "password", "said", "kind"),
    [
        ("alice", "long enough 1", "Signed in from 127.0.0.1", "person"),
        ("alice", "wrong", "Sign-in as alice from 127.0.0.1 failed", "person"),
        ("my-password-typed-here", "wrong", "Sign-in as an unknown name from 127.0.0.1 failed", ""),
    ],
)
def test_signing_in(name: str, password: str, said: str, kind: str, events: Said) -> None:
    cache.clear()
    alice = make_user("alice")
    alice.set_password("long enough 1")
    alice.save()
    Client().post("/login/", {"login": name, "password": password})
    assert events() == [said]
    event = Event.objects.get()
    assert event.target_kind == kind
    assert event.actor == (alice if password != "wrong" else None)
    assert "my-password-typed-here" not in event.text


@pytest.mark.feature("F255", "F257")
def test_what_is_posted_to_a_page_by_who_may_not_is_an_event_and_a_look_at_its_form_is_none(
    scene: Scene, client: Client, events: Said
) -> None:
    """The page asked the policy before the pipeline did, and nobody was told who had tried."""
    stranger = make_user("stranger")
    grant(["tags"], stranger, scene.vm)
    client.force_login(stranger)
    page = reverse("vm-do", args=["lab", scene.vm.name, "grant"])
    edit = reverse("vm-modify", args=["lab", scene.vm.name])
    makings = [reverse(name) for name in ("team-create", "role-create", "person-add", "cluster-add")]
    for url in (page, edit, *makings):
        assert client.get(url).status_code == 403
    assert events() == []
    assert client.post(page, {"who": "stranger", "verbs": ["admin"]}).status_code == 403
    assert client.post(page, {"who": "nobody", "verbs": ["admin"]}).status_code == 403
    for url in (edit, *makings):
        assert client.post(url, {"name": "mine"}).status_code == 403
    assert [said.partition("\n")[0] for said in events()] == [
        "Grant of admin on vm1.example.org to stranger not allowed",
        "Grant of — on vm1.example.org to — not allowed",
        "Change of vm1.example.org not allowed",
        "Creation of team — not allowed",
        "Creation of role — not allowed",
        "Adding account — not allowed",
        "Adding cluster an unknown name not allowed",
    ]
    assert {(event.actor, event.outcome) for event in Event.objects.all()} == {(stranger, "denied")}


@pytest.mark.feature("F255", "F257")
def test_who_may_create_nowhere_and_tries_is_told_of_and_who_only_has_the_form_drawn_is_not(
    scene: Scene, client: Client, events: Said
) -> None:
    stranger = make_user("stranger")
    client.force_login(stranger)
    url, typed = reverse("vms-create"), {"name": "web9.example.org", "cluster": "lab"}
    assert client.get(url).status_code == 403
    for button in ({"more": "disks"}, {"less": "disks.0"}, {"renew": "os"}, {"show": "1"}):
        assert client.post(url, {**typed, **button}).status_code == 403
    assert client.post(reverse("vms-create-live"), typed).status_code == 403
    assert events() == []
    for button in ({}, {"more": "nonsense"}, {"check": "1"}, {"export": "lab/web8"}):
        assert client.post(url, {**typed, **button}).status_code == 403
    creation, words = "Creation of web9.example.org", "You may not create machines on any cluster (needs create_vm)."
    assert [said.partition(" Ask")[0] for said in events()] == [
        *[f"{creation} not allowed\n{words}"] * 2,
        *[f"Check not allowed: {creation}\n{words}"] * 2,
    ]
    assert {(event.actor, event.target_kind, event.target_pk) for event in Event.objects.all()} == {
        (stranger, "vm", None)
    }


@pytest.mark.feature("F255", "F257")
def test_a_machine_asked_for_on_a_cluster_on_which_one_may_not_create_is_an_event_where_one_sees_it(
    scene: Scene, client: Client, events: Said
) -> None:
    """Of one that is not seen the journal says as little as the page."""
    stranger = make_user("stranger")
    grant(["create_vm"], stranger, make_cluster("own"))
    client.force_login(stranger)
    url, typed = reverse("vms-create"), {"name": "web9.example.org"}
    for cluster in ("lab", "nowhere"):
        assert client.post(url, {**typed, "cluster": cluster}).status_code == 422
    assert events() == []
    grant(["tags"], stranger, scene.cluster)
    assert client.post(url, {**typed, "cluster": "lab", "renew": "os"}).status_code == 200
    assert client.post(url, {**typed, "cluster": "lab"}).status_code == 422
    refused = "You may not create machines on this cluster (needs create_vm)."
    assert events() == [f"Creation of web9.example.org not allowed\n{refused}"]
    event = Event.objects.get()
    assert (event.target_kind, event.target_pk, event.cluster_pk) == ("cluster", scene.cluster.pk, scene.cluster.pk)


@pytest.mark.feature("F255", "F257")
def test_somebody_elses_batch_confirmed_or_tried_again_is_an_event(scene: Scene, client: Client, events: Said) -> None:
    client.force_login(make_user("stranger"))
    root = make_admin("root")
    batch = plan(OPERATIONS["vm.shutdown"], scene.alice, VirtualMachine.objects.all(), {})
    names = ", ".join(batch.items.order_by("position").values_list("target_name", flat=True))
    urls = [reverse("batch-do", args=[batch.uuid, verb]) for verb in ("begin", "retry")]
    assert [client.post(url).status_code for url in urls] == [404, 404]  # who does not see it learns nothing
    client.force_login(root)
    for shown in ({"live": "1"}, {"preview": "1"}):
        assert client.post(urls[0], shown).status_code == 403
    assert events() == []
    assert [client.post(url).status_code for url in urls] == [403, 403]
    said = f"Shutdown of {names} not allowed\nOnly alice may do this: it is done with their rights."
    assert events() == [said, said]
    assert {(event.actor, event.target_pk) for event in Event.objects.all()} == {(root, None)}
    batch.refresh_from_db()
    assert batch.state == "planned"
    for number in range(11):
        make_vm(scene.cluster, f"many{number:02}.example.org")
    batch = plan(OPERATIONS["vm.shutdown"], scene.alice, VirtualMachine.objects.all(), {})
    client.post(reverse("batch-do", args=[batch.uuid, "begin"]))
    named = events()[-1].partition(" not allowed")[0].removeprefix("Shutdown of ").split(", ")
    assert (len(named), named[-1]) == (11, "…")
