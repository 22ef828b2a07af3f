"""Templates on the page on which machines are created: one that is used, and one that is saved beside the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from operations.contract import SITE, Actor, Ask, Forbidden, Invalid, Refusal
from operations.pipeline import do_beside
from virtualmachines.forms.creating import MachineForm
from virtualmachines.forms.pieces.piece import Typed
from virtualmachines.forms.pieces.typed import ON
from virtualmachines.operations.templates import NOTHING, CreateTemplate, TemplateParams, spec_of_template
from virtualmachines.spec import VMSpec
from virtualmachines.spec.copying import as_template, without_guarded
from virtualmachines.spec.telling import labels_of_lost
from virtualmachines.template_selectors import called, find_template_called


@dataclass(frozen=True)
class TemplateInUse:
    """A template from which a machine is created: what of it may be set by who does, and the rest in `left_out`."""

    name: str = ""
    spec: VMSpec = NOTHING
    whole: VMSpec = NOTHING
    typed: Typed = field(default_factory=dict)

    @classmethod
    def find(cls, user: Any, text: str, *, is_admin: bool) -> TemplateInUse:
        """The one that is called so; nothing, if there is none that they may use and this release can read."""
        template = find_template_called(user, text) if text else None
        if template is None:
            return cls()
        try:
            whole = spec_of_template(template)
        except Refusal:
            return cls()
        spec = whole if is_admin else without_guarded(whole)[0]
        typed = {"notes": template.notes, **({"is_protected": ON} if template.is_protected else {})}
        return cls(called(template), spec, whole, typed)

    def find_left_out(self, spec: VMSpec) -> list[str]:
        """What the template says and a form that reads as `spec` does not."""
        return labels_of_lost(self.whole, spec)


def template_beside(form: MachineForm) -> TemplateParams:
    """The template that is to be saved together with the machine of this form."""
    params = form.params()
    spec = as_template(params.spec)
    return TemplateParams(
        str(form.cleaned_data["save_as"]).strip(),
        form.cluster,
        spec,
        params.owner,
        notes=params.notes,
        is_protected=params.is_protected,
    )


def judge_beside(actor: Actor, wanted: TemplateParams) -> None:
    """Before the machine is made. Raises Invalid; what is wrong with both is told of the machine."""
    try:
        CreateTemplate().check(Ask(actor, SITE, wanted))
    except Invalid as invalid:
        if words := invalid.errors.get("name"):
            raise Invalid({"save_as": words}) from invalid


def saving_beside(actor: Actor, wanted: TemplateParams) -> Callable[[Any], None]:
    """What writes the template in the transaction in which the machine, or the plan of several, is written down.

    So there are both or neither, whatever happens to this process. What it raises undoes both.
    """

    def save(_with: Any) -> None:
        try:
            do_beside(CreateTemplate(), Ask(actor, SITE, wanted))
        except Invalid as invalid:
            words = invalid.errors.get("name")
            raise Invalid({"save_as": words or _("The template can't be saved: %s") % invalid}) from invalid
        except Forbidden as forbidden:
            raise Invalid({"save_as": str(forbidden)}) from forbidden

    return save


def say_saved(request: HttpRequest, wanted: TemplateParams | None) -> None:
    """On the next page."""
    if wanted is not None:
        messages.success(request, _("Template %s saved.") % wanted.name)
