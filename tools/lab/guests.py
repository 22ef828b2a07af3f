"""Machines worth having in a lab: the one that answers the keyboard, and cheap ones that Ganeti itself creates."""

from __future__ import annotations

from typing import Any

from tools.lab.cluster import Lab
from tools.lab.keyboard_guest import OS_NAME
from tools.lab.plan import DOMAIN

_UNCHECKED = {"name_check": False, "ip_check": False}


def full_name(name: str) -> str:
    """The name as Ganeti has it: with a domain."""
    return name if "." in name else f"{name}.{DOMAIN}"


def has_instance(lab: Lab, name: str) -> bool:
    """Whether the cluster has a machine of exactly this name."""
    return full_name(name) in [machine["id"] for machine in lab.rapi.ask("GET", "/2/instances")]


def _create(lab: Lab, name: str, **settings: Any) -> None:
    body = {"__version__": 1, "mode": "create", "name": name, "nics": [{}], **_UNCHECKED, **settings}
    lab.rapi.run("POST", "/2/instances", body)


def add_guest(lab: Lab, name: str = "keyboard", *, node: str | None = None) -> str:
    """Create and start the KVM guest that answers the keyboard, unless it is there; its full name.

    Its disk is on storage that all nodes share, so that it can be migrated while it runs.
    """
    name = full_name(name)
    if has_instance(lab, name):
        if not lab.rapi.fields(name, "oper_state")[0]:
            lab.rapi.run("PUT", f"/2/instances/{name}/startup")
        return name
    _create(
        lab,
        name,
        disk_template="sharedfile",
        disks=[{"size": 16}],
        beparams={"minmem": 32, "maxmem": 32, "vcpus": 1},
        os=OS_NAME,
        hypervisor="kvm",
        pnode=node or lab.master,
        wait_for_sync=False,
    )
    return name


def add_fake_instance(lab: Lab, name: str, *, node: str | None = None, started: bool = True) -> str:
    """Have Ganeti create a machine of the hypervisor ``fake`` without a disk; its full name."""
    name = full_name(name)
    _create(
        lab,
        name,
        disk_template="diskless",
        disks=[],
        beparams={"minmem": 16, "maxmem": 16, "vcpus": 1},
        os="noop",
        hypervisor="fake",
        pnode=node or lab.master,
        start=started,
    )
    return name


def vnc_address(lab: Lab, name: str) -> tuple[str, int]:
    """Host and port of the running guest's VNC server, as this machine reaches it."""
    node, port = lab.rapi.fields(full_name(name), "pnode", "network_port")
    return lab.plan.node_address(node), int(port)
