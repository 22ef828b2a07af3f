"""Move a machine to another node: migrate, clean up after a migration that failed, fail over."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Node
from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.words import gettext as _
from operations.contract import Ask, Foresight, Invalid, Submission
from operations.groups import Group
from operations.once import judges_many, read_once, reading_once
from rapi.client import RapiClient
from virtualmachines.models import VirtualMachine
from virtualmachines.moves import SHARED, allocator_in, explain_no_allocator, foresee_moves, say_place
from virtualmachines.operations.base import VMOperation, explain_forthcoming, look_whether_same, place_of, require_place
from virtualmachines.operations.power import SHUTDOWN_TIMEOUT_S
from virtualmachines.room import Need, explain_there_now, ground_of, home_of, need_of, place_on

P = TypeVar("P", bound="MoveParams")
# Hypervisors that can move a running machine (constants.HTS_MIGRATABLE).
MIGRATABLE = frozenset({"fake", "kvm", "xen-hvm", "xen-pvm"})


@dataclass(frozen=True)
class MoveParams:
    """`target_node`: where to; empty means its secondary node, or where the cluster's allocator says.

    `opened`: where it was (`place_of`) when this was said; from elsewhere it is not moved. Empty: from anywhere.
    """

    target_node: str = ""
    opened: str = ""


@dataclass(frozen=True)
class MigrateParams(MoveParams):
    """`mode`: how, empty means as the cluster's hypervisor is set up."""

    mode: Literal["", "live", "non-live"] = ""
    allow_failover: bool = False


@dataclass(frozen=True)
class FailoverParams(MoveParams):
    """`ignore_consistency`: even if what the other node has of its disks is not complete."""

    timeout_s: int = SHUTDOWN_TIMEOUT_S
    ignore_consistency: bool = False


def explain_disks(target: VirtualMachine) -> str | None:
    """Why its disks tie it to its node, if they do."""
    if target.disk_template == "drbd" or target.disk_template in SHARED:
        return None
    return _(
        "Its disks (%(template)s) are on %(node)s alone. RAPI can't move them; on the master, with the machine "
        "stopped: gnt-instance move -n NODE %(machine)s"
    ) % {"template": target.disk_template or "?", "node": target.primary_node or "?", "machine": target.name}


def allocator_of(target: VirtualMachine) -> str:
    """What chooses a node where nobody does; empty if its cluster has none."""
    return read_once(("allocator", target.cluster_id), lambda: allocator_in(target.cluster.info))


class Move(VMOperation[P]):
    """What moves a machine to its secondary node or, with disks that every node reaches, to any other."""

    needs = "migrate"
    icon = "node"
    group = Group.MOVE
    can_check = True
    binds = ("opened",)
    judges_plans = True
    starts_there = True

    def rows(self) -> QuerySet[VirtualMachine]:
        return super().rows().select_related("secondary_node")

    def judging_many(self) -> AbstractContextManager[None]:
        return reading_once()

    def bound_to(self, target: VirtualMachine) -> dict[str, Any]:
        return {"opened": place_of(target)}

    def foresee(self, targets: QuerySet[VirtualMachine], params: Mapping[str, Any]) -> Foresight:
        return foresee_moves(targets, str(params.get("target_node") or ""), self._runs_there)

    def obstacle(self, target: VirtualMachine) -> str | None:
        if reserved := explain_forthcoming(target):
            return reserved
        return explain_disks(target) or self._find_secondary_trouble(target)

    def _find_secondary_trouble(self, target: VirtualMachine) -> str | None:
        """Why its secondary node can't take it."""
        if target.disk_template != "drbd":
            return None
        node = target.secondary_node
        if node is None:
            return _("It has no secondary node.")
        if node.offline:
            return _("Its secondary node %(node)s is set offline in Ganeti.") % {"node": node.name}
        if node.drained:
            return _("Its secondary node %(node)s is drained: Ganeti puts nothing there.") % {"node": node.name}
        return None

    def _runs_there(self, target: VirtualMachine) -> bool:
        return self.starts_there and (target.is_running or target.admin_state == "up")

    def consequence_for(self, target: VirtualMachine) -> str:
        """With where it will be, and the room there."""
        words, node = super().consequence_for(target), target.secondary_node
        if target.disk_template != "drbd" or node is None:
            return words
        place = place_on(target, node, runs=self._runs_there(target))
        return f"{words} {say_place(node.name, place.words, is_usable=place.is_usable)}".strip()

    def check(self, ask: Ask[VirtualMachine, P]) -> None:
        target, name = ask.target, ask.params.target_node
        require_place(target, ask.params.opened)
        if target.disk_template == "drbd":
            second = target.secondary_node
            if name and (second is None or name != second.name):
                raise Invalid(
                    {"target_node": _("Its disks are mirrored to %(node)s: it can go there only.") % {"node": second}}
                )
            if second is not None and judges_many():  # of one Ganeti says it itself, by what is free now
                self._judge_room(target, second.name)
        elif name:
            self._judge_room(target, name)
        elif not allocator_of(target):
            raise Invalid({"target_node": explain_no_allocator()})

    def _judge_room(self, target: VirtualMachine, name: str) -> None:
        """Whether it can go there. In a plan those before it are there by then, and have left where they were."""
        ground = ground_of(target.cluster)
        node = next((each for each in ground.nodes.values() if each.name == name), None)
        if node is None:
            raise Invalid({"target_node": _("The cluster has no node called %(node)s.") % {"node": name}})
        runs, home = self._runs_there(target), target.primary_node
        need = need_of(target, runs=runs, brings_disks=False)
        barred = {home.pk: explain_there_now()} if home is not None else {}
        place = ground.place(node, need, barred=barred, home=home_of(target))
        if place.reason:
            told = {"node": name, "reason": place.reason}
            raise Invalid({"target_node": _("It can't go to %(node)s: %(reason)s.") % told})
        ground.give(node, need)
        if home is not None and runs:
            ground.take_back(home, Need(target.memory_mib, target.vcpus))

    def changes(self, ask: Ask[VirtualMachine, P]) -> list[Change]:
        target = ask.target
        first = target.primary_node.name if target.primary_node else None
        label, after = gettext_noop("node"), self._destination(ask)
        found = [Change("primary_node", label, first, after)]
        if target.disk_template == "drbd":
            second = target.secondary_node.name if target.secondary_node else None
            found.append(Change("secondary_node", gettext_noop("secondary node"), second, first))
        return found

    def _destination(self, ask: Ask[VirtualMachine, P]) -> Any:
        if ask.params.target_node:
            return ask.params.target_node
        node: Node | None = ask.target.secondary_node
        if ask.target.disk_template == "drbd" and node is not None:
            return node.name
        return Message(gettext_noop("where the allocator says"))

    def _target_node(self, ask: Ask[VirtualMachine, P]) -> str | None:
        """What is sent: Ganeti takes no node for mirrored disks."""
        return None if ask.target.disk_template == "drbd" else ask.params.target_node or None


