"""What all operations on machines share."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeVar

from django.db.models import QuerySet

from clusters.models import Cluster
from clusters.operations.ganeti import GanetiOperation
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Submission
from operations.rows import read_row
from quotas.selectors import has_limits
from rapi.client import RapiClient
from rapi.errors import NotFound, Refused
from rapi.resources.lifecycle import InstanceChanges
from rapi.shapes.fields import Text, Texts
from rapi.shapes.instance import FORTHCOMING
from virtualmachines.models import VirtualMachine

P = TypeVar("P")

_CLUSTER = VirtualMachine._meta.get_field("cluster")
_LOOK_TIMEOUT_S = 10.0
# What Ganeti calls where a machine is, and which disks it has.
_FIELDS = {"place": ("pnode", "snodes"), "disks": ("disk.uuids",)}


class VMOperation(GanetiOperation[VirtualMachine, P]):
    """An operation on one machine. `needs_running`: it is for machines that run, so one must know whether they do."""

    kind = "vm"
    needs_running: ClassVar[bool] = False

    def cluster_of(self, target: VirtualMachine) -> Cluster:
        if not _CLUSTER.is_cached(target) and (cluster := read_row(Cluster, target.cluster_id)) is not None:
            target.cluster = cluster
        return target.cluster

    def known_of(self, target: VirtualMachine) -> Mapping[str, Any]:
        first, second = target.primary_node, target.secondary_node
        return {
            "pnode": first.name if first is not None else None,
            "snodes": [second.name] if second is not None else [],
            "disk.uuids": _uuids_of(target),
        }

    def obstacle_around(self, target: VirtualMachine) -> str | None:
        """Also its node, which may answer again in a moment: Ganeti's own reading fails while a neighbour restarts."""
        around = super().obstacle_around(target)
        if around is None and self.needs_running and target.is_unheard_of:
            return _("Its primary node did not answer.")
        return around

    def ends_by_itself(self, target: VirtualMachine) -> bool:
        return super().ends_by_itself(target) or (self.needs_running and target.is_unheard_of)

    def suits(self, target: VirtualMachine) -> bool:
        return not target.was_never_made

    def meets_limits(self, targets: QuerySet[VirtualMachine]) -> bool:
        return self.takes_quota and has_limits(Cluster.objects.filter(pk__in=targets.order_by().values("cluster")))

    def rows(self) -> QuerySet[VirtualMachine]:
        cluster = ("cluster__info", "cluster__operating_systems")
        rows = VirtualMachine.objects.select_related("cluster", "primary_node").defer("raw", *cluster)
        return rows.order_by("name", "pk")


def look_whether_same(client: RapiClient, vm: VirtualMachine, *also: Literal["place", "disks"]) -> None:
    """Ask Ganeti whose name this is by now. Raises NotFound if it is not the machine that was meant, and RapiError.

    Ganeti takes names only, and between a change there and the update that sees it a namesake would be hit: for what
    ends a running guest, this call (a few ms, no locks, no node is asked) makes that a moment instead of a minute.

    `also`: what else must be as it is known here, where Ganeti takes a number of a disk, or moves a machine to
    whichever node is its secondary one. Raises Refused if it is not.
    """
    if not vm.uuid:
        return
    fields = ["uuid", *(field for each in also for field in _FIELDS[each])]
    try:
        found = client.query("instance", fields, ["=", "name", vm.name], read_timeout_s=_LOOK_TIMEOUT_S).rows
    except NotFound as error:
        raise NotFound(_("Ganeti no longer lists %(machine)s. Nothing was sent.") % {"machine": vm.name}) from error
    if [row[0] for row in found] != [vm.uuid]:
        raise NotFound(_("%(machine)s is another machine in Ganeti by now. Nothing was sent.") % {"machine": vm.name})
    there = dict(zip(fields, found[0], strict=True))
    if "place" in also and vm.primary_node is not None:
        by_now = " ".join((Text().read(there["pnode"]), *Texts().read(there["snodes"])))
        if by_now != place_of(vm):
            raise Refused(explain_moved(place_of(vm), by_now))
    if "disks" in also and list(Texts().read(there["disk.uuids"])) != _uuids_of(vm):
        raise Refused(explain_other_disks())


def _uuids_of(vm: VirtualMachine) -> list[str]:
    return [str(disk.get("uuid") or "") for disk in vm.disks]


def place_of(vm: VirtualMachine) -> str:
    """Where a machine is, as forms carry it: its node, and its secondary node if it has one."""
    return " ".join(node.name for node in (vm.primary_node, vm.secondary_node) if node is not None)


def _tell_place(place: str) -> str:
    first, _space, second = place.partition(" ")
    if not second:
        return first or "?"
    return _("%(node)s (secondary node %(second)s)") % {"node": first, "second": second}


def explain_moved(before: str, by_now: str) -> str:
    """Why nothing is sent of what was said of a machine that was elsewhere then."""
    words = _("It was on %(before)s when this was asked for, and is on %(now)s by now. Nothing was sent.")
    return words % {"before": _tell_place(before), "now": _tell_place(by_now)}


def require_place(vm: VirtualMachine, opened: str) -> None:
    """Raise Invalid if a machine is elsewhere than it was `opened`, by `place_of`. Empty: wherever it is."""
    if opened and opened != place_of(vm):
        raise Invalid({"": explain_moved(opened, place_of(vm))})


def explain_other_disks() -> str:
    """Why nothing is sent of what was said of disks that have other numbers by now, or are gone."""
    return _("Its disks were changed meanwhile. Choose again.")


def modify(
    client: RapiClient,
    ask: Ask[VirtualMachine, P],
    changes: InstanceChanges,
    reason: str,
    *,
    hotplug: Literal["yes", "no"] = "no",
) -> Submission:
    """Have its settings changed, if it is still the machine that was meant."""
    look_whether_same(client, ask.target)
    number = client.modify_instance(ask.target.name, changes, reason=reason, hotplug=hotplug, dry_run=ask.dry_run)
    return Submission([number])


def explain_forthcoming(target: VirtualMachine) -> str | None:
    """Why nothing can be done to it but to create it, if Ganeti has only its reservation."""
    if target.status == FORTHCOMING:
        return _("It is only reserved in Ganeti (forthcoming) and has to be created first.")
    return None
