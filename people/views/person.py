"""The page of one account, and what the person holds, by whatever way and on whatever."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
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
from people.views.rights import typed_for
from people.words import EVERYTHING
from permissions.kinds import KINDS, kind_of
from permissions.policy import Holding, access_of, find_holdings_of, is_administrator
from permissions.signed_in import person_of
from ui.places import tabs_of

_FIRST = ("edit", "set-password", "sign-out")


def person_page(person: Any, current: str) -> dict[str, Any]:
    """Buttons and tabs of a person's page; whoever sees it may change it."""
    needed = frozenset(operation.needs for operation in PERSON_OPERATIONS)
    offers = list_offers(person, PERSON_OPERATIONS, needed)
    buttons = [button_of(each, reverse("person-do", args=[person.username, each.operation.verb])) for each in offers]
    first, more = put_first(buttons, _FIRST)
    tabs = tabs_of("person", [person.username], current)
    return {
        "person": person,
        "is_administrator": is_administrator(person),
        "buttons": first,
        "menu": menu_of(more),
        "tabs": tabs,
    }


@require_safe
def person_overview(request: HttpRequest, name: str) -> HttpResponse:
    """Who it is, in which teams, and what they own."""
    person = get_account(person_of(request), name)
    owned = list_owned(person)
    context = {
        **person_page(person, "overview"),
        "owned": [(each, f"{reverse('vms')}?{urlencode({'owner': name, 'cluster': each.slug})}") for each in owned],
        "owned_url": f"{reverse('vms')}?{urlencode({'owner': name})}",
        "factors": list_factors(person),
        "connected": [provider.name for provider in list_providers_of(person)],
        "sessions": list_sessions(person, request),
        "n_owned": sum(each.machines for each in owned),
    }
    return render(request, "people/person.html", context)


@dataclass(frozen=True)
class Row:
    """What was given in one way: where, what, and what can be done about it."""

    held: Holding
    name: str
    belongs_to: str
    url: str
    change: str = ""
    revoke: str = ""


@require_safe
def person_rights(request: HttpRequest, name: str) -> HttpResponse:
    """All that was given to a person and to their teams; `on` leads to where more is given."""
    user = person_of(request)
    person = get_account(user, name)
    typed, back = request.GET.get("on", "").strip(), request.path
    problem = ""
    if typed:
        filled = {"who": name, "next": back}
        there = door_to("grant-role", filled) if typed == EVERYTHING else _grant_on(user, typed, filled)
        if there:
            return redirect(there)
        problem = _("There is no %s on which rights can be granted.") % typed
    rows = [_row(each, person, back) for each in find_holdings_of(person)]
    context = {**person_page(person, "rights"), "rows": rows, "typed": typed, "problem": problem}
    return render(request, "people/person_rights.html", context)


def _row(held: Holding, person: Any, back: str) -> Row:
    """What the person holds through a team is changed there."""
    if held.on is None:
        revoke = "" if held.is_team else door_to("revoke-role", {**typed_for(held), "next": back})
        return Row(held, _("everything"), "", reverse("site-rights"), "", revoke)
    parent = access_of(type(held.on)).parent
    told = str(held.on), str(getattr(held.on, parent) or "") if parent else "", kind_of(held.on).url_of(held.on)
    who = {"who": person.username, "next": back}
    if held.is_team:
        return Row(held, *told)
    if held.role is None:
        return Row(held, *told, _door(held.on, "set-rights", who), _door(held.on, "revoke", who))
    revoke = _door(held.on, "revoke-role", {**typed_for(held), "next": back})
    return Row(held, *told, "", revoke)


def _door(obj: Any, verb: str, filled: dict[str, str]) -> str:
    """Where this is done to an object; empty where it has no such page."""
    kind = kind_of(obj)
    try:
        return f"{reverse(f'{kind.name}-do', args=[*kind.place_of(obj), verb])}?{urlencode(filled)}"
    except NoReverseMatch:
        return ""


def _grant_on(user: Any, typed: str, filled: dict[str, str]) -> str:
    """Where rights are granted on what is called so; empty if `user` sees no such thing."""
    for kind in KINDS.values():
        where = kind.parse(typed) if kind.grantable else None
        if where is None:
            continue
        try:
            return _door(kind.find(user, **where), "grant", filled)
        except Http404:
            continue
    return ""
