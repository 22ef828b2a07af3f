"""Teams: their list, the page of one, and the form in which one is made."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clusters.views.buttons import button_of, menu_of, put_first
from operations.actors import actor_of
from operations.contract import SITE, Ask, Invalid
from operations.offers import list_offers
from operations.pipeline import run
from operations.table import list_operations
from operations.views.denying import refuse
from people.forms.teams import TeamForm
from people.operations.teams import CreateTeam
from people.selectors import (
    get_team,
    held_on_teams,
    is_member,
    list_keys_of_team,
    list_members,
    list_team_rows,
    verbs_by_person,
)
from people.team_columns import MEMBER_TABLE, TEAM_TABLE
from people.views.holdings import row_of
from people.views.rights import rights_of
from permissions.policy import Denied, access_of, can, find_holdings_of_team, verbs_on
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.places import tabs_of
from ui.tables import answer, show
from virtualmachines.selectors import list_vms
from virtualmachines.views.lists import answer_with_vms

# What stands on the page of a team; the rest is done where its members and its rights are listed.
_ON_PAGE = ("add-member", "rename", "delete")


@require_safe
def team_list(request: HttpRequest) -> HttpResponseBase:
    """The teams that the person may see."""
    user = person_of(request)
    shown = show(request, TEAM_TABLE, choice_of(user, TEAM_TABLE.name))

    def more(teams: Any) -> dict[str, Any]:
        return {"held_on": held_on_teams(user, teams), "may_change_teams": bool(can(user, "change_teams"))}

    nothing = _("None of the teams you may see matches. Leave out a word.")
    return answer(request, shown, list_team_rows(user), "people/teams.html", nothing, more=more)


@require_http_methods(["GET", "HEAD", "POST"])
def team_create(request: HttpRequest) -> HttpResponse:
    """A name, and the team is there; its members come on its page."""
    user = person_of(request)
    verdict = can(user, "change_teams")
    if isinstance(verdict, Denied):
        refuse(request, CreateTeam(), SITE, verdict.reason)
    form = TeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        operation = CreateTeam()
        try:
            run(operation, Ask(actor_of(request), SITE, form.params(operation)))
        except Invalid as invalid:
            for field, words in invalid.errors.items():
                form.add_error(field or None, words)
        else:
            name = form.cleaned_data["name"]
            messages.success(request, _("Team %s created. Add its members.") % name)
            return redirect("team", name)
    return render(request, "people/team_create.html", {"form": form}, status=422 if form.errors else 200)


def team_page(user: Any, team: Any, current: str) -> dict[str, Any]:
    """Buttons and tabs of a team's page."""
    held = verbs_on(user, team)
    allowed = held | {"change_teams"} if can(user, "change_teams") else held
    operations = [each for each in list_operations("team") if each.verb in _ON_PAGE]
    buttons = [
        button_of(offer, reverse("team-do", args=[team.name, offer.operation.verb]))
        for offer in list_offers(team, operations, allowed)
        if offer.is_usable or "admin" in held
    ]
    first, more = put_first(buttons, ["add-member", "rename"])
    return {
        "team": team,
        "held": held,
        "buttons": first,
        "menu": menu_of(more),
        "tabs": tabs_of("team", [team.name], current, held),
    }


@require_safe
def team_members(request: HttpRequest, name: str) -> HttpResponseBase:
    """Who is in it, and who looks after it."""
    user = person_of(request)
    team = get_team(user, name)
    page = team_page(user, team, "members")
    without = () if "admin" in page["held"] else ("change",)
    shown = show(request, MEMBER_TABLE, choice_of(user, MEMBER_TABLE.name), without)

    def more(_members: Any) -> dict[str, Any]:
        by_person, by_team = verbs_by_person(team)
        return {**page, "held_by": by_person, "held_by_team": by_team}

    nothing = _("None of its members matches. Leave out a word.")
    return answer(request, shown, list_members(team), "people/team.html", nothing, more=more)


@require_safe
def team_vms(request: HttpRequest, name: str) -> HttpResponseBase:
    """The machines that the team owns, as far as the person may see them."""
    user = person_of(request)
    team = get_team(user, name)
    vms = list_vms(user).filter(owner__group=team.pk)
    page = team_page(user, team, "vms")
    return answer_with_vms(request, vms, "people/team_vms.html", page, without=("owner",))


@require_safe
def team_keys(request: HttpRequest, name: str) -> HttpResponse:
    """The SSH keys of its members, for who looks after the team or audits it."""
    user = person_of(request)
    team = get_team(user, name)
    page = team_page(user, team, "keys")
    if "audit" not in page["held"]:
        raise PermissionDenied(access_of(type(team)).refuse("audit"))
    return render(request, "people/team_keys.html", {**page, "keys": list_keys_of_team(team)})


@require_safe
def team_rights(request: HttpRequest, name: str) -> HttpResponse:
    """Who may do what on the team, and what the team may do."""
    user = person_of(request)
    team = get_team(user, name)
    page = team_page(user, team, "rights")
    # Of these things the others need not see that they are there.
    if can(user, "change_teams") or can(user, "see_journal_of_all") or is_member(team, user):
        back = request.path if can(user, "change_teams") else ""
        page |= {"tells_holds": True, "holds": [row_of(each, back) for each in find_holdings_of_team(team)]}
    return rights_of(request, team, "people/team_rights.html", page, ("team-do", [name]))
