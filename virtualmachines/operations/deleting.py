"""Delete a machine with its disks. With the success of the job its row is forgotten as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from clusters.models import Cluster, FormerName
from clusters.sync.rows import lock_writers
from objectlog.models import Entry
from objectlog.words import gettext as _
from objectlog.words import ngettext
from operations.contract import Ask, Submission, Words
from operations.groups import Group
from permissions.policy import count_holders
from rapi.client import RapiClient
from ui.templatetags.units import mib
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, look_whether_same
from virtualmachines.operations.power import SHUTDOWN_TIMEOUT_S
from virtualmachines.operations.protecting import explain_protection


@dataclass(frozen=True)
class DeleteParams:
    """How long the guest gets to shut down by itself, in seconds."""

    timeout_s: int = SHUTDOWN_TIMEOUT_S


class Delete(VMOperation[DeleteParams]):
    """For good: what is forgotten here is owner, notes and rights, so that a namesake starts with nothing of it."""

    verb = "delete"
    label = gettext_lazy("Delete")
    doing = gettext_lazy("deleting")
    noun = gettext_lazy("A deletion")
    needs = "remove"
    icon = "trash"
    group = Group.DANGER
    question = gettext_lazy("Delete {target}?")
    consequence = gettext_lazy("It is shut down and removed from Ganeti with all of its disks. This can't be undone.")
    for_users = gettext_lazy("Everybody who uses it loses what they have on it. Open consoles are closed.")
    is_destructive = True
    wants_typed_name = True
    can_check = True
    params_type = DeleteParams

    def suits(self, target: VirtualMachine) -> bool:
        return not target.is_missing

    def obstacle(self, target: VirtualMachine) -> str | None:
        return explain_protection(target)

    def facts(self, target: VirtualMachine) -> Sequence[tuple[Words, str]]:
        """What is lost."""
        return [*facts_of_disks(target), *_facts_of_ours(target)]

    def longest_s(self, params: Mapping[str, Any]) -> float | None:
        return None  # the shutdown is bounded, wiping disks is not

    def is_shown_by(self, target: VirtualMachine) -> bool:
        return target.is_missing

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, DeleteParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        number = client.remove_instance(
            ask.target.name, shutdown_timeout_s=ask.params.timeout_s, reason=reason, dry_run=ask.dry_run
        )
        return Submission([number])

    def succeeded(self, entry: Entry) -> None:
        forget_deleted(entry)


def facts_of_disks(target: VirtualMachine) -> list[tuple[Words, str]]:
    """Each disk with its size."""
    if not target.disks:
        return []
    disks = [
        f"{number}: {mib(disk.get('size_mib'))}" + (f" ({disk['name']})" if disk.get("name") else "")
        for number, disk in enumerate(target.disks)
        if isinstance(disk, dict)
    ]
    return [(gettext_lazy("Disks"), ", ".join(disks))]


def _facts_of_ours(target: VirtualMachine) -> list[tuple[Words, str]]:
    """Owner, notes, and how many have rights on it."""
    people, teams = count_holders(target)
    facts: list[tuple[Words, str]] = []
    if target.owner is not None:
        facts.append((gettext_lazy("Owner"), target.owner.name))
    if people or teams:
        words = [
            ngettext("%d person", "%d people", people) % people if people else "",
            ngettext("%d team", "%d teams", teams) % teams if teams else "",
        ]
        facts.append((gettext_lazy("Rights of"), ", ".join(filter(None, words))))
    if target.notes:
        facts.append((gettext_lazy("Notes"), _("%d characters") % len(target.notes)))
    return facts


def forget_deleted(entry: Entry) -> None:
    """Delete the row of what the entry has deleted; the lock keeps an older reading from making it anew."""
    cluster = Cluster.objects.filter(pk=entry.cluster_pk or 0).first()
    if cluster is None or entry.target_pk is None:
        return
    lock_writers(cluster)
    FormerName.objects.filter(kind="instance", target_pk=entry.target_pk).delete()
    VirtualMachine.objects.filter(pk=entry.target_pk, uuid=entry.target_uuid).delete()
