"""Templates on pages: made there or of a machine, and used for a new one."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from clusters.models import Cluster
from objectlog.models import Entry
from operations.contract import Invalid
from operations.pipeline import run
from permissions.services import grant, persona_of
from tests.creating.conftest import NEW, SPEC, Maker
from tests.creating.templates import SMALL, page_of
from tests.factories import make_cluster, make_template
from tests.fixtures.databases import some_in_fast
from tests.spec.machines import machines
from virtualmachines.forms.creating import MachineForm, typed_for
from virtualmachines.models import MachineTemplate
from virtualmachines.operations.creating import Create
from virtualmachines.operations.templates import (
    TemplateParams,
    spec_of_template,
    version_of,
)
from virtualmachines.rules import Facts
from virtualmachines.spec import NicSpec, VMSpec, spec_as_data, spec_from_data
from virtualmachines.spec.copying import as_template
from virtualmachines.spec.telling import labels_of_lost, tell_all
from virtualmachines.views.using import saving_beside

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def alice(maker: Maker, client: Client) -> Client:
    client.force_login(maker.alice.user)
    return client


@pytest.mark.feature("F244", "F248", "F243", "F245")
def test_made_shown_and_changed_on_pages(maker: Maker, alice: Client) -> None:
    page_of(alice, "/templates/create/")
    typed = {"cluster": "lab", "name": "small", "os": SPEC.os, "disks.0.size_mib": "10 GiB", "nics.0.mac": ""}
    assert "Secrets" in page_of(alice, "/templates/create/", {**typed, "name": "a/b"}, 422)
    make_cluster("away")
    for cluster in ("away", "nowhere"):
        assert "or it is gone" in page_of(alice, "/templates/create/", {**typed, "cluster": cluster}, 422)
    page_of(alice, "/templates/create/", {**typed, "beparams.vcpus": "3", "options.start": "on"}, 302)
    template = MachineTemplate.objects.get()
    assert (template.vcpus, template.disk_mib, template.cluster) == (3, 10240, maker.cluster)
    for url in ("/templates/", "/templates/lab/small/"):
        shown = page_of(alice, url)
        assert "10.0 GiB" in shown and "small" in shown and "lab" in shown
    assert "template small" in page_of(alice, "/templates/lab/small/journal/")
    opened = version_of(template)
    page_of(alice, "/templates/lab/small/edit/")
    page_of(alice, "/templates/lab/small/edit/", {**typed, "opened": opened, "is_for_any": "on"}, 302)
    template.refresh_from_db()
    assert template.cluster is None
    page_of(alice, "/templates/-/small/")
    page_of(alice, "/templates/-/small/edit/", {**typed, "opened": opened}, 409)
    page_of(alice, "/templates/-/small/do/copy/", {"name": "copy", "cluster": ""}, 302)
    page_of(alice, "/templates/-/copy/do/delete/", {}, 302)
    assert [each.name for each in MachineTemplate.objects.all()] == ["small"]


@pytest.mark.feature("F250")
def test_from_a_machine(maker: Maker, alice: Client) -> None:
    maker.simulator.outside.modify("vm1.example.org", beparams={"vcpus": 3}, hvparams={"nic_type": "e1000"})
    maker.update()
    maker.cluster.refresh_from_db()
    assert "vm1" not in page_of(alice, "/templates/create/?like=lab/vm1.example.org", None).split("<form class")[0]
    grant(["admin"], maker.alice.user, maker.cluster)
    filled = page_of(alice, "/templates/create/?like=lab/vm1.example.org")
    assert 'value="3"' in filled and "Filled in with the settings of" in filled
    cluster = Cluster.objects.get(pk=maker.cluster.pk)
    cluster.operating_systems = ["other"]  # what a machine has may have gone from its cluster: that is said at use
    cluster.save()
    fields = re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"[^>]*?(?: value="([^"]*)")?[^>]*>', filled)
    assert "like" in dict(fields)
    machine = maker.simulator.cluster.instances["vm1.example.org"]
    typed = {"cluster": "lab", "name": "like vm1", "os": machine.os, "like": "lab/vm1.example.org"}
    typed |= {
        "beparams.vcpus": "3",
        "hvparams.nic_type": "e1000",
        "disks.0.size_mib": "1 GiB",
        "disks.0.uuid": "0",
        "nics.0.mac": "",
    }
    assert "is not installed" in page_of(alice, "/templates/create/", {**typed, "os": "nosuch"}, 422)
    page_of(alice, "/templates/create/", typed, 302)
    spec = spec_of_template(MachineTemplate.objects.get())
    assert (spec.os, spec.hvparams, spec.disks[0].uuid) == (machine.os, {"nic_type": "e1000"}, "")
    assert "/templates/create/?like=lab%2Fvm1.example.org" in page_of(alice, "/clusters/lab/vms/vm1.example.org/")


@pytest.mark.feature("F249", "F148")
def test_used_and_saved_beside_a_machine(maker: Maker, alice: Client) -> None:
    typed = {"cluster": "lab", "name": NEW, "os": SPEC.os, "disks.0.size_mib": "10 GiB", "nics.0.mac": ""}
    typed |= {"beparams.vcpus": "2", "is_protected": "on", "save_as": "small"}
    make_template("taken", maker.cluster)
    assert "Type another name" in page_of(alice, "/vms/create/", {**typed, "save_as": "taken"}, 422)
    assert not maker.rows()
    page_of(alice, "/vms/create/", typed, 302)
    template = MachineTemplate.objects.get(name="small")
    assert len(maker.rows()) == 1 and template.is_protected and spec_of_template(template).name == ""
    filled = page_of(alice, "/vms/create/?template=lab/small")
    assert "Filled in from template" in filled and 'lab/small" selected>' in " ".join(filled.split())
    page_of(alice, "/vms/create/", {**typed, "name": "new2.example.org", "template": "lab/small", "save_as": ""}, 302)
    assert len(maker.rows("new2.example.org")) == 1


@pytest.mark.alike
@pytest.mark.parametrize(
    ("hypervisor", "own"),
    some_in_fast(
        [
            ("xen-pvm", {"kernel_args": "ro quiet", "use_bootloader": True, "bootloader_path": "/bin/pygrub"}),
            ("xen-hvm", {"nic_type": "e1000", "acpi": False}),
            ("lxc", {"startup_timeout": 45}),
            ("chroot", {"init_script": "/start"}),
            ("fake", {}),
        ],
        3,
    ),
)
@pytest.mark.feature("F249", "G011")
def test_a_template_of_a_machine_of_any_hypervisor(
    maker: Maker, alice: Client, hypervisor: str, own: dict[str, Any]
) -> None:
    """From the machine to the form of a template, to the template, to the form of a machine, to Ganeti."""
    grant(["admin"], maker.alice.user, maker.cluster)
    cluster = maker.simulator.cluster
    cluster.settings["enabled_hypervisors"] = ["kvm", hypervisor]
    old = cluster.instances["vm1.example.org"]
    old.hypervisor, old.hvparams, old.disk_template = hypervisor, {}, "file"
    maker.simulator.outside.modify("vm1.example.org", hvparams=own)
    cluster.touch()
    maker.update()
    page_of(alice, "/templates/create/?like=lab/vm1.example.org")
    form = alice.get("/templates/create/?like=lab/vm1.example.org").context["form"]
    typed = {each.html_name: str(each.value()) for each in form if each.value() not in (None, "", False)}
    page_of(alice, "/templates/create/", {**typed, "name": "kept"}, 302)
    spec = spec_of_template(MachineTemplate.objects.get(name="kept"))
    assert (spec.hypervisor, spec.hvparams) == (hypervisor, own)
    form = alice.get("/vms/create/?template=lab/kept").context["form"]
    typed = {each.html_name: str(each.value()) for each in form if each.value() not in (None, "", False)}
    answer = alice.post("/vms/create/", {**typed, "name": NEW})
    assert answer.status_code == 302, answer.context["problems"]
    maker.finish()
    made = cluster.instances[NEW]
    assert (made.hypervisor, made.hvparams, made.os) == (hypervisor, own, old.os)
    assert [disk.size for disk in made.disks] == [disk.size for disk in old.disks]


class Died(BaseException):
    """The process is gone at this point."""


def die(*_arguments: object) -> None:
    raise Died


@pytest.mark.feature("F249")
def test_a_template_and_its_machine_are_both_there_or_neither(maker: Maker) -> None:
    """Killed before the call they are both written down; killed before that is committed, neither is."""
    save = saving_beside(maker.alice, TemplateParams("small", maker.cluster, SMALL))

    def save_and_die(entry: Entry) -> None:
        save(entry)
        die()

    with pytest.raises(Died):
        run(Create(), maker.ask(), beside=save_and_die)
    assert not maker.rows() and not MachineTemplate.objects.exists() and not Entry.objects.exists()
    with pytest.raises(Died):
        run(Create(), maker.ask(), beside=save, fence=die)
    assert len(maker.rows()) == 1 and MachineTemplate.objects.get().name == "small"
    assert sorted(Entry.objects.values_list("verb", flat=True)) == ["template.create", "vm.create"]
    with pytest.raises(Invalid) as taken:
        run(Create(), maker.ask(replace(SPEC, name="new2.example.org")), beside=save)
    assert set(taken.value.errors) == {"save_as"} and not maker.rows("new2.example.org")


@pytest.mark.feature("F249")
def test_what_ganeti_refuses_leaves_the_template_and_says_so(maker: Maker, alice: Client) -> None:
    typed = {"cluster": "lab", "name": NEW, "os": SPEC.os, "disks.0.size_mib": "10 GiB", "nics.0.mac": ""}
    maker.simulator.faults.refuse(400, "Invalid body parameters", path="/2/instances", method="POST", times=1)
    page = page_of(alice, "/vms/create/", {**typed, "save_as": "small"}, 409)
    assert "Template small saved." in page and not maker.rows()
    assert re.search(r'name="save_as"[^>]*value="small"', page) is None, "it would be in its own way"
    page_of(alice, "/vms/create/", typed, 302)


@pytest.mark.feature("F249")
def test_what_a_template_leaves_open_is_asked_and_not_called_wrong(maker: Maker, alice: Client) -> None:
    make_template("open", maker.cluster, spec=spec_as_data(replace(SMALL, os="")))
    grant(["use"], maker.alice.user, MachineTemplate.objects.get())
    there = "/vms/create/?template=lab/open"
    assert "Filled in from template" in page_of(alice, there) and "error-summary" not in page_of(alice, there)
    typed = {"template": "lab/open", "cluster": "lab", "name": NEW}
    assert "Choose an OS" in page_of(alice, "/vms/create/", typed, 422)


@pytest.mark.alike
@pytest.mark.feature("F249")
def test_what_the_cluster_does_not_have_is_said_at_its_field_and_not_dropped(maker: Maker, alice: Client) -> None:
    spec = replace(
        SMALL,
        os="nosuch",
        hypervisor="kvm",
        disk_template="rbd",
        hvparams={"nic_type": "e1000", "kvm_extra": "-x", "boot_order": "cdrom"},
        nics=(NicSpec(network="gone"),),
    )
    cluster = Cluster.objects.get(pk=maker.cluster.pk)
    del cluster.info["hvparams"]["kvm"]["nic_type"]
    cluster.save()
    make_template("odd", None, spec=spec_as_data(spec))
    grant(["use"], maker.alice.user, MachineTemplate.objects.get())
    shown = page_of(alice, "/vms/create/?template=-/odd&cluster=lab")
    for words in (
        "nosuch is not installed on this cluster",
        "This cluster knows no parameter called nic_type",
        "To boot from the CD-ROM, choose an image for it",
        "There is no network called gone",
        "This cluster makes these kinds of disks",
    ):
        assert words in shown, words
    assert "Choose an OS" not in shown  # what is wrong is still what it says
    assert 'name="hvparams.nic_type"' in shown and "Left out" in shown
    typed = {"template": "-/odd", "cluster": "lab", "name": NEW, "os": SPEC.os, "disks.0.size_mib": "1 GiB"}
    typed |= {"hypervisor": "kvm", "hvparams.nic_type": "e1000"}
    again = page_of(alice, "/vms/create/", typed, 422)
    assert "This cluster knows no parameter called nic_type" in again and not maker.rows()


@pytest.mark.alike
@pytest.mark.feature("F249")
def test_no_template_loses_anything_unsaid(maker: Maker) -> None:
    """From a spec to a template and through the form of a new machine: it is the same, but for what is told."""
    maker.cluster.refresh_from_db()
    facts, persona = Facts.of(maker.cluster), persona_of(maker.alice.user)

    @given(machines())
    @hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(spec: VMSpec) -> None:
        template = spec_from_data(spec_as_data(as_template(spec)))
        assert template == as_template(spec)

        def form(typed: dict[str, str]) -> MachineForm:
            return MachineForm(
                typed,
                actor=maker.alice,
                cluster=maker.cluster,
                facts=facts,
                is_admin=True,
                personas=lambda: [persona],
                clusters=lambda: {"lab": ""},
                is_judged=False,
                own=template,
            )

        typed = {"cluster": "lab", "hypervisor": template.hypervisor, "disk_template": template.disk_template}
        typed |= typed_for(form(typed), template)
        used = form(typed).params().spec
        lost = {each.field for each in tell_all(template, used) if each.before not in ("", None, [])}
        assert bool(lost) == bool(labels_of_lost(template, used))
        assert not lost, lost

    check()
