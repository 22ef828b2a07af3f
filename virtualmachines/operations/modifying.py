"""Change what a machine has: size, OS, parameters, disks and network cards."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.models import Entry
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, Invalid, Refusal, Submission
from operations.groups import Group
from operations.once import read_once, reading_once
from permissions.policy import can
from quotas.services import give_back
from rapi.client import RapiClient
from rapi.resources.lifecycle import InstanceChanges
from rapi.shapes.fields import BadRecord
from rapi.shapes.instance import InstanceInfo
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, explain_forthcoming, modify
from virtualmachines.operations.creating import UNTOLD
from virtualmachines.operations.protecting import explain_protection
from virtualmachines.operations.quota import claim_quota, judge_quota
from virtualmachines.rules import Facts
from virtualmachines.rules.changes import judge_change
from virtualmachines.spec import CannotChange, Defaults, VMSpec, difference, read_spec, requests_for
from virtualmachines.spec.data import BadData, as_data
from virtualmachines.spec.difference import Difference
from virtualmachines.spec.edits import Edit
from virtualmachines.spec.telling import tell_changes
from virtualmachines.usage import growth_of

_VERSION_LENGTH = 16
_OS_IMAGE = "os-image"
# Ganeti's word for taking a parameter away.
_AS_DEFAULT = "default"


@dataclass(frozen=True)
class ModifyParams:
    """What is wanted otherwise.

    `opened`: the version of the settings that this was said of; with another in force nothing is sent. Empty: any.
    `hotplug`: disks and network cards are changed in the running guest, too, not only from its next start on.
    `typed_name`: the machine's name, where disks go.
    """

    wanted: Edit = field(default_factory=Edit)
    opened: str = ""
    hotplug: bool = False
    typed_name: str = ""


class Modify(VMOperation[ModifyParams]):
    """Most of it takes effect when the machine is started the next time; see virtualmachines.sync.waiting."""

    verb = "modify"
    label = gettext_lazy("Edit")
    consequence = gettext_lazy("Most of it takes effect when a machine is started or restarted the next time.")
    for_users = gettext_lazy("Whoever works on it notices nothing before that.")
    doing = gettext_lazy("being changed")
    noun = gettext_lazy("A change of its settings")
    needs = "modify"
    icon = "edit"
    group = Group.SETTINGS
    takes_quota = True
    judges_plans = True
    has_own_page = True
    can_check = True
    seals = ("private",)
    params_type = ModifyParams

    def holds_secrets(self, params: Mapping[str, Any]) -> bool:
        wanted = params.get("wanted")
        return isinstance(wanted, Mapping) and bool(wanted.get("osparams_private"))

    def whole_rows(self) -> QuerySet[VirtualMachine]:
        """With the whole record, which every rule reads."""
        return self.rows().select_related("owner").defer(None)

    def judging_many(self) -> AbstractContextManager[None]:
        return reading_once()

    def obstacle(self, target: VirtualMachine) -> str | None:
        return explain_forthcoming(target)

    def check(self, ask: Ask[VirtualMachine, ModifyParams]) -> None:
        target, params = ask.target, ask.params
        before = spec_of(target)
        if params.opened and params.opened != version_of(before):
            words = _("Its settings were changed since you opened them. Look at them again; nothing was sent.")
            raise Invalid({"opened": words})
        after, wanted = _wanted(ask)
        faults = judge_change(
            before,
            after,
            wanted,
            Facts.of(target.cluster),
            target,
            is_admin=_administers(ask),
            hotplugs=params.hotplug,
        )
        private = params.wanted.osparams_private
        if _OS_IMAGE in private and not _administers(ask):
            faults["osparams_private"] = _("%s can be set by those who administer the cluster.") % _OS_IMAGE
        if not wanted and not private and not faults:
            faults["wanted"] = _("Nothing was changed.")
        if params.wanted.removes_disks and params.typed_name != target.name:
            faults["typed_name"] = _("Disks are removed with all that is on them: type %s to confirm.") % target.name
        elif params.wanted.removes_disks and (protected := explain_protection(target)):
            faults["typed_name"] = protected
        if not faults:
            try:
                requests_for(wanted)
            except CannotChange as cannot:
                faults["wanted"] = str(cannot)
        if faults:
            raise Invalid(faults)
        more = growth_of(target, after, Defaults.of(target.cluster.info))
        if any(amount > 0 for amount in more.values()):
            judge_quota(ask.actor, target.owner, target.cluster, more)

    def changes(self, ask: Ask[VirtualMachine, ModifyParams]) -> list[Change]:
        _after, wanted = _wanted(ask)
        told = tell_changes(wanted.changes, ask.target.hypervisor, sees_host=_administers(ask))
        if private := sorted(ask.params.wanted.osparams_private):
            unknown, names = (
                Message(gettext_noop("not told")),
                Message(gettext_noop("set: %(names)s"), {"names": ", ".join(private)}),
            )
            told.append(Change("osparams_private", gettext_noop("private OS parameters"), unknown, names))
        return told

    def claim(self, ask: Ask[VirtualMachine, ModifyParams], entry: UUID) -> Claims:
        target = ask.target
        after, _wanted_changes = _wanted(ask)
        more = growth_of(target, after, Defaults.of(target.cluster.info))
        if any(amount > 0 for amount in more.values()):
            claim_quota(ask.actor, target.owner, target.cluster, more, entry)
        return Claims()

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, ModifyParams], reason: str) -> Submission:
        _after, wanted = _wanted(ask)
        changes = requests_for(wanted).modify or InstanceChanges()
        if private := ask.params.wanted.osparams_private:
            values = {name: _AS_DEFAULT if value is None else value for name, value in private.items()}
            changes = replace(changes, osparams_private=values)
        return modify(client, ask, changes, reason, hotplug="yes" if ask.params.hotplug else "no")

    def succeeded(self, entry: Entry) -> None:
        """The row was read again before the entry is settled: it counts with its new size."""
        give_back(entry.uuid)

    def failed(self, entry: Entry) -> None:
        give_back(entry.uuid)

    def journal_params(self, params: ModifyParams) -> dict[str, Any]:
        """Enough to fill the form again; of secrets the names."""
        wanted, private = replace(params.wanted, osparams_private={}), params.wanted.osparams_private
        untold = {UNTOLD: {"osparams_private": sorted(private)}} if private else {}
        return {"wanted": as_data(wanted), "opened": params.opened, "hotplug": params.hotplug, **untold}


def _administers(ask: Ask[VirtualMachine, ModifyParams]) -> bool:
    user, cluster = ask.actor.user, ask.target.cluster
    return read_once(("admin", user.pk, cluster.pk), lambda: bool(can(user, "admin", cluster)))


def spec_of(vm: VirtualMachine) -> VMSpec:
    """The machine as it was last read. Raises Refusal where its record can't be read."""
    try:
        spec = read_spec(InstanceInfo.parse(vm.raw))
    except BadRecord as bad:
        raise Refusal(_("What Ganeti says of its settings can't be read here: %s") % bad) from bad
    node = vm.primary_node
    return replace(spec, placement=replace(spec.placement, primary=node.name if node is not None else ""))


def version_of(spec: VMSpec) -> str:
    """What tells one state of the settings from another. Starting it, moving it, and tags are no part of it."""
    settings = replace(spec.as_told(), placement=VMSpec("").placement, tags=frozenset())
    parts = [disk.uuid for disk in spec.disks] + [nic.uuid for nic in spec.nics]
    text = json.dumps([as_data(settings), parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_VERSION_LENGTH]


def _wanted(ask: Ask[VirtualMachine, ModifyParams]) -> tuple[VMSpec, Difference]:
    """The machine as it would be, and what differs then. Raises Invalid."""
    before = spec_of(ask.target)
    try:
        after = ask.params.wanted.apply(before)
    except BadData as bad:
        raise Invalid({bad.where: str(bad)}) from bad
    return after, difference(before, after, Defaults.of(ask.target.cluster.info))
