"""Whose a machine is: for whose quota it counts. Owning gives no rights.

Ganeti is told by a tag, for whoever looks there and for a database of ours that has to be made anew. It is written when
the owner is set, and never believed: anybody who may set tags there could have written it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.words import gettext as _
from operations.contract import AnyOperation, Ask, Claims, Invalid, NoParams, Submission
from operations.once import reading_once
from permissions.models import Persona
from rapi.client import RapiClient
from rapi.errors import RapiError
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, look_whether_same
from virtualmachines.operations.quota import judge_quota, require_quota
from virtualmachines.tags import is_owner_tag, owner_tag_for, show_told
from virtualmachines.usage import amounts_of_machine

_NOBODY = gettext_noop("No owner")


@dataclass(frozen=True)
class OfOwnerParams:
    """`opened`: the owner (`version_of_owner`) of whom this was said; of another it is not done. Empty: of anybody."""

    opened: str = ""


@dataclass(frozen=True)
class OwnerParams(OfOwnerParams):
    """None: nobody."""

    owner: Persona | None = None


def version_of_owner(owner_pk: int | None) -> str:
    """What tells one owner from another, and from nobody."""
    return str(owner_pk or 0)


def look_whether_same_owner(target: VirtualMachine, params: OfOwnerParams) -> None:
    """Of two who take a machine at the same instant the first has it. Raises Invalid."""
    if params.opened and params.opened != version_of_owner(target.owner_id):
        by_now = _("It belongs to %s by now. Nothing was changed.") % name_of(target.owner)
        raise Invalid({"": by_now if target.owner is not None else _("It belongs to nobody by now.")})


class WriteOwnerTag(VMOperation[NoParams]):
    """By itself once the owner was set; by hand where the tag was changed elsewhere.

    It keeps the machine busy, so that of two in a row the second knows what the first has written.
    """

    verb = "write-owner-tag"
    label = gettext_lazy("Write the owner tag")
    label_of_many = ngettext_lazy("Write the owner tag of %d machine", "Write the owner tag of %d machines")
    doing = gettext_lazy("writing its owner tag")
    noun = gettext_lazy("Writing an owner tag")
    needs = "set_owner"
    icon = "tag"
    question = gettext_lazy("Write the owner of {target} into its tag in Ganeti?")
    for_users = gettext_lazy("Whoever works on it notices nothing.")
    consequence = gettext_lazy("A tag in Ganeti that names another owner is removed.")

    def suits(self, target: VirtualMachine) -> bool:
        return super().suits(target) and (target.owner_id is not None or bool(target.owner_tag))

    def changes(self, ask: Ask[VirtualMachine, NoParams]) -> list[Change]:
        before, after = (
            each or Message(_NOBODY) for each in (show_told(ask.target.owner_tag), name_of(ask.target.owner))
        )
        return [Change("owner_tag", gettext_noop("owner tag"), before, after)]

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, NoParams], reason: str) -> Submission:
        """The new one first: whoever dies in between leaves one tag too many, and none that is missing."""
        target = ask.target
        missing, stale = _missing(target), _stale(target)
        if not (missing or stale):
            return Submission(message=_("Ganeti says so already."))
        look_whether_same(client, target)
        if not missing:
            return Submission([client.remove_tags("instance", target.name, stale, reason=reason)])
        jobs, message = [client.add_tags("instance", target.name, missing, reason=reason)], ""
        if stale:
            try:
                jobs.append(client.remove_tags("instance", target.name, stale, reason=reason))
            except RapiError as error:
                message = _("The tag of another owner is still there: %s") % error
        return Submission(jobs, message)


def name_of(owner: Persona | None) -> str:
    """A user, or @team; empty for nobody."""
    if owner is None:
        return ""
    return f"@{owner.name}" if owner.group_id is not None else owner.name


def tag_of(owner: Persona | None) -> str:
    """The tag that says so; empty where none can: a user's name that begins like a team's would name that team."""
    if owner is None or (owner.group_id is None and owner.name.startswith("@")):
        return ""
    return owner_tag_for(name_of(owner))


def _told(target: VirtualMachine) -> list[str]:
    """All owner tags that it had in Ganeti when it was read."""
    tags: Any = target.raw.get("tags")
    return [tag for tag in tags if isinstance(tag, str) and is_owner_tag(tag)] if isinstance(tags, list) else []


def _missing(target: VirtualMachine) -> list[str]:
    tag = tag_of(target.owner)
    return [tag] if tag and tag not in _told(target) else []


def _stale(target: VirtualMachine) -> list[str]:
    return [tag for tag in _told(target) if tag != tag_of(target.owner)]


class SetOwner(VMOperation[OwnerParams]):
    """For who administers the cluster: it puts the machine on the quota of somebody who may not be asked."""

    verb = "set-owner"
    label = gettext_lazy("Change owner")
    label_of_many = ngettext_lazy("Change the owner of %d machine", "Change the owner of %d machines")
    needs = "set_owner"
    icon = "person"
    question = gettext_lazy("Change the owner of {target}?")
    for_users = gettext_lazy("Whoever works on it notices nothing.")
    consequence = gettext_lazy(
        "It counts for the quota of its owner, and Ganeti is told by a tag. Rights on it stay as they are."
    )
    sends = False
    locks = False
    takes_quota = True
    judges_plans = True
    binds = ("opened",)
    then: ClassVar[Sequence[AnyOperation]] = (WriteOwnerTag(),)
    params_type = OwnerParams

    def rows(self) -> QuerySet[VirtualMachine]:
        return super().rows().select_related("owner")

    def judging_many(self) -> AbstractContextManager[None]:
        return reading_once()

    def bound_to(self, target: VirtualMachine) -> dict[str, str]:
        return {"opened": version_of_owner(target.owner_id)}

    def check(self, ask: Ask[VirtualMachine, OwnerParams]) -> None:
        owner, target = ask.params.owner, ask.target
        look_whether_same_owner(target, ask.params)
        if (owner.pk if owner is not None else None) == target.owner_id:
            raise Invalid({"owner": _("It is the owner already.") if owner is not None else _("It has no owner.")})
        # The machine is still another's.
        judge_quota(ask.actor, owner, target.cluster, amounts_of_machine(target), "owner")

    def claim(self, ask: Ask[VirtualMachine, OwnerParams], entry: UUID) -> Claims:
        """Of two that are given to one owner at once, the second counts the first."""
        target = ask.target
        wanted = amounts_of_machine(target)
        require_quota(ask.actor, ask.params.owner, target.cluster, wanted, "owner", instead_of=target)
        return Claims()

    def changes(self, ask: Ask[VirtualMachine, OwnerParams]) -> list[Change]:
        before, after = (
            each.name if each is not None else Message(_NOBODY) for each in (ask.target.owner, ask.params.owner)
        )
        return [Change("owner", gettext_noop("owner"), before, after)]

    def perform(self, ask: Ask[VirtualMachine, OwnerParams]) -> str:
        VirtualMachine.objects.filter(pk=ask.target.pk).update(owner=ask.params.owner)
        return ""

    def journal_params(self, params: OwnerParams) -> dict[str, str]:
        return {"owner": params.owner.name if params.owner is not None else ""}
