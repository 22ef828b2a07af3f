"""The page on which machines are created: what it asks, keeps, says while one types, and where it leads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clusters.models import Cluster
from objectlog.models import Entry
from permissions.services import grant
from quotas.amounts import Limits
from quotas.services import set_default
from tests.creating.conftest import NEW, Maker
from tests.factories import make_cluster, make_user, make_vm
from virtualmachines.models import VirtualMachine

pytestmark = pytest.mark.django_db
URL, LIVE = "/vms/create/", "/vms/create/live/"
TYPED = {
    "cluster": "lab",
    "name": NEW,
    "os": "debootstrap+default",
    "disks.0.size_mib": "1 GiB",
    "nics.0.mac": "auto",
    "options.start": "on",
}


@pytest.fixture
def alice(maker: Maker) -> Client:
    client = Client()
    client.force_login(maker.alice.user)
    return client


def sent() -> dict[str, Any]:
    """The machine that was asked for."""
    spec: dict[str, Any] = Entry.objects.get(verb="vm.create").params["spec"]
    return spec


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def value_of(page: str, path: str) -> str:
    found = re.search(rf'<input[^>]*name="{re.escape(path)}"[^>]*>', page)
    assert found is not None, path
    value = re.search(r'value="([^"]*)"', found[0])
    return value[1] if value else ""


@pytest.mark.feature("F168")
def test_what_the_policy_refuses_is_summed_up_without_saying_twice_what_it_is(maker: Maker, alice: Client) -> None:
    page = text_of(alice.post(URL, {**TYPED, "beparams.vcpus": "400"}))
    summary = page.partition("error-summary")[2].partition("</ul>")[0]
    assert re.search(r">Virtual CPUs</a>: the policy allows 1 to \d+ here\.", summary), summary


@pytest.mark.feature("F147", "F159", "F160", "F183")
def test_name_and_system_are_enough_and_lead_to_the_machine(maker: Maker, alice: Client) -> None:
    page = text_of(alice.get(URL))
    assert 'value="lab" selected' in page and 'href="#like"' in page and 'href="#template"' not in page
    fields = dict.fromkeys(re.findall(r'name="((?:beparams|disks|nics)\.[^"]+)"', page), "")
    answer = alice.post(URL, {**fields, "cluster": "lab", "name": "NEW1.example.org", "os": "debootstrap+default"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/clusters/lab/vms/{NEW}/"
    assert maker.simulator.count("POST", "/2/instances") == 1
    assert sent()["disks"] == [{"size_mib": 128}]  # the standard of the policy


def test_what_is_typed_is_sent(maker: Maker, alice: Client) -> None:
    typed = {
        "beparams.vcpus": "2",
        "beparams.maxmem": "512 MiB",
        "disks.1.size_mib": "2 GiB",
        "hvparams.boot_order": "network",
        "hvparams.acpi": "off",
        "tags": "web, prod",
    }
    assert alice.post(URL, {**TYPED, **typed, "notes": "ours", "is_protected": "on"}).status_code == 302
    spec = sent()
    assert [disk["size_mib"] for disk in spec["disks"]] == [1024, 2048]
    assert spec["beparams"] == {"vcpus": 2, "maxmem": 512}
    assert spec["hvparams"] == {"boot_order": "network", "acpi": False}
    assert spec["tags"] == ["prod", "web"]
    row = VirtualMachine.objects.get(name=NEW)
    assert (row.notes, row.is_protected) == ("ours", True)


@pytest.mark.alike
@pytest.mark.feature("F147")
def test_a_disk_more_or_less_loses_nothing(maker: Maker, alice: Client) -> None:
    typed = {**TYPED, "hvparams.kernel_args": "ro single", "tags": "web", "disks.0.size_mib": "much"}
    page = text_of(alice.post(URL, {**typed, "more": "disks"}))
    assert value_of(page, "disks.0.size_mib") == "much"
    assert value_of(page, "disks.1.size_mib") == ""
    assert value_of(page, "hvparams.kernel_args") == "ro single"
    assert "field-error" not in page
    assert 'id="fold-disks" open' in page
    page = text_of(alice.post(URL, {**typed, "disks.1.size_mib": "3 GiB", "less": "disks.0"}))
    assert value_of(page, "disks.0.size_mib") == "3 GiB"
    assert "disks.1." not in page
    assert value_of(page, "tags") == "web"
    page = text_of(alice.post(URL, {**typed, "nics.1.mac": "auto", "less": "nics.0"}))
    assert "nics.1." not in page


@pytest.mark.alike
@pytest.mark.feature("F154", "F177")
def test_another_hypervisor_has_other_parameters_and_what_was_typed_stays(maker: Maker, alice: Client) -> None:
    page = text_of(alice.get(URL))
    assert "hvparams.boot_order" in page
    page = text_of(alice.post(URL, {**TYPED, "hypervisor": "fake", "renew": "hypervisor"}))
    assert "hvparams.boot_order" not in page
    assert value_of(page, "name") == NEW


@pytest.mark.alike
@pytest.mark.feature("F151", "F152", "F168", "F178")
def test_what_is_wrong_stands_at_its_field_and_everything_else_stays(maker: Maker, alice: Client) -> None:
    wrong = {**TYPED, "name": "two words", "beparams.maxmem": "900 GiB", "hvparams.boot_order": "cdrom"}
    answer = alice.post(URL, wrong)
    page = text_of(answer)
    assert answer.status_code == 422
    assert 'href="#id_name"' in page
    for path in ("name", "beparams.maxmem", "hvparams.boot_order"):
        assert re.search(rf'has-error[^>]*data-field="{re.escape(path)}"', page), path
    assert 'id="fold-hypervisor" open' in page
    assert value_of(page, "beparams.maxmem") == "900 GiB"
    assert not VirtualMachine.objects.filter(name="two words").exists()


def test_what_is_missing_is_said_at_once(alice: Client) -> None:
    page = text_of(alice.post(URL, {"cluster": "lab", "beparams.maxmem": "900 GiB"}))
    for path in ("name", "os", "beparams.maxmem"):
        assert re.search(rf'has-error[^>]*data-field="{re.escape(path)}"', page), path


@pytest.mark.alike
@pytest.mark.feature("F180", "F181", "G010")
def test_a_refusal_comes_back_in_ganetis_words_at_the_field(maker: Maker, alice: Client) -> None:
    maker.simulator.faults.refuse(400, "OS 'noop' not in supported OS list", method="POST", path="/2/instances")
    answer = alice.post(URL, TYPED)
    page = text_of(answer)
    assert answer.status_code == 409
    assert re.search(r'has-error[^>]*data-field="os"', page)
    assert "not in supported OS list" in page
    assert value_of(page, "disks.0.size_mib") == "1 GiB"


def test_what_is_said_of_the_connection_is_not_called_ganetis(maker: Maker, alice: Client) -> None:
    Cluster.objects.update(port=1)
    page = text_of(alice.post(URL, {**TYPED, "name": "listens"}))
    assert "Nothing listens there" in page and "Ganeti says" not in page
    assert value_of(page, "name") == "listens" and not re.search(r'has-error[^>]*data-field="n', page)


@pytest.mark.feature("F181")
def test_a_job_that_failed_reopens_the_form_with_ganetis_words_at_the_field(maker: Maker, alice: Client) -> None:
    instances = maker.simulator.cluster.instances
    answer = alice.post(URL, {**TYPED, "tags": "web", "notes": "ours"})
    instances[NEW] = next(iter(instances.values()))
    maker.finish()
    again = re.search(r'href="([^"]+[?]check=[^"]+)"', text_of(alice.get(answer.headers["Location"])))
    assert again is not None
    page = text_of(alice.get(again[1]))
    assert re.search(r'has-error[^>]*data-field="name"', page)
    assert "Ganeti says: Instance" in page and "already in the cluster" in page
    assert [value_of(page, path) for path in ("name", "disks.0.size_mib", "tags")] == [NEW, "1 GiB", "web"]
    del instances[NEW]
    alice.post(URL, {**TYPED, "tags": "web"})
    maker.finish()
    assert [row.was_never_made for row in maker.rows()] == [False]


@pytest.mark.alike
@pytest.mark.feature("G010")
def test_a_check_makes_nothing_and_comes_back_filled_in(maker: Maker, alice: Client) -> None:
    answer = alice.post(URL, {**TYPED, "tags": "web", "check": "1"})
    assert answer.status_code == 302
    page = text_of(alice.get(answer.headers["Location"]))
    assert 'id="check"' in page
    assert value_of(page, "name") == NEW
    assert value_of(page, "disks.0.size_mib") == "1 GiB"
    assert value_of(page, "tags") == "web"
    assert maker.rows() == []


@pytest.mark.feature("F180")
def test_what_a_check_finds_stands_at_its_field_once_it_is_known(maker: Maker, alice: Client) -> None:
    asked = alice.post(URL, {**TYPED, "save_as": "mine", "check": "1"}).headers["Location"]
    instances = maker.simulator.cluster.instances
    instances[NEW] = next(iter(instances.values()))
    waits = {"HX-Request": "true"}
    assert "HX-Retarget" not in alice.get(asked, headers=waits).headers
    maker.finish()
    answer = alice.get(asked, headers=waits)
    assert answer.headers["HX-Retarget"] == "#create", "the field is in the form, and not in what waits"
    assert re.search(r'has-error[^>]*data-field="name"', text_of(answer))
    assert value_of(text_of(answer), "save_as") == "mine"


@pytest.mark.feature("F181")
def test_values_that_are_kept_nowhere_are_asked_for_again(maker: Maker, alice: Client) -> None:
    secret = {"osparams_secret": "pw=hunter2", "osparams_private": "key=topsecret"}
    page = text_of(alice.get(alice.post(URL, {**TYPED, **secret, "check": "1"}).headers["Location"]))
    assert page.count("Type these once more") == 4, "at both fields, and above"
    assert "pw=</textarea>" in page and "key=</textarea>" in page and "hunter2" not in page
    kept = Entry.objects.get(verb="vm.create.check").params
    assert kept["untold"] == {"osparams_private": ["key"], "osparams_secret": ["pw"]} and "hunter2" not in str(kept)


def test_a_mac_address_is_of_one_machine_alone_and_not_of_groups(maker: Maker, alice: Client) -> None:
    mac = "aa:00:00:12:34:56"
    VirtualMachine.objects.create(cluster=maker.cluster, name="other", nics=[{"mac": mac}], search_text=f"other {mac}")
    page = text_of(alice.post(URL, {**TYPED, "nics.0.mac": mac.upper()}))
    assert f"Another machine on this cluster has the MAC address {mac}." in page
    assert "is an address for groups of cards" in text_of(alice.post(URL, {**TYPED, "nics.0.mac": "01:00:5e:00:00:01"}))
    assert maker.rows() == []


@pytest.mark.feature("F149", "F150", "F179")
def test_clusters_are_those_where_one_may_create_and_the_others_say_why_not(maker: Maker, alice: Client) -> None:
    grant(["create_vm"], maker.alice.user, make_cluster("away", read_only=True))
    make_cluster("elsewhere")
    page = text_of(alice.get(URL))
    assert re.search(r'<option value="away" disabled>away: [^<]*read-only', page)
    assert "elsewhere" not in page
    client = Client()
    client.force_login(make_user("bob"))
    answer = client.get(URL)
    assert answer.status_code == 403
    assert "You may not create machines on any cluster" in text_of(answer)


@pytest.mark.alike
@pytest.mark.feature("F149")
@pytest.mark.parametrize("button", ["create", "check", "show"])
def test_a_machine_is_not_made_on_another_cluster_than_asked_for(maker: Maker, alice: Client, button: str) -> None:
    """The right to it was taken away, or it was removed, between form and submit."""
    away = make_cluster("away")
    for cluster in ("away", "nowhere"):
        answer = alice.post(URL, {**TYPED, "cluster": cluster, button: "1"})
        page = text_of(answer)
        assert answer.status_code == 422
        assert re.search(r'has-error[^>]*data-field="cluster"', page)
        assert f"You may not create machines on {cluster}, or it is gone." in page
        assert value_of(page, "name") == NEW
    assert not Entry.objects.exists() and maker.simulator.counts() == {}
    grant(["create_vm"], maker.alice.user, away)
    assert "or it is gone" not in text_of(alice.post(URL, {**TYPED, "cluster": "away"}))


@pytest.mark.alike
@pytest.mark.feature("G010")
def test_while_one_types_quota_room_and_what_cannot_be_are_told(maker: Maker, alice: Client) -> None:
    set_default(maker.cluster, Limits(memory_mib=256, machines=1))
    page = text_of(alice.post(LIVE, {**TYPED, "beparams.maxmem": "512 MiB"}))
    assert re.search(r'is-over"><th scope="row">memory</th>\s*<td>0.MiB</td><td>512.MiB</td><td>256.MiB</td>', page)
    page = text_of(alice.post(LIVE, {**TYPED, "beparams.maxmem": "900 GiB"}))
    assert 'data-fault="id_beparams.maxmem"' in page
    make_vm(maker.cluster, "taken.example.org")
    assert 'data-fault="id_name"' in text_of(alice.post(LIVE, {**TYPED, "name": "taken.example.org"}))
    assert "data-fault" not in text_of(alice.post(LIVE, {"cluster": "lab", "name": "", "disks.0.size_mib": ""}))
    assert 'id="says-disks"' in page


@pytest.mark.feature("G011")
def test_the_settings_of_a_machine_can_be_taken(maker: Maker, alice: Client) -> None:
    vm = VirtualMachine.objects.filter(cluster=maker.cluster).exclude(uuid="").order_by("name")[0]
    assert "There is no machine" in text_of(alice.get(URL, {"like": f"lab/{vm.name}"}))
    grant(["admin"], maker.alice.user, vm)
    page = text_of(alice.get(URL, {"like": f"lab/{vm.name}"}))
    assert value_of(page, "name") == ""
    assert value_of(page, "beparams.vcpus") == str(vm.vcpus)
    assert page.count("disks.") >= len(vm.disks)
    assert str(vm.disks[0]["uuid"]) not in page


@pytest.mark.alike
def test_host_parameters_are_for_administrators_of_the_cluster(maker: Maker, alice: Client) -> None:
    assert "hvparams.kvm_extra" not in text_of(alice.get(URL))
    answer = alice.post(URL, {**TYPED, "hvparams.kvm_extra": "-s"})
    assert answer.status_code == 302
    assert "kvm_extra" not in str(sent())
    grant(["admin"], maker.alice.user, maker.cluster)
    assert "hvparams.kvm_extra" in text_of(alice.get(URL))


def test_the_page_asks_few_questions_however_many_clusters(maker: Maker, alice: Client) -> None:
    def ask(url: str, **typed: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            answer = alice.post(url, typed) if typed else alice.get(url)
        assert answer.status_code == 200
        return len(asked)

    ask(URL)
    few = ask(URL)
    for _ in range(20):
        grant(["create_vm"], maker.alice.user, make_cluster())
    assert ask(URL) == few <= 26
    assert ask(LIVE, **TYPED) <= 22


@pytest.mark.alike
@pytest.mark.feature("G031")
def test_the_command_and_the_call_are_shown_and_nothing_is_sent(maker: Maker, alice: Client) -> None:
    typed = {**TYPED, "osparams_secret": "password=marker-secret", "show": "1"}
    page = text_of(alice.post(URL, typed))
    shown = page[page.index("show-as") : page.index("</details>", page.index("show-as"))]
    assert "gnt-instance add" in shown and NEW in shown and "POST /2/instances" in shown
    assert "marker-secret" not in shown
    assert maker.simulator.count("POST", "/2/instances") == 0 and not Entry.objects.exists()


@pytest.mark.alike
def test_what_would_not_do_is_said_in_place_of_a_command(maker: Maker, alice: Client) -> None:
    make_vm(maker.cluster, NEW)
    answer = alice.post(URL, {**TYPED, "show": "1"})
    assert answer.status_code == 422 and "show-as" not in text_of(answer)


@pytest.mark.alike
@pytest.mark.feature("G011")
def test_settings_that_one_may_not_set_are_named_when_they_are_left_out(maker: Maker, alice: Client) -> None:
    vm = VirtualMachine.objects.filter(cluster=maker.cluster).exclude(uuid="").order_by("name")[0]
    grant(["admin"], maker.alice.user, vm)
    vm.raw["custom_hvparams"] = {"kernel_path": "/boot/own"}
    vm.save(update_fields=["raw"])
    page = text_of(alice.get(URL, {"like": f"lab/{vm.name}"}))
    assert "Left out, as only admins of a cluster" in page and "kernel_path" in page and "/boot/own" not in page


def test_a_machine_whose_record_cannot_be_read_is_no_model(maker: Maker, alice: Client) -> None:
    vm = make_vm(maker.cluster, "old.example.org")
    grant(["admin"], maker.alice.user, vm)
    assert "be read. Try again" in text_of(alice.get(URL, {"like": f"lab/{vm.name}"}))


def test_the_button_is_for_who_may_create_somewhere(maker: Maker, alice: Client) -> None:
    bob = make_user("bob")
    grant(["tags"], bob, maker.cluster)
    client = Client()
    client.force_login(bob)
    for url in ("/vms/", "/", "/clusters/lab/", "/clusters/lab/vms/"):
        assert "data-creates" in text_of(alice.get(url)), url
        assert "data-creates" not in text_of(client.get(url)), url
    grant(["create_vm"], bob, make_cluster("other"))
    assert "data-creates" in text_of(client.get("/vms/"))