class Migrate(Move[MigrateParams]):
    verb = "migrate"
    needs_running = True
    label = gettext_lazy("Migrate")
    doing = gettext_lazy("migrating")
    noun = gettext_lazy("A migration")
    question = gettext_lazy("Migrate {target}?")
    for_users = gettext_lazy(
        "Whoever works on it notices a pause of seconds at most when live; otherwise "
        "it stands still while its memory moves. Open consoles are closed."
    )
    consequence = gettext_lazy("It keeps running and moves with its memory.")
    params_type = MigrateParams

    def obstacle(self, target: VirtualMachine) -> str | None:
        found = super().obstacle(target)
        if found:
            return found
        if target.hypervisor not in MIGRATABLE:
            return _("%(hypervisor)s can't move running machines: stop it and fail it over.") % {
                "hypervisor": target.hypervisor
            }
        if target.stands_still:
            return _("It is not running. Fail it over instead.")
        node = target.primary_node
        if node is not None and node.offline:
            return _("Its node %(node)s is set offline in Ganeti: fail it over instead.") % {"node": node.name}
        return None

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, MigrateParams], reason: str) -> Submission:
        look_whether_same(client, ask.target, "place")
        number = client.migrate_instance(
            ask.target.name,
            mode=ask.params.mode or None,
            target_node=self._target_node(ask),
            allow_failover=ask.params.allow_failover,
            reason=reason,
            dry_run=ask.dry_run,
        )
        return Submission([number])


class CleanUpMigration(Move[MoveParams]):
    """After a migration that broke off: Ganeti looks where the machine runs, and writes that down."""

    verb = "cleanup-migration"
    label = gettext_lazy("Clean up migration")
    doing = gettext_lazy("cleaning up after a migration")
    noun = gettext_lazy("Cleaning up after a migration")
    icon = "refresh"
    group = Group.MOVE
    question = gettext_lazy("Clean up after a failed migration of {target}?")
    for_users = gettext_lazy("Whoever works on it notices nothing.")
    consequence = gettext_lazy(
        "Ganeti looks on which of the two nodes it runs, takes that one as its node, and ends what is left of the "
        "migration. The machine goes on running; it must run on one node only."
    )
    params_type = MoveParams
    can_check = False
    starts_there = False

    def obstacle(self, target: VirtualMachine) -> str | None:
        found = super().obstacle(target)
        if found or target.hypervisor in MIGRATABLE:
            return found
        return _("%(hypervisor)s can't move running machines.") % {"hypervisor": target.hypervisor}

    def consequence_for(self, target: VirtualMachine) -> str:
        return str(self.consequence)

    def check(self, ask: Ask[VirtualMachine, MoveParams]) -> None:
        if ask.target.disk_template in SHARED and not ask.params.target_node:
            raise Invalid({"target_node": _("Choose the node that it was to be migrated to.")})
        super().check(ask)

    def changes(self, ask: Ask[VirtualMachine, MoveParams]) -> list[Change]:
        return []

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, MoveParams], reason: str) -> Submission:
        look_whether_same(client, ask.target, "place")
        number = client.migrate_instance(
            ask.target.name, cleanup=True, target_node=self._target_node(ask), reason=reason
        )
        return Submission([number])


class FailOver(Move[FailoverParams]):
    verb = "failover"
    label = gettext_lazy("Fail over")
    doing = gettext_lazy("failing over")
    noun = gettext_lazy("A failover")
    question = gettext_lazy("Fail {target} over?")
    for_users = gettext_lazy("Where it runs, whoever uses it is cut off until it has started again.")
    params_type = FailoverParams

    def consequence_for(self, target: VirtualMachine) -> str:
        """What happens to who uses it depends on whether it runs."""
        if target.is_running:
            words = _(
                "It is shut down here and started on the other node. If it does not shut down within the timeout, "
                "it is switched off."
            )
        else:
            words = _("It is not running: it only changes its node.")
        return f"{words} {super().consequence_for(target)}".strip()

    def longest_s(self, params: Mapping[str, Any]) -> float | None:
        return None

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, FailoverParams], reason: str) -> Submission:
        look_whether_same(client, ask.target, "place")
        number = client.failover_instance(
            ask.target.name,
            target_node=self._target_node(ask),
            shutdown_timeout_s=ask.params.timeout_s,
            ignore_consistency=ask.params.ignore_consistency,
            reason=reason,
            dry_run=ask.dry_run,
        )
        return Submission([number])
