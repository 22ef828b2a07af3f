"""What is done about a machine that is otherwise in Ganeti than here: take its owner from its tag, accept changes."""

from contextlib import AbstractContextManager
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, ngettext_lazy

from clusters.models import Cluster
from clusters.operations.accepting import Accept
from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, Invalid, OverQuota
from operations.once import read_once
from permissions.models import Persona
from permissions.selectors import find_persona_of_anybody
from virtualmachines.drifting import tell_drift_of
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation
from virtualmachines.operations.owning import OfOwnerParams, OwnerParams, SetOwner, name_of
from virtualmachines.tags import show_told, tells_several

_AS_SAID = SetOwner()


class Adopt(VMOperation[OfOwnerParams]):
    """Whoever may set tags in Ganeti may have written any name there, so it counts only when an administrator says so.

    Like any change of the owner it grants nothing, and is judged by the quota of who is to own it.
    """

    verb = "adopt"
    takes_quota = True
    judges_plans = True
    label = gettext_lazy("Assign the owner of its tag")
    label_of_many = ngettext_lazy(
        "Assign the owner of its tag to %d machine", "Assign the owners of their tags to %d machines"
    )
    needs = "set_owner"
    icon = "person"
    question = gettext_lazy("Make the owner of {target} who its tag in Ganeti names?")
    consequence = _AS_SAID.consequence
    for_users = _AS_SAID.for_users
    sends = False
    locks = False
    binds = ("opened",)
    params_type = OfOwnerParams

    def rows(self) -> QuerySet[VirtualMachine]:
        return _AS_SAID.rows()

    def judging_many(self) -> AbstractContextManager[None]:
        return _AS_SAID.judging_many()

    def bound_to(self, target: VirtualMachine) -> dict[str, str]:
        return _AS_SAID.bound_to(target)

    def suits(self, target: VirtualMachine) -> bool:
        return super().suits(target) and target.owner_tag not in ("", name_of(target.owner))

    def obstacle(self, target: VirtualMachine) -> str | None:
        if tells_several(target.owner_tag):
            return _("Its tags in Ganeti name several owners: %s.") % show_told(target.owner_tag)
        return None if target.owner_tag else _("It has no owner tag in Ganeti.")

    def check(self, ask: Ask[VirtualMachine, OfOwnerParams]) -> None:
        if _named(ask.target) is None:
            words = _("Its tag names %s, and there is nobody called so here.") % ask.target.owner_tag
            raise Invalid({"": words})
        try:
            _AS_SAID.check(_meant(ask))
        except OverQuota as over:
            raise OverQuota({"": str(over)}, over.on) from over
        except Invalid as invalid:
            raise Invalid({"": str(invalid)}) from invalid

    def claim(self, ask: Ask[VirtualMachine, OfOwnerParams], entry: UUID) -> Claims:
        return _AS_SAID.claim(_meant(ask), entry)

    def changes(self, ask: Ask[VirtualMachine, OfOwnerParams]) -> list[Change]:
        return _AS_SAID.changes(_meant(ask))

    def perform(self, ask: Ask[VirtualMachine, OfOwnerParams]) -> str:
        target = ask.target
        target.owner = _meant(ask).params.owner
        target.drift = {field: before for field, before in target.drift.items() if field != "owner_tag"}
        target.drift_since = target.drift_since if target.drift else None
        target.save(update_fields=["owner", "drift", "drift_since"])
        return ""

    def journal_params(self, params: OfOwnerParams) -> dict[str, str]:
        return {}


def _meant(ask: Ask[VirtualMachine, OfOwnerParams]) -> Ask[VirtualMachine, OwnerParams]:
    return Ask(ask.actor, ask.target, OwnerParams(ask.params.opened, _named(ask.target)), ask.dry_run)


def _named(target: VirtualMachine) -> Persona | None:
    """Whom its tag names."""
    tag = target.owner_tag
    return read_once(("named", tag), lambda: find_persona_of_anybody(tag))


class AcceptMachine(Accept[VirtualMachine]):
    """Of a machine: its name, place, size and settings."""

    kind = "vm"
    label_of_many = ngettext_lazy("Accept the changes of %d machine", "Accept the changes of %d machines")
    for_users = gettext_lazy("Nobody notices: it was changed before.")

    def cluster_of(self, target: VirtualMachine) -> Cluster:
        return target.cluster

    def rows(self) -> QuerySet[VirtualMachine]:
        return VirtualMachine.objects.select_related("cluster", "primary_node", "secondary_node").order_by("name", "pk")

    def tell(self, target: VirtualMachine) -> list[Change]:
        return tell_drift_of(target, sees_host=False)
