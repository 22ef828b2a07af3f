"""The journal: of everything one may know, of a cluster, a node, a machine; on pages and as a file."""

from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node
from clusters.views.frame import cluster_page, node_page
from gwm.journal_list import CHOICES, EVENTS, FOUND, JOURNAL_TABLE, LAST, LAST_IN, OUTCOMES, OVERTAKEN, in_cluster
from gwm.journal_search import Part, find_few, find_first_keys, find_parts, gives_first
from gwm.selectors import events_about, events_of, events_on, with_links
from people.account_selectors import get_account
from people.selectors import get_team
from people.views.person import person_page
from people.views.teams import team_page
from permissions.journal import list_visible_events, read_few_visible_events
from permissions.kinds import places_of
from permissions.policy import can
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.filtering import Wanted
from ui.listed import OfFew, unfiltered
from ui.listing import order_rows, read_deepest
from ui.tables import Shown, show
from virtualmachines.selectors import get_vm
from virtualmachines.template_selectors import get_template
from virtualmachines.views.detail import vm_page
from virtualmachines.views.templates import template_page

# To count a million events takes longer than to show some.
_AHEAD = 4


def answer(
    request: HttpRequest,
    events: QuerySet[Any],
    template: str,
    context: dict[str, Any],
    without: tuple[str, ...] = (),
    *,
    are_few: bool = False,
) -> HttpResponseBase:
    """A page of `events`, or a file of all that match; `without` columns that say the same in every row. Events that
    `are_few` are looked up by their keys.

    Of an operation its last event is shown, and every step if one asks for `steps` or for that `entry`.
    """
    shown = show(request, JOURNAL_TABLE, choice_of(person_of(request), JOURNAL_TABLE.name), without)
    wanted = Wanted.parse(EVENTS, request.GET)
    steps, entry = request.GET.get("steps", ""), request.GET.get("entry", "").strip()
    rows = shown.load(_only_last(events.filter(wanted.asked.condition), steps, "" if are_few else shown.sort, entry))
    file = shown.export(request, rows)
    if file is not None:
        return file
    if not entry and not are_few:
        rows = shown.load(find_events(events, wanted, shown, steps, read_deepest(request, shown.per_page, _AHEAD) + 1))
    listing = shown.page(request, with_links(rows), ahead=_AHEAD)
    here = listing.page.object_list
    places = places_of(person_of(request), [(event.target_kind, event.target_pk) for event in here])
    for event in here:
        event.place = places.get((event.target_kind, event.target_pk))
    groups = [("", _("All"), None), *((name, label, None) for name, (label, __) in OUTCOMES.items())]
    verb = next(iter(wanted.values_of("verb")), "")
    drawn = {
        **shown.as_context(listing, wanted, groups=groups, grouped_by="outcome"),
        "steps": steps,
        "entry": entry,
        "selects": [{"key": "verb", "label": _("What was done"), "options": CHOICES.draw(verb)}],
        "is_filtered": bool(wanted.terms or entry),
        "nothing_matches": wanted.explain(
            _("None of the entries you may read matches. Leave out a word, or look at all.")
        ),
    }
    return render(request, template, {**context, **drawn})


def _only_last(events: QuerySet[Any], steps: str, sort: str, entry: str = "") -> QuerySet[Any]:
    """Of each operation the last event, or every one; by an index where the order has it."""
    if entry:
        try:
            return events.filter(entry_uuid=UUID(entry))
        except ValueError:
            return events.none()
    if steps:
        return events
    return events.filter(LAST if sort.lstrip("-") in LAST_IN else Q(is_overtaken=False))


