"""What may be changed of a machine that exists."""

from collections.abc import Iterator
from dataclasses import replace

from clusters.catalogue import DISK, NIC, Parameter
from objectlog.words import gettext as _
from virtualmachines.models import VirtualMachine
from virtualmachines.rules.devices import MOST_DISKS, MOST_NICS, judge_disks, judge_nics
from virtualmachines.rules.facts import Facts
from virtualmachines.rules.macs import judge_macs
from virtualmachines.rules.parameters import judge_parameters
from virtualmachines.rules.sizes import Fault, judge_sizes
from virtualmachines.spec import DiskSpec, VMSpec
from virtualmachines.spec.difference import (
    Changed,
    Difference,
    ParameterChanged,
    PartAdded,
    PartChanged,
    PartRemoved,
    ValueChanged,
)
from virtualmachines.spec.machine import DISKLESS
from virtualmachines.spec.telling import parameter_of, path_of

# Only these take and give back disks and network cards while the guest runs.
_HOTPLUGGING = frozenset({"kvm"})
_OS_IMAGE = "os-image"


def judge_change(
    before: VMSpec,
    after: VMSpec,
    wanted: Difference,
    facts: Facts,
    vm: VirtualMachine,
    *,
    is_admin: bool,
    hotplugs: bool,
) -> dict[str, str]:
    """What is wrong with a change, by the field of the spec as it would be; the first sentence for each.

    What is not changed is not judged anew: it may be older than a rule, or an administrator's.
    """
    faults: dict[str, str] = {}
    touched = {path_of(change) for change in wanted.changes}
    was = set(_judge(before, facts))
    for path, words in (
        *_judge_levels(wanted, before.hypervisor, is_admin=is_admin),
        *_judge_system(wanted, facts),
        *_judge_running(wanted, before, vm, hotplugs=hotplugs),
        *judge_macs(after.nics, vm.cluster_id, {nic.mac.lower() for nic in before.nics}, vm.pk),
        *((path, words) for path, words in _judge(after, facts) if path in touched or (path, words) not in was),
    ):
        faults.setdefault(path, words)
    return faults


def _judge(spec: VMSpec, facts: Facts) -> Iterator[Fault]:
    """Everything but who may set it."""
    own = spec.trimmed(facts.defaults)
    yield from judge_parameters(own, facts, is_admin=True)
    yield from judge_disks(own, facts, MOST_DISKS, is_admin=True)
    # As they were said: what a network decides is trimmed away, and would be ignored without a word.
    yield from judge_nics(replace(own, nics=spec.nics), facts, MOST_NICS, is_admin=True)
    yield from judge_sizes(own, facts)


def _judge_levels(wanted: Difference, hypervisor: str, *, is_admin: bool) -> Iterator[Fault]:
    """Some parameters are for who administers the cluster, also to set them back."""
    if is_admin:
        return
    for change in wanted.changes:
        for path, parameter, name in _parameters_of(change, hypervisor):
            if parameter is None or parameter.is_for_admins:
                label = parameter.label if parameter is not None else name
                yield path, _("%s can be set by those who administer the cluster.") % label


def _parameters_of(change: Changed, hypervisor: str) -> Iterator[tuple[str, Parameter | None, str]]:
    path = path_of(change)
    match change:
        case ParameterChanged(table="osparams"):
            if change.name == _OS_IMAGE:
                yield path, None, change.name
        case ParameterChanged():
            yield path, parameter_of(change, hypervisor), change.name
        case PartChanged():
            yield path, parameter_of(change, hypervisor), change.field
        case PartAdded():
            table = DISK if isinstance(change.part, DiskSpec) else NIC
            for name, value in vars(change.part).items():
                if value and name in table:
                    yield path, table[name], name


def _judge_system(wanted: Difference, facts: Facts) -> Iterator[Fault]:
    for change in wanted.changes:
        if isinstance(change, ValueChanged) and change.field == "os" and change.after not in facts.systems:
            yield "os", _("There is no OS called %s on this cluster.") % (change.after or "“”")


def _judge_running(wanted: Difference, before: VMSpec, vm: VirtualMachine, *, hotplugs: bool) -> Iterator[Fault]:
    """What the guest's state, and the kind of its disks, stand in the way of."""
    if hotplugs and before.hypervisor not in _HOTPLUGGING:
        yield "hotplug", _("Only KVM changes disks and network cards while the machine runs.")
    elif hotplugs and not vm.is_running:
        yield "hotplug", _("It is not running: there is nothing to change at once.")
    for change in wanted.changes:
        match change:
            case PartAdded(part=DiskSpec()) if not before.disks or before.disk_template == DISKLESS:
                yield "disks", _("A machine that was created without disks can't be given one.")
            case PartRemoved(part=DiskSpec()) if vm.is_running and not hotplugs:
                yield path_of(change), _("It is running: shut it down first, or have it changed while it runs.")
            case PartChanged(part=DiskSpec(), field="size_mib"):
                yield path_of(change), _("A disk is grown by itself: Grow disk.")
