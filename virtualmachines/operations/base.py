"""What all operations on machines share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from django.db.models import QuerySet

from clusters.models import Cluster
from clusters.operations.ganeti import GanetiOperation
from objectlog.words import gettext as _
from operations.contract import Ask, OverQuota, Submission
from quotas.services import Exceeded
from rapi.client import RapiClient
from rapi.errors import NotFound
from rapi.resources.lifecycle import InstanceChanges
from rapi.shapes.instance import FORTHCOMING
from virtualmachines.models import VirtualMachine

P = TypeVar("P")

_LOOK_TIMEOUT_S = 10.0


class VMOperation(GanetiOperation[VirtualMachine, P]):
    """An operation on one machine."""

    kind = "vm"

    def cluster_of(self, target: VirtualMachine) -> Cluster:
        return target.cluster

    def suits(self, target: VirtualMachine) -> bool:
        return not target.was_never_made

    def rows(self) -> QuerySet[VirtualMachine]:
        cluster = ("cluster__info", "cluster__operating_systems")
        rows = VirtualMachine.objects.select_related("cluster", "primary_node").defer("raw", *cluster)
        return rows.order_by("name", "pk")


@contextmanager
def quota_at(field: str = "") -> Iterator[None]:
    """What exceeds a quota in here is wrong with this field, or with all of it. Raises OverQuota."""
    try:
        yield
    except Exceeded as exceeded:
        raise OverQuota({field: str(exceeded)}, exceeded.cluster.slug) from exceeded


def look_whether_same(client: RapiClient, vm: VirtualMachine) -> None:
    """Ask Ganeti whose name this is by now. Raises NotFound if it is not the machine that was meant, and RapiError.

    Ganeti takes names only, and between a change there and the update that sees it a namesake would be hit: for what
    ends a running guest, this call (a few ms, no locks, no node is asked) makes that a moment instead of a minute.
    """
    if not vm.uuid:
        return
    try:
        found = client.query("instance", ["uuid"], ["=", "name", vm.name], read_timeout_s=_LOOK_TIMEOUT_S).rows
    except NotFound as error:
        raise NotFound(_("Ganeti no longer lists %(machine)s. Nothing was sent.") % {"machine": vm.name}) from error
    if found != [(vm.uuid,)]:
        raise NotFound(_("%(machine)s is another machine in Ganeti by now. Nothing was sent.") % {"machine": vm.name})


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
