"""MAC addresses: one of its own for each card, on the whole cluster; and none that is for groups."""

import re
from collections.abc import Collection, Iterator, Sequence

from objectlog.words import gettext as _
from virtualmachines.models import VirtualMachine
from virtualmachines.rules.sizes import Fault
from virtualmachines.spec import NicSpec

_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")


def judge_macs(
    nics: Sequence[NicSpec], cluster: int, known: Collection[str] = (), besides: int | None = None
) -> Iterator[Fault]:
    """Of the machine `besides`, which has those that are `known`, or of a new one. Asks for those that are typed alone.

    Ganeti takes an address for groups; no network does.
    """
    for number, nic in enumerate(nics):
        mac = nic.mac.lower()
        if mac in known or not _MAC.fullmatch(mac):
            continue
        path = f"nics.{number}.mac"
        if int(mac[:2], 16) & 1:
            yield path, _("%s is an address for groups of cards: the first two digits must be an even number.") % mac
        elif _is_taken(mac, cluster, besides):
            yield path, _("Another machine on this cluster has the MAC address %s.") % mac


def _is_taken(mac: str, cluster: int, besides: int | None) -> bool:
    """Which machine has it is not told: not everybody may see that one."""
    rows = VirtualMachine.objects.filter(cluster=cluster, missing_since=None, search_text__contains=mac)
    others = rows if besides is None else rows.exclude(pk=besides)
    found = others.values_list("nics", flat=True)
    return any(isinstance(nic, dict) and str(nic.get("mac")).lower() == mac for nics in found for nic in nics)
