"""The journal: of everything one may know, of a cluster, a node, a machine; on pages and as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster, get_node
from clusters.views.frame import cluster_page, node_page
from gwm.journal_found import (
    MOST_WALKED,
    Found,
    Sparse,
    find_among,
    find_asked_near,
    find_by_ways,
    find_events,
    find_near,
    is_by_time,
    is_page_of_all,
    only_last,
)
from gwm.journal_list import CHOICES, EVENTS, JOURNAL_TABLE, OUTCOMES
from gwm.selectors import events_about, events_of, events_on, with_links
from people.account_selectors import get_account
from people.selectors import get_team
from people.views.person import person_page
from people.views.teams import team_page
from permissions.journal import list_visible_events, read_few_visible_events, reads_of_many, ways_to_read
from permissions.kinds import places_of
from permissions.policy import can
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.exporting import is_file_wanted
from ui.filtering import Wanted
from ui.listing import read_deepest
from ui.paging import DEEPEST, DEEPEST_SEARCHED
from ui.tables import show
from virtualmachines.selectors import get_vm
from virtualmachines.template_selectors import get_template
from virtualmachines.views.detail import vm_page
from virtualmachines.views.templates import template_page

if TYPE_CHECKING:
    from permissions.models import User

# To count a million events takes longer than to show some; where not all may be read, others are gone past for each.
_AHEAD, _AHEAD_OF_SOME = 4, 1


def answer(
    request: HttpRequest,
    events: QuerySet[Any],
    template: str,
    context: dict[str, Any],
    without: tuple[str, ...] = (),
    *,
    reader: User | None = None,
    ahead: int = _AHEAD,
    most_walked: int = MOST_WALKED,
) -> HttpResponseBase:
    """A page of `events`, or a file of all that match; `without` columns that say the same in every row. So many pages
    `ahead` are counted, and no more than `most_walked` looked at one by one unless one asks for it (`far`). Where a
    `reader` may read some of all, these are looked up if they are few; of more the first are looked for among all, and
    then by each reason to read some, which goes less deep. What is asked of many is asked of the first of all, unless
    it is `far`.

    Of an operation its last event is shown, and every step if one asks for `steps` or for that `entry`.
    """
    shown = show(request, JOURNAL_TABLE, choice_of(person_of(request), JOURNAL_TABLE.name), without)
    wanted = Wanted.parse(EVENTS, request.GET)
    steps, entry = request.GET.get("steps", ""), request.GET.get("entry", "").strip()
    is_all = is_page_of_all(wanted, shown)
    end = DEEPEST if is_all or entry else DEEPEST_SEARCHED
    is_far = bool(request.GET.get("far"))
    is_page = not (entry or is_far or is_file_wanted(request))
    is_many = reader is not None and is_page and reads_of_many(reader)
    some = None if reader is None or is_many else read_few_visible_events(reader)
    events, ahead = (events, ahead) if some is None else (some, _AHEAD)
    rows = only_last(events.filter(wanted.asked.condition), steps, "" if some is not None else shown.sort, entry)
    file = shown.export(request, shown.load(rows))
    if file is not None:
        return file

    def most_to(ahead: int) -> int:
        return read_deepest(request, shown.per_page, ahead, end) + 1

    found = None
    if entry:
        found = Found(rows)
    elif some is not None:
        found = find_among(rows, shown.sort, most_to(ahead))
    elif is_page and is_all and reader is not None:
        near = find_near(events, shown, steps, most_to(ahead), reader.pk)
        if isinstance(near, Sparse):
            ahead, ways, end = _AHEAD, ways_to_read(reader, looked_up=True), DEEPEST_SEARCHED
            found = find_by_ways(events, ways, shown, steps, most_to(ahead), near.end)
        else:
            found = near
    elif is_page and (reader is not None or not (events.query.where or wanted.is_empty or is_by_time(shown))):
        found = find_asked_near(events, wanted, shown, steps, most_to(ahead))
    if found is None:
        found = find_events(events, wanted, shown, steps, most_to(ahead), most_walked=None if is_far else most_walked)
    listing = shown.page(
        request, with_links(shown.load(found.rows)), keys_first=True, ahead=ahead, end=end, keys=found.keys
    )
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
        "as_far_as": found.as_far_as if listing.page.paginator.count < most_to(ahead) else None,
        "is_by_time": is_by_time(shown),
        "nothing_matches": wanted.explain(
            _("None of the entries you may read matches. Leave out a word, or look at all.")
            if found.as_far_as is None
            else _("None of the entries that were looked at matches. Search all entries, or leave out a word.")
        ),
    }
    return render(request, template, {**context, **drawn})


@require_safe
def journal(request: HttpRequest) -> HttpResponseBase:
    """Who did what, as far as one may know."""
    user = person_of(request)
    sees_all = bool(can(user, "see_journal_of_all"))
    events, context = list_visible_events(user), {"sees_all": sees_all}
    if sees_all:
        return answer(request, events, "gwm/journal.html", context)
    return answer(request, events, "gwm/journal.html", context, reader=user, ahead=_AHEAD_OF_SOME)


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
