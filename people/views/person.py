"""The page of one account, and what the person holds, by whatever way and on whatever."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.views.buttons import button_of, menu_of, put_first
from operations.offers import list_offers
from people.account_selectors import get_account, list_owned
from people.factors import list_factors
from people.openid.accounts import list_providers_of
from people.operations import PERSON_OPERATIONS
from people.sessions import list_sessions
from people.views.everywhere import door_to
from people.views.holdings import door_on, row_of
from people.words import EVERYTHING
from permissions.kinds import KINDS
from permissions.policy import can, find_holdings_of, is_administrator
from permissions.signed_in import person_of
from ui.places import tabs_of

_FIRST = ("edit", "set-password", "sign-out")


def person_page(user: Any, person: Any, current: str) -> dict[str, Any]:
    """Buttons and tabs of a person's page; who sees it and may not change it has no buttons."""
    may_change = bool(can(user, "change_people"))
    needed = frozenset(operation.needs for operation in PERSON_OPERATIONS)
    offers = list_offers(person, PERSON_OPERATIONS, needed, user) if may_change else []
    buttons = [button_of(each, reverse("person-do", args=[person.username, each.operation.verb])) for each in offers]
    first, more = put_first(buttons, _FIRST)
    tabs = tabs_of("person", [person.username], current)
    return {
        "person": person,
        "is_administrator": is_administrator(person),
        "may_change": may_change,
        "buttons": first,
        "menu": menu_of(more),
        "tabs": tabs,
    }


@require_safe
def person_overview(request: HttpRequest, name: str) -> HttpResponse:
    """Who it is, in which teams, and what they own."""
    user = person_of(request)
    person = get_account(user, name)
    owned = list_owned(person)
    context = {
        **person_page(user, person, "overview"),
        "owned": [(each, f"{reverse('vms')}?{urlencode({'owner': name, 'cluster': each.slug})}") for each in owned],
        "owned_url": f"{reverse('vms')}?{urlencode({'owner': name})}",
        "factors": list_factors(person),
        "connected": [provider.name for provider in list_providers_of(person)],
        "sessions": list_sessions(person, request),
        "n_owned": sum(each.machines for each in owned),
    }
    return render(request, "people/person.html", context)


@require_safe
def person_rights(request: HttpRequest, name: str) -> HttpResponse:
    """All that was given to a person and to their teams; `on` leads to where more is given."""
    user = person_of(request)
    person = get_account(user, name)
    page = person_page(user, person, "rights")
    may_change = bool(page["may_change"])
    typed, back, problem = request.GET.get("on", "").strip(), request.path, ""
    if typed and may_change:
        filled = {"who": name, "next": back}
        there = door_to("grant-role", filled) if typed == EVERYTHING else _grant_on(user, typed, filled)
        if there:
            return redirect(there)
        problem = _("There is no %s on which rights can be granted.") % typed
    rows = [row_of(each, back if may_change and not each.is_team else "") for each in find_holdings_of(person)]
    context = {**page, "rows": rows, "typed": typed, "problem": problem}
    return render(request, "people/person_rights.html", context)


def _grant_on(user: Any, typed: str, filled: dict[str, str]) -> str:
    """Where rights are granted on what is called so; empty if `user` sees no such thing."""
    for kind in KINDS.values():
        where = kind.parse(typed) if kind.grantable else None
        if where is None:
            continue
        try:
            return door_on(kind.find(user, **where), "grant", filled)
        except Http404:
            continue
    return ""
