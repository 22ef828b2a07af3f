"""CDs: admins of a cluster list them, who may change a machine inserts and ejects them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster
from objectlog.models import Event, Outcome
from objectlog.reading import read_event
from operations.contract import Actor, Ask, Invalid
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import grant
from simulator import Simulator
from tests.factories import make_admin
from tests.moving.conftest import Prepare, Scene, do, reason_against, sent
from virtualmachines.models import VirtualMachine
from virtualmachines.selectors import get_vm

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F172", "F174", "F175")]
DEBIAN, RESCUE = "/srv/iso/debian.iso", "http://boot.example.org/rescue.iso"
LINES = f"Debian 12 = {DEBIAN}\n\n  Rescue= {RESCUE} \n"


def list_images(scene: Scene, lines: str) -> None:
    operation, cluster = OPERATIONS["cluster.cd-images"], Cluster.objects.get()
    actor = Actor(make_admin("root2"), scene.alice.via)
    run(operation, Ask(actor, cluster, params_from(operation, actor, cluster, {"images": lines})))


@pytest.fixture
def ready(prepare: Prepare) -> Scene:
    """A KVM machine that Alice may change, and two images."""
    scene = prepare("plain", rights=())
    grant(["modify"], scene.alice.user, scene.vm)
    list_images(scene, LINES)
    return scene


def test_what_admins_list_is_kept_and_told(ready: Scene, client: Client) -> None:
    assert Cluster.objects.get().cd_images == [
        {"name": "Debian 12", "path": DEBIAN},
        {"name": "Rescue", "path": RESCUE},
    ]
    event = Event.objects.filter(verb="cluster.cd-images").latest("pk")
    assert read_event(event).sentence.startswith("Set the CD images of lab")
    client.force_login(make_admin())
    page = client.get(reverse("cluster-do", args=["lab", "cd-images"])).content.decode()
    assert f"Debian 12 = {DEBIAN}\nRescue = {RESCUE}</textarea>" in page


@pytest.mark.alike
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("just a name", "has no ="),
        ("= /srv/x.iso", "Give each a name"),
        ("a = relative.iso", "absolute path"),
        ("a = /srv/../etc/shadow", "absolute path"),
        ("a = ftp://x/y", "absolute path"),
        ("a = /x\na = /y", "two called a"),
        (f"{'n' * 101} = /x", "at most 100"),
        ("\n".join(f"{number} = /x" for number in range(201)), "more than 200"),
    ],
)
def test_what_is_no_image(prepare: Prepare, lines: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        list_images(prepare("plain"), lines)
    assert set(refused.value.errors) == {"images"} and not Cluster.objects.get().cd_images


def test_a_cd_goes_in_and_out(ready: Scene, simulator: Simulator, client: Client) -> None:
    client.force_login(ready.alice.user)
    url = reverse("vm-do", args=["lab", ready.vm.name, "insert-cd"])
    page = client.get(url).content.decode()
    assert '<option value="Debian 12">' in page and DEBIAN not in page.partition("show-as")[0]
    entry = do(ready, "insert-cd", image="Rescue", boots="on")
    assert entry.outcome == Outcome.SUCCEEDED
    hvparams = sent(simulator)["hvparams"]
    assert hvparams == {"cdrom_image_path": RESCUE, "cdrom_disk_type": "ide", "boot_order": "cdrom"}
    told = read_event(Event.objects.filter(entry_uuid=entry.uuid).latest("pk")).sentence
    assert "Inserted CD Rescue" in told and "disk → cdrom" in told
    assert ready.vm.hvparams["cdrom_image_path"] == RESCUE
    assert do(ready, "eject-cd").outcome == Outcome.SUCCEEDED
    assert sent(simulator)["hvparams"] == {"cdrom_image_path": "", "boot_order": "disk"}
    assert "no CD in it" in reason_against(ready, "eject-cd")


@pytest.mark.alike
def test_only_what_is_listed_goes_in(ready: Scene) -> None:
    before = ready.submissions()
    for image in ("/etc/shadow", DEBIAN, "rescue"):
        with pytest.raises(Invalid, match="that are listed"):
            do(ready, "insert-cd", image=image)
    assert ready.submissions() == before


@pytest.mark.alike
def test_where_nothing_is_listed_it_says_who_does_that(prepare: Prepare) -> None:
    scene = prepare("plain", rights=("admin",))
    assert "under CD images" in reason_against(scene, "insert-cd")


@pytest.mark.parametrize(
    ("hypervisor", "order", "expected"),
    [("kvm", "disk", {}), ("xen-hvm", "dc", {"boot_order": "cd"}), ("xen-hvm", "cd", {})],
)
def test_a_machine_that_boots_from_it_boots_from_its_disk_then(
    ready: Scene, hypervisor: str, order: str, expected: dict[str, str]
) -> None:
    vm = get_vm(ready.alice.user, "lab", ready.vm.name)
    vm.hypervisor, vm.raw = hypervisor, {"hvparams": {"cdrom_image_path": DEBIAN, "boot_order": order}}
    operation: Any = OPERATIONS["vm.eject-cd"]
    changes = {change.field: change.after for change in operation.changes(Ask(ready.alice, vm, None))}
    assert {name: value for name, value in changes.items() if name != "cdrom"} == expected


@pytest.mark.alike
@pytest.mark.feature("F202")
def test_what_rapi_cannot_do_is_said_where_one_looks_for_it(prepare: Prepare, client: Client) -> None:
    scene = prepare("plain")
    client.force_login(scene.alice.user)
    page = client.get(reverse("vm", args=["lab", scene.vm.name])).content.decode()
    for command in ("move -n NODE", "change-group --to GROUP"):
        assert f"gnt-instance {command} {scene.vm.name}" in page
    assert "Take a snapshot" in page and "Export it instead" in page
    VirtualMachine.objects.filter(pk=scene.vm.pk).update(hypervisor="lxc")
    assert "Insert CD" not in client.get(reverse("vm", args=["lab", scene.vm.name])).content.decode()
