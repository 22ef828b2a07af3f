"""Disks and network cards."""

from collections.abc import Iterator
from dataclasses import fields
from ipaddress import ip_address, ip_network

from clusters.catalogue import DISK, NIC, Table
from objectlog.words import gettext as _
from objectlog.words import ngettext
from virtualmachines.rules.facts import Facts
from virtualmachines.rules.sizes import Fault
from virtualmachines.spec import DiskSpec, NicSpec, VMSpec
from virtualmachines.spec.machine import DISKLESS

# What Ganeti takes of each at the most (constants MAX_DISKS and MAX_NICS).
MOST_DISKS, MOST_NICS = 16, 8
_ADOPTING = frozenset({"plain", "blockdev"})
_TAGGED = frozenset({"", "bridged", "openvswitch"})


def judge_disks(own: VMSpec, facts: Facts, most: int, *, is_admin: bool) -> Iterator[Fault]:
    """Their number, each by itself, and what the template asks of all. `own` is trimmed."""
    if facts.templates and own.disk_template and own.disk_template not in {DISKLESS, *facts.templates}:
        known = ", ".join(facts.templates)
        yield "disk_template", _("This cluster makes these kinds of disks: %s.") % known
    if facts.templates and own.disk_template == DISKLESS and DISKLESS not in facts.templates:
        yield "disks", _("This cluster makes no machines without disks. Add one.")
    if len(own.disks) > min(most, MOST_DISKS):
        yield "disks", _at_most_disks(min(most, MOST_DISKS))
    adopting = [disk for disk in own.disks if disk.adopt]
    if adopting and own.disk_template not in _ADOPTING:
        yield "disks", _("Disks of this kind can't be taken over.")
    elif (adopting or own.disk_template == "blockdev") and len(adopting) < len(own.disks):
        yield "disks", _("Either all disks are taken over, or none; block devices are always.")
    for number, disk in enumerate(own.disks):
        yield from _judge_part(f"disks.{number}", disk, DISK, facts, is_admin=is_admin)
        if (own.disk_template == "ext") != bool(disk.provider) and not disk.uuid:
            yield (
                f"disks.{number}.provider",
                _("Disks of the kind ext need a storage provider, and no others take one."),
            )
        if disk.provider_params and not disk.provider:
            yield f"disks.{number}.provider_params", _("These are for a storage provider.")
    yield from _doubled("disks", [disk.name for disk in own.disks], "name")


def judge_nics(own: VMSpec, facts: Facts, most: int, *, is_admin: bool) -> Iterator[Fault]:
    """Their number, each by itself, its network, and that no two are alike."""
    if len(own.nics) > min(most, MOST_NICS):
        yield "nics", _at_most_nics(min(most, MOST_NICS))
    for number, nic in enumerate(own.nics):
        yield from _judge_part(f"nics.{number}", nic, NIC, facts, is_admin=is_admin)
        yield from _judge_nic(f"nics.{number}", nic, facts, _group_of(own, facts))
    yield from _doubled("nics", [nic.name for nic in own.nics], "name")
    macs = ["" if nic.mac in ("auto", "generate") else nic.mac.lower() for nic in own.nics]
    yield from _doubled("nics", macs, "mac")
    yield from _doubled("nics", ["" if nic.ip in ("pool", "none") else nic.ip for nic in own.nics], "ip")


def _at_most_disks(most: int) -> str:
    return ngettext("A machine has at most %d disk here.", "A machine has at most %d disks here.", most) % most


def _at_most_nics(most: int) -> str:
    return (
        ngettext("A machine has at most %d network card here.", "A machine has at most %d network cards here.", most)
        % most
    )


def _group_of(own: VMSpec, facts: Facts) -> str:
    node = facts.nodes.get(own.placement.primary)
    return node.group if node is not None else own.placement.group


def _judge_part(where: str, part: DiskSpec | NicSpec, table: Table, facts: Facts, *, is_admin: bool) -> Iterator[Fault]:
    """Each field by the catalogue; what is left open is the cluster's."""
    for each in fields(part):
        name = "size" if each.name == "size_mib" else each.name
        parameter, value = table.get(name), getattr(part, each.name)
        if parameter is None or value in ("", None):
            continue
        if parameter.is_for_admins and not is_admin:
            yield (
                f"{where}.{each.name}",
                _("%s can be set by those who administer the cluster.") % parameter.label,
            )
        elif not parameter.exists_in(facts.release):
            yield f"{where}.{each.name}", _("%s: this release of Ganeti does not know it.") % parameter.label
        elif words := parameter.judge(value, facts.release):
            yield f"{where}.{each.name}", f"{parameter.label}: {words}"


def _judge_nic(where: str, nic: NicSpec, facts: Facts, group: str) -> Iterator[Fault]:
    if nic.network:
        yield from _judge_network(where, nic, facts, group)
        return
    mode = nic.mode or str(facts.defaults.nic.get("mode") or "")
    if nic.ip == "pool":
        yield f"{where}.ip", _("A free address is taken from a network: choose one.")
    elif nic.ip not in ("", "none") and not _is_address(nic.ip):
        yield f"{where}.ip", _("%s is no IP address.") % nic.ip
    elif mode == "routed" and nic.ip in ("", "none"):
        yield f"{where}.ip", _("A routed card needs an IP address, or a network.")
    if mode == "pool":
        yield f"{where}.mode", _("This mode takes mode and link from a network: choose one.")
    if nic.vlan and mode not in _TAGGED:
        yield f"{where}.vlan", _("VLANs are for bridges and Open vSwitch.")


def _judge_network(where: str, nic: NicSpec, facts: Facts, group: str) -> Iterator[Fault]:
    network = facts.networks.get(nic.network)
    if network is None:
        yield f"{where}.network", _("There is no network called %s on this cluster.") % nic.network
        return
    if not network.groups or (group and group not in network.groups):
        yield f"{where}.network", _("The network %s does not reach where the machine would run.") % nic.network
    for name in ("mode", "link", "vlan"):
        if getattr(nic, name) not in ("", "pool"):
            yield f"{where}.{name}", _("The network says this. Leave it empty, or choose no network.")
    if nic.ip in ("", "none", "pool"):
        return
    if not _is_address(nic.ip):
        yield f"{where}.ip", _("%s is no IP address.") % nic.ip
    elif network.cidr and ip_address(nic.ip) not in ip_network(network.cidr, strict=False):
        words = {"ip": nic.ip, "network": f"{nic.network} ({network.cidr})"}
        yield f"{where}.ip", _("%(ip)s is not an address of the network %(network)s.") % words


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _doubled(where: str, values: list[str], field: str) -> Iterator[Fault]:
    """Those that another has already."""
    for number, value in enumerate(values):
        if value and value in values[:number]:
            yield f"{where}.{number}.{field}", _("%s stands here twice.") % value
