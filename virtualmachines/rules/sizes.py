"""Instance policies: how large a machine may be, and on which storage."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from objectlog.words import mib
from rapi.shapes.fields import listing, mapping
from virtualmachines.rules.facts import Facts
from virtualmachines.spec import VMSpec
from virtualmachines.spec.machine import DISKLESS

#: what went wrong: the path of a field of the spec, and a sentence
Fault = tuple[str, str]

_WORDS = {
    "memory-size": gettext_lazy("Memory"),
    "cpu-count": gettext_lazy("Virtual CPUs"),
    "disk-size": gettext_lazy("The size of a disk"),
    "disk-count": gettext_lazy("The number of disks"),
    "nic-count": gettext_lazy("The number of network cards"),
    "spindle-use": gettext_lazy("The weight of disk load"),
}


def judge_sizes(own: VMSpec, facts: Facts) -> Iterator[Fault]:
    """By the policies of the groups where it may come: it must fit one of them. `own` is trimmed.

    Of a policy it must fit one pair of limits; where it fits none, what the nearest pair lacks is told.
    """
    if own.options.ignore_ipolicy:
        return
    judged = [list(_faults_in(own, facts, policy)) for policy in facts.judged_by(*_where(own)).values()]
    yield from min(judged, key=len, default=[])


def _where(own: VMSpec) -> tuple[str, str]:
    return own.placement.primary, own.placement.group


def _faults_in(own: VMSpec, facts: Facts, policy: Mapping[str, Any]) -> Iterator[Fault]:
    allowed = listing(policy.get("disk-templates"))
    if allowed and own.disk_template and own.disk_template not in allowed:
        known = ", ".join(str(each) for each in allowed)
        yield "disk_template", _("The policy allows these kinds of disks here: %s.") % known
    values = list(_values(own, facts))
    pairs = [mapping(pair) for pair in listing(policy.get("minmax"))]
    if not pairs and "min" in policy and "max" in policy:
        pairs = [{"min": policy["min"], "max": policy["max"]}]  # up to 2.7
    yield from min((list(_outside(values, pair)) for pair in pairs), key=len, default=[])
    yield from _crowded(own, facts, policy)


def _values(own: VMSpec, facts: Facts) -> Iterator[tuple[str, str, int]]:
    """What is limited: its field, its name in policies, its value."""
    beparams = own.beparams if own.source is not None else {**facts.defaults.beparams, **own.beparams}
    names = (
        ("beparams.maxmem", "memory-size", "maxmem"),
        ("beparams.vcpus", "cpu-count", "vcpus"),
        ("beparams.spindle_use", "spindle-use", "spindle_use"),
    )
    for field, limited, name in names:
        value = beparams.get(name)
        if isinstance(value, int):
            yield field, limited, value
    is_told = own.source is None  # else the export says the rest
    if own.nics or is_told:
        yield "nics", "nic-count", len(own.nics)
    if own.disk_template != DISKLESS and (own.disks or is_told):
        yield "disks", "disk-count", len(own.disks)
        for number, disk in enumerate(own.disks):
            yield f"disks.{number}.size_mib", "disk-size", disk.size_mib


def _outside(values: list[tuple[str, str, int]], pair: Mapping[str, Any]) -> Iterator[Fault]:
    least, most = mapping(pair.get("min")), mapping(pair.get("max"))
    for field, limited, value in values:
        low, high = least.get(limited), most.get(limited)
        if (isinstance(low, int) and value < low) or (isinstance(high, int) and value > high):
            words = {"what": _WORDS[limited], "low": _shown(limited, low), "high": _shown(limited, high)}
            yield field, _("%(what)s: the policy allows %(low)s to %(high)s here.") % words


def _shown(limited: str, value: Any) -> str:
    return mib(value) if limited.endswith("-size") and isinstance(value, int) else str(value)


def _crowded(own: VMSpec, facts: Facts, policy: Mapping[str, Any]) -> Iterator[Fault]:
    """More virtual CPUs than the policy lets any node have."""
    ratio, vcpus = policy.get("vcpu-ratio"), {**facts.defaults.beparams, **own.beparams}.get("vcpus")
    cpus = [node.cpus for node in facts.nodes.values() if node.cpus and not node.trouble]
    if isinstance(ratio, int | float) and isinstance(vcpus, int) and cpus and vcpus > ratio * max(cpus):
        words = {"most": int(ratio * max(cpus)), "ratio": f"{ratio:g}", "cpus": max(cpus)}
        yield (
            "beparams.vcpus",
            _("No node may have so many: at most %(most)s (%(ratio)s for each of %(cpus)s CPUs).") % words,
        )
