"""Notes on a machine: ours, which Ganeti does not know."""

import hashlib
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid
from ui.templatetags.units import DASH
from virtualmachines.models import VirtualMachine
from virtualmachines.notes import LONGEST
from virtualmachines.operations.base import VMOperation

_VERSION_LENGTH = 16


@dataclass(frozen=True)
class NotesParams:
    """What they are to say. `opened`: the version that this was said of; with another nothing is kept. Empty: any."""

    notes: str = ""
    opened: str = ""


class EditNotes(VMOperation[NotesParams]):
    """Ganeti is not asked, so its cluster may be away, and what is under way on the machine does not matter."""

    verb = "notes"
    label = gettext_lazy("Edit notes")
    needs = "modify"
    icon = "edit"
    question = gettext_lazy("Notes on {target}")
    for_users = gettext_lazy("Everybody who sees the machine can read them.")
    sends = False
    locks = False
    params_type = NotesParams

    def check(self, ask: Ask[VirtualMachine, NotesParams]) -> None:
        notes, now = ask.params.notes, ask.target.notes
        if ask.params.opened and ask.params.opened != version_of_notes(now):
            words = _("Somebody has changed the notes since you opened them. Nothing of yours was kept yet.")
        elif len(notes) > LONGEST:
            words = _("Notes take %d characters at most.") % LONGEST
        else:
            words = _("They say that already.") if notes == now else ""
        if words:
            raise Invalid({"notes": words})

    def changes(self, ask: Ask[VirtualMachine, NotesParams]) -> list[Change]:
        return [Change("notes", gettext_noop("notes"), ask.target.notes or DASH, ask.params.notes or DASH)]

    def perform(self, ask: Ask[VirtualMachine, NotesParams]) -> str:
        VirtualMachine.objects.filter(pk=ask.target.pk).update(notes=ask.params.notes)
        return ""

    def journal_params(self, params: NotesParams) -> dict[str, str]:
        return {}  # before and after are kept already


def version_of_notes(notes: str) -> str:
    """What tells notes from those before."""
    return hashlib.sha256(notes.encode()).hexdigest()[:_VERSION_LENGTH]
