"""Machines worth having in a lab: the one that answers the keyboard, and cheap ones that Ganeti itself creates."""

from __future__ import annotations

from tools.lab.cluster import Lab
from tools.lab.keyboard_guest import OS_NAME
from tools.lab.plan import DOMAIN

_UNCHECKED = ("--no-name-check", "--no-ip-check")


def full_name(name: str) -> str:
    """The name as Ganeti has it: with a domain."""
    return name if "." in name else f"{name}.{DOMAIN}"


def has_instance(lab: Lab, name: str) -> bool:
    """Whether the cluster has a machine of exactly this name."""
    return full_name(name) in lab.run(lab.master, "gnt-instance", "list", "--no-headers", "-o", "name").split()


def add_guest(lab: Lab, name: str = "keyboard", *, node: str | None = None) -> str:
    """Create and start the KVM guest that answers the keyboard, unless it is there; its full name.

    Its disk is on storage that all nodes share, so that it can be migrated while it runs.
    """
    name = full_name(name)
    if has_instance(lab, name):
        if lab.run(lab.master, "gnt-instance", "list", "--no-headers", "-o", "oper_state", name).strip() != "Y":
            lab.run(lab.master, "gnt-instance", "start", name)
        return name
    lab.run(
        lab.master,
        *("gnt-instance", "add", "-t", "sharedfile", "-s", "16M", "-B", "memory=32M,vcpus=1", "-o", OS_NAME),
        *("-H", "kvm", "-n", node or lab.master, "--no-wait-for-sync", *_UNCHECKED, name),
    )
    return name


def add_fake_instance(lab: Lab, name: str, *, node: str | None = None, started: bool = True) -> str:
    """Have Ganeti create a machine of the hypervisor ``fake`` without a disk; its full name."""
    name = full_name(name)
    state = () if started else ("--no-start",)
    lab.run(
        lab.master,
        *("gnt-instance", "add", "-t", "diskless", "-B", "memory=16M,vcpus=1", "-o", "noop", "-H", "fake"),
        *("-n", node or lab.master, *state, *_UNCHECKED, name),
    )
    return name


def vnc_address(lab: Lab, name: str) -> tuple[str, int]:
    """Host and port of the running guest's VNC server, as this machine reaches it."""
    listed = lab.run(
        lab.master, "gnt-instance", "list", "--no-headers", "--separator=|", "-o", "pnode,network_port", full_name(name)
    )
    node, port = listed.strip().split("|")
    return lab.plan.node_address(node), int(port)
