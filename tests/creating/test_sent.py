"""What is chosen on the page, and what of it Ganeti gets."""

from typing import Any

import pytest
from django.test import Client

from permissions.services import grant
from tests.creating.conftest import NEW, Maker

pytestmark = [pytest.mark.django_db, pytest.mark.alike]
TYPED = {"cluster": "lab", "name": NEW, "os": "debootstrap+default", "disks.0.size_mib": "1 GiB", "nics.0.mac": ""}
START = {"options.start": "on"}


def sent(maker: Maker, client: Client, **typed: str) -> dict[str, Any]:
    """The opcode of the job."""
    client.force_login(maker.alice.user)
    answer = client.post("/vms/create/", {**TYPED, **typed})
    assert answer.status_code == 302, answer.content.decode()
    jobs = maker.simulator.queue.jobs
    opcode: dict[str, Any] = jobs[max(jobs)].ops[-1]
    return opcode


@pytest.mark.parametrize(
    ("typed", "start", "no_install"),
    [
        pytest.param(START, True, False, id="started"),
        pytest.param({}, False, False, id="not started", marks=pytest.mark.feature("F170")),
        pytest.param({**START, "options.no_install": "on"}, False, True, id="empty", marks=pytest.mark.feature("F156")),
    ],
)
def test_whether_it_is_installed_and_started(
    maker: Maker, client: Client, typed: dict[str, str], start: bool, no_install: bool
) -> None:
    opcode = sent(maker, client, **typed)
    assert (opcode["start"], bool(opcode.get("no_install"))) == (start, no_install)
    maker.finish()
    assert maker.rows()[0].is_running is start


@pytest.mark.feature("F153")
def test_names_are_in_lower_case(maker: Maker, client: Client) -> None:
    assert sent(maker, client, name=" NEW1.Example.ORG ")["instance_name"] == NEW


@pytest.mark.feature("F166")
@pytest.mark.parametrize(
    ("typed", "nics"),
    [
        ({"nics.0.mac": ""}, [{}]),
        ({"nics.0.mode": "bridged", "nics.0.link": "br1"}, [{"link": "br1"}]),
        (
            {"nics.0.mode": "routed", "nics.0.link": "100", "nics.0.ip": "192.0.2.7"},
            [{"mode": "routed", "link": "100", "ip": "192.0.2.7"}],
        ),
    ],
)
def test_network_cards(maker: Maker, client: Client, typed: dict[str, str], nics: list[dict[str, str]]) -> None:
    """What is not said is as the cluster has it: bridged."""
    assert sent(maker, client, **typed)["nics"] == nics
    maker.finish()
    assert [nic["mode"] for nic in maker.rows()[0].nics] == [nics[0].get("mode", "bridged")]


@pytest.mark.feature("F162")
def test_disks_that_are_files_which_all_nodes_reach(maker: Maker, client: Client) -> None:
    maker.cluster.info["enabled_disk_templates"] = ["file", "sharedfile"]
    maker.cluster.save(update_fields=["info"])
    assert sent(maker, client, disk_template="sharedfile")["disk_template"] == "sharedfile"


@pytest.mark.feature("F173")
def test_two_cds(maker: Maker, client: Client) -> None:
    images = {"cdrom_image_path": "/srv/a.iso", "cdrom2_image_path": "/srv/b.iso"}
    grant(["admin"], maker.alice.user, maker.cluster)  # what a path of the node is, only they say
    opcode = sent(maker, client, **{f"hvparams.{name}": path for name, path in images.items()})
    assert opcode["hvparams"] == {**images, "cdrom_disk_type": "ide"}