def find_events(events: QuerySet[Any], wanted: Wanted, shown: Shown, steps: str, most: int) -> QuerySet[Any]:
    """Of those that match the first so many, and perhaps more. By time they are found with an index that has what was
    asked for in the order of time, one for each way in which it may be met: no database does so for several. Before
    that, words that few events have are looked up, in whatever order they are shown."""
    by_time = shown.sort.lstrip("-") in JOURNAL_TABLE.parted_by
    key = next((key for key in FOUND if len(wanted.values_of(key)) == 1), None)
    parts = find_parts(wanted)
    few = find_few(parts) if parts else None
    rows = _only_last(events.filter(wanted.asked.condition), steps, "")
    if few is not None:
        if not by_time:
            return rows.filter(reduce(or_, _besides(parts), few))
        return unfiltered(events).filter(pk__in=_first_keys(rows, [few, *_besides(parts)], shown.sort, most))
    if by_time and key is not None:
        ways = FOUND[key](wanted.values_of(key)[0])
        rows = events.filter(wanted.without(key).asked.condition)
        if key == "outcome":  # whether it is overtaken stands in this index alone
            ways = [way & last for way in ways for last in ((LAST, OVERTAKEN) if steps else (LAST,))]
        else:
            rows = _only_last(rows, steps, "")
        some = (_order(rows.filter(way), shown.sort)[:most] for way in ways)
        return events.filter(reduce(or_, (Q(OfFew(F("pk"), each.values("pk"))) for each in some)))
    if by_time and parts and gives_first(events):
        near = _order(_only_last(events, steps, shown.sort), shown.sort).values("pk")[:_NEAR]
        keys = _first_keys(rows, [Q(pk__in=near)], shown.sort, most)
        if len(keys) < most:
            keys = find_first_keys(rows, parts, most, upwards=not shown.sort.startswith("-"))
            keys += _first_keys(rows, _besides(parts), shown.sort, most)
        return events.filter(pk__in=keys)
    rows = _only_last(events.filter(wanted.asked.condition), steps, shown.sort)
    if by_time and events.query.where:
        # To count what one may see of all, in no order, takes databases longer than to find the first of it.
        return unfiltered(events).filter(pk__in=_first_keys(rows, [Q()], shown.sort, most))
    return rows


# So many are looked at before an index is asked for what has come by in nearly all of them.
_NEAR = 2000


def _first_keys(rows: QuerySet[Any], ways: list[Q], sort: str, most: int) -> list[int]:
    return [pk for way in ways for pk in _order(rows.filter(way), sort).values_list("pk", flat=True)[:most]]


def _order(rows: QuerySet[Any], sort: str) -> QuerySet[Any]:
    ordered: QuerySet[Any] = order_rows(rows, JOURNAL_TABLE.orders, sort)
    return ordered


def _besides(parts: tuple[Part, ...]) -> list[Q]:
    """How what has not these parts may match, too: a name may be that of a cluster."""
    return [in_cluster(part.word) for part in parts if part.column == "target_name"]


@require_safe
def journal(request: HttpRequest) -> HttpResponseBase:
    """Who did what, as far as one may know."""
    user = person_of(request)
    context = {"sees_all": bool(can(user, "see_journal_of_all"))}
    few = read_few_visible_events(user)
    events = list_visible_events(user) if few is None else few
    return answer(request, events, "gwm/journal.html", context, are_few=few is not None)


@require_safe
def vm_journal(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """What was done to one machine."""
    user = person_of(request)
    vm = get_vm(user, slug, name, to_show=True)
    events = events_about(list_visible_events(user), "vm", vm.pk)
    return answer(request, events, "gwm/vm_journal.html", vm_page(user, vm, "journal"), ("target",))


@require_safe
def cluster_journal(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What was done to a cluster, and to what is on it."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    events = events_on(list_visible_events(user), cluster.pk)
    return answer(request, events, "gwm/cluster_journal.html", cluster_page(user, cluster, "journal"))


@require_safe
def node_journal(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """What was done to one node."""
    user = person_of(request)
    node = get_node(user, slug, name)
    events = events_about(list_visible_events(user), "node", node.pk)
    return answer(request, events, "gwm/node_journal.html", node_page(user, node, "journal"), ("target",))


@require_safe
def template_journal(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """What was done to one template."""
    user = person_of(request)
    template = get_template(user, slug, name)
    events = events_about(list_visible_events(user), "template", template.pk)
    page = template_page(user, template, "journal")
    return answer(request, events, "gwm/template_journal.html", page, ("target",))


@require_safe
def person_journal(request: HttpRequest, name: str) -> HttpResponseBase:
    """What somebody did, and what was done to their account."""
    user = person_of(request)
    person = get_account(user, name)
    events = events_of(list_visible_events(user), person.pk)
    return answer(request, events, "gwm/person_journal.html", person_page(user, person, "journal"))


@require_safe
def team_journal(request: HttpRequest, name: str) -> HttpResponseBase:
    """What was done to one team."""
    user = person_of(request)
    team = get_team(user, name)
    events = events_about(list_visible_events(user), "team", team.pk)
    return answer(request, events, "gwm/team_journal.html", team_page(user, team, "journal"), ("target",))
