"""The journal: of everything one may know, of a cluster, a node, a machine; on pages and as a file."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node
from clusters.views.frame import cluster_page, node_page
from gwm.selectors import events_about, events_on, list_visible_events, with_links
from objectlog.reading import Told, read_event
from objectlog.sentences import SENTENCES
from operations.table import OPERATIONS
from permissions.kinds import places_of
from permissions.policy import can
from permissions.signed_in import person_of
from ui.exporting import FORMATS, MOST, as_csv, as_json
from ui.listing import list_page, order_rows, read_sort
from virtualmachines.selectors import get_vm
from virtualmachines.views.detail import vm_page

COLUMNS: dict[str, tuple[Any, ...]] = {
    "when": ("at",),
    "who": ("actor_name", "-at"),
    "target": ("target_name", "-at"),
    "outcome": ("outcome", "-at"),
}
OUTCOMES = {
    "open": (_("In progress"), ["submitting", "submitted", "unknown"]),
    "well": (_("Succeeded"), ["done", "succeeded"]),
    "bad": (_("Failed"), ["failed", "canceled", "refused", "not_submitted", "lost", "denied", "turned_away"]),
}


# What no operation does.
_OTHER_VERBS = {
    "grant": _("Grant a right"),
    "revoke": _("Revoke a right"),
    "grant-role": _("Grant a role"),
    "revoke-role": _("Revoke a role"),
    "role.set": _("Set a role"),
    "person.change-password": _("Change password"),
    "person.sign-in": _("Sign in"),
    "site.prune-journal": _("Prune the journal"),
}


def _label(verb: str) -> str | Promise:
    operation = OPERATIONS.get(verb)
    return operation.label if operation is not None else _OTHER_VERBS.get(verb, verb)


VERBS = {verb: _label(verb) for verb in SENTENCES}


def answer(request: HttpRequest, events: QuerySet[Any], template: str, context: dict[str, Any]) -> HttpResponse:
    """A page of `events`, or a file of all of them, as filtered by person, verb, object, outcome and words.

    Of an operation its last event is shown, and every step if one asks for `steps` or for that `entry`.
    """
    asked = {
        name: request.GET.get(name, "").strip()[:200]
        for name in ("who", "verb", "what", "outcome", "q", "steps", "entry")
    }
    events = _filter(events, asked)
    wanted = request.GET.get("format", "")
    if wanted in FORMATS:
        rows = list(order_rows(events, COLUMNS, read_sort(request, COLUMNS, "-when"))[: MOST + 1])
        return _export(wanted, rows[:MOST], is_complete=len(rows) <= MOST)
    listing = list_page(request, with_links(events), COLUMNS, "-when")
    here = listing.page.object_list
    places = places_of(person_of(request), [(event.target_kind, event.target_pk) for event in here])
    for event in here:
        event.place = places.get((event.target_kind, event.target_pk))
    shown = {
        **listing.as_context(),
        "asked": asked,
        "verbs": VERBS,
        "outcomes": [("", _("All"))] + [(name, label) for name, (label, __) in OUTCOMES.items()],
        "is_filtered": any(asked.values()),
    }
    return render(request, template, {**context, **shown})


def _filter(events: QuerySet[Any], asked: dict[str, str]) -> QuerySet[Any]:
    if asked["who"]:
        events = events.filter(Q(actor_name__iexact=asked["who"]) | Q(persona_name__iexact=asked["who"]))
    if asked["verb"] in VERBS:
        # What is the same for every kind stands here by its verb alone.
        verb = asked["verb"]
        events = events.filter(verb=verb) if "." in verb else events.filter(verb__endswith=f".{verb}")
    if asked["what"]:
        events = events.filter(Q(target_name__icontains=asked["what"]) | Q(cluster_name__iexact=asked["what"]))
    if asked["outcome"] in OUTCOMES:
        events = events.filter(outcome__in=OUTCOMES[asked["outcome"]][1])
    if asked["q"]:
        events = events.filter(said__icontains=asked["q"])
    if asked["entry"]:
        try:
            return events.filter(entry_uuid=UUID(asked["entry"]))
        except ValueError:
            return events.none()
    return events if asked["steps"] else events.filter(is_overtaken=False)


_HEADER = (
    *("Time", "Who", "Persona", "Via", "Outcome", "What happened", "Details", "Before and after", "Kind", "Object"),
    *("Object's uuid", "Cluster", "Jobs", "Number", "Seal"),
)


def _export(wanted: str, events: list[Any], *, is_complete: bool) -> HttpResponse:
    told = [(event, read_event(event)) for event in events]
    if wanted == "json":
        return as_json("journal", [_as_object(*each) for each in told], is_complete=is_complete)
    return as_csv("journal", _HEADER, (_as_cells(*each) for each in told), is_complete=is_complete)


def _as_cells(event: Any, told: Told) -> list[object]:
    changes = "; ".join(
        f"{label}: {before} → {after}" if before else f"{label}: {after}" for label, before, after in told.changes
    )
    return [
        *(event.at.isoformat(), event.actor_name, event.persona_name, told.via, event.get_outcome_display()),
        *(told.sentence, told.words, changes, event.target_kind, event.target_name, told.target_uuid),
        *(event.cluster_name, " ".join(map(str, told.job_ids)), event.number or "", event.seal),
    ]


def _as_object(event: Any, told: Told) -> dict[str, Any]:
    """The sealed text as it is, with the sentence in the reader's language and the seal."""
    return {**told.data, "sentence": told.sentence, "number": event.number, "seal": event.seal}


@require_safe
def journal(request: HttpRequest) -> HttpResponse:
    """Who did what, as far as one may know."""
    user = person_of(request)
    context = {"sees_all": bool(can(user, "see_journal_of_all"))}
    return answer(request, list_visible_events(user), "gwm/journal.html", context)


@require_safe
def vm_journal(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What was done to one machine."""
    user = person_of(request)
    vm = get_vm(user, slug, name)
    events = events_about(list_visible_events(user), "vm", vm.pk)
    return answer(request, events, "gwm/vm_journal.html", vm_page(user, vm, "journal"))


@require_safe
def cluster_journal(request: HttpRequest, slug: str) -> HttpResponse:
    """What was done to a cluster, and to what is on it."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    events = events_on(list_visible_events(user), cluster.pk)
    return answer(request, events, "gwm/cluster_journal.html", cluster_page(user, cluster, "journal"))


@require_safe
def node_journal(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What was done to one node."""
    user = person_of(request)
    node = get_node(user, slug, name)
    events = events_about(list_visible_events(user), "node", node.pk)
    return answer(request, events, "gwm/node_journal.html", node_page(user, node, "journal"))
