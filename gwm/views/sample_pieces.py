"""The pieces of machines' forms, as the style guide shows them: filled in, with what a cluster would offer."""

from collections.abc import Iterator, Sequence
from typing import Any

from clusters.catalogue import BACKEND, of_hypervisor
from virtualmachines.forms.pieces import (
    DisksPiece,
    HypervisorPiece,
    NicsPiece,
    OptionsPiece,
    ParameterPiece,
    Piece,
    PlacementPiece,
    SpecForm,
    SystemPiece,
    TagsPiece,
    TemplatePiece,
)
from virtualmachines.forms.pieces.size import SIZE, NamePiece, SizePiece
from virtualmachines.rules.facts import NetworkFacts

_RELEASE = (3, 1)
_MOST_FIELDS = 9
_SYSTEMS = ("debian+12", "debian+13", "image+noble", "noop")
_NODES = ("node1.example.org", "node2.example.org", "node3.example.org")
_NIC = {"mode": "bridged", "link": "br0", "vlan": ""}
_NETWORKS = {"lan": NetworkFacts("192.0.2.0/24", frozenset({"default"}), "lan", 211)}
_BACKEND = {"vcpus": 1, "maxmem": 1024, "minmem": 1024, "auto_balance": True}
_TYPED = {
    "name": "shop4.prod.example.org",
    "os": "debian+13",
    "beparams.vcpus": "4",
    "beparams.maxmem": "8 GiB",
    "disks.0.size_mib": "40 GiB",
    "nics.0.network": "lan",
    "nics.0.mac": "",
    "placement.primary": _NODES[1],
    "hvparams.boot_order": "disk",
    "options.start": "on",
    "tags": "web production",
}


def list_pieces() -> Iterator[tuple[str, Sequence[Any]]]:
    """What each is called, and its fields; of hypervisor parameters a few."""
    pieces: dict[str, tuple[Piece, ...]] = {
        "Name and size": (NamePiece(), SizePiece("beparams", BACKEND, _BACKEND, _RELEASE, is_admin=True, only=SIZE)),
        "Operating system": (SystemPiece(_SYSTEMS),),
        "Disk": (TemplatePiece(("drbd", "plain")), DisksPiece(_RELEASE, is_admin=True, template="drbd")),
        "Network card": (NicsPiece(_RELEASE, is_admin=True, defaults=_NIC, networks=_NETWORKS),),
        "Placement": (PlacementPiece(("default", "fast"), _NODES, has_allocator=True),),
        "Hypervisor": (
            HypervisorPiece(("kvm", "xen-hvm")),
            ParameterPiece("hvparams", of_hypervisor("kvm"), {"boot_order": "disk", "acpi": True}, _RELEASE, True),
        ),
        "Options": (OptionsPiece(), TagsPiece()),
    }
    for title, some in pieces.items():
        form = SpecForm(some, _TYPED, is_judged=False)
        yield title, [form[name] for name in list(form.fields)[:_MOST_FIELDS]]
