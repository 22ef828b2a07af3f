"""The journal: of everything one may know, and of one machine."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from gwm.selectors import entries_about, list_visible_entries, with_links
from objectlog.sentences import SENTENCES
from operations.table import OPERATIONS
from permissions.policy import can
from permissions.signed_in import person_of
from ui.listing import list_page
from virtualmachines.selectors import get_vm
from virtualmachines.views.detail import vm_page

COLUMNS: dict[str, tuple[Any, ...]] = {
    "when": ("created_at",),
    "who": ("actor_name", "-created_at"),
    "target": ("target_name", "-created_at"),
    "outcome": ("outcome", "-created_at"),
}
OUTCOMES = {
    "open": (_("In progress"), ["submitting", "submitted", "unknown"]),
    "well": (_("Succeeded"), ["done", "succeeded"]),
    "bad": (_("Failed"), ["failed", "canceled", "refused", "not_submitted", "lost"]),
}


# What no operation does.
_OTHER_VERBS = {
    "grant": _("Grant a right"),
    "revoke": _("Revoke a right"),
    "person.change-password": _("Change password"),
    "person.sign-in": _("Sign in"),
    "site.prune-journal": _("Prune the journal"),
}


def _label(verb: str) -> str | Promise:
    operation = OPERATIONS.get(verb)
    return operation.label if operation is not None else _OTHER_VERBS.get(verb, verb)


VERBS = {verb: _label(verb) for verb in SENTENCES}


def journal_context(request: HttpRequest, entries: QuerySet[Any]) -> dict[str, Any]:
    """A page of `entries`, filtered by person, verb, object and outcome."""
    asked = {name: request.GET.get(name, "").strip()[:200] for name in ("who", "verb", "what", "outcome")}
    if asked["who"]:
        entries = entries.filter(Q(actor_name__iexact=asked["who"]) | Q(persona_name__iexact=asked["who"]))
    if asked["verb"] in VERBS:
        # What is the same for every kind stands here by its verb alone.
        is_key = "." in asked["verb"]
        entries = entries.filter(
            **{"verb" if is_key else "verb__endswith": asked["verb"] if is_key else f".{asked['verb']}"}
        )
    if asked["what"]:
        entries = entries.filter(Q(target_name__icontains=asked["what"]) | Q(cluster_name__iexact=asked["what"]))
    if asked["outcome"] in OUTCOMES:
        entries = entries.filter(outcome__in=OUTCOMES[asked["outcome"]][1])
    return {
        **list_page(request, with_links(entries), COLUMNS, "-when").as_context(),
        "asked": asked,
        "verbs": VERBS,
        "outcomes": [("", _("All"))] + [(name, label) for name, (label, __) in OUTCOMES.items()],
        "is_filtered": any(asked.values()),
    }


@require_safe
def journal(request: HttpRequest) -> HttpResponse:
    """Who did what, as far as one may know."""
    user = person_of(request)
    context = journal_context(request, list_visible_entries(user))
    return render(request, "gwm/journal.html", {**context, "sees_all": bool(can(user, "see_journal_of_all"))})


@require_safe
def vm_journal(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What was done to one machine."""
    user = person_of(request)
    vm = get_vm(user, slug, name)
    context = journal_context(request, entries_about(list_visible_entries(user), "vm", vm.pk))
    return render(request, "gwm/vm_journal.html", {**vm_page(user, vm, "journal"), **context})
