"""What several machines made of the same settings can't have in common: for patterns of names, and for templates."""

from collections.abc import Iterator

from objectlog.words import gettext as _
from virtualmachines.rules.sizes import Fault
from virtualmachines.spec import VMSpec


def judge_shared(spec: VMSpec) -> Iterator[Fault]:
    """Addresses and disks that only one of them can have."""
    for number, nic in enumerate(spec.nics):
        if nic.mac not in ("auto", "generate"):
            yield f"nics.{number}.mac", _("Several machines can't have one address: leave it to Ganeti.")
        if nic.ip not in ("", "none", "pool"):
            yield f"nics.{number}.ip", _("Several machines can't have one address: take them from a network.")
    for number, disk in enumerate(spec.disks):
        if disk.adopt:
            yield f"disks.{number}.adopt", _("Several machines can't take over one disk.")
