"""What people and teams use of clusters, and what they may."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.selectors import get_cluster
from clusters.views.frame import cluster_page
from people.account_selectors import get_account
from people.quota_columns import QUOTA_TABLE, QUOTAS
from people.selectors import get_team
from people.usage import figures_of, usage_on_cluster
from people.usage_history import export_months, usage_with_history
from people.views.person import person_page
from people.views.teams import team_page
from permissions.acting import acting_as
from permissions.policy import access_of
from permissions.selectors import choice_of, name_of_persona
from permissions.services import persona_of
from permissions.signed_in import person_of
from ui.filtering import Wanted
from ui.tables import show


@require_safe
def usage(request: HttpRequest) -> HttpResponseBase:
    """Of whom the person acts for: every cluster with what is used and what may be."""
    user = person_of(request)
    persona = acting_as(request) or persona_of(user)
    return _answer(request, "people/usage.html", persona, {"can_ask": True}, user)


@require_safe
def team_usage(request: HttpRequest, name: str) -> HttpResponseBase:
    """The same of a team, for who may act for it or audits it."""
    user = person_of(request)
    team = get_team(user, name)
    page = team_page(user, team, "usage")
    if not page["held"] & {"act", "audit"}:
        raise PermissionDenied(access_of(type(team)).refuse("act"))
    return _answer(request, "people/team_usage.html", persona_of(team), page)


@require_safe
def person_usage(request: HttpRequest, name: str) -> HttpResponseBase:
    """The same of an account, for who sees it."""
    user = person_of(request)
    person = get_account(user, name)
    return _answer(request, "people/person_usage.html", persona_of(person), person_page(user, person, "usage"))


def _answer(
    request: HttpRequest, template: str, persona: Any, page: dict[str, Any], user: Any = None
) -> HttpResponseBase:
    """The page; or its months as a file, if the URL asks for that."""
    file = export_months(request, persona)
    if file is not None:
        return file
    context = {
        **page,
        "owner": name_of_persona(persona),
        "usage": usage_with_history(persona, user),
        "counts_stopped": settings.GWM_QUOTAS_COUNT_STOPPED,
    }
    return render(request, template, context)


@require_safe
def cluster_quotas(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The default of a cluster, and of everybody who uses it how much, and by which quota."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    page: dict[str, Any] = cluster_page(user, cluster, "quotas")
    if "audit" not in page["held"]:
        raise PermissionDenied(access_of(type(cluster)).refuse("audit"))
    may_change = "admin" in page["held"]
    shown = show(request, QUOTA_TABLE, choice_of(user, QUOTA_TABLE.name), () if may_change else ("change",))
    wanted = Wanted.parse(QUOTAS, request.GET)
    default, rows = usage_on_cluster(cluster, wanted.asked.condition)
    file = shown.export(request, rows)
    if file is not None:
        return file
    back = urlencode({"next": request.path})
    context = {
        **page,
        **shown.as_context(shown.page(request, rows), wanted),
        "default": figures_of(default),
        "set_quota": f"{reverse('cluster-do', args=[slug, 'set-quota'])}?{back}" if may_change else "",
        "set_default": f"{reverse('cluster-do', args=[slug, 'set-default-quota'])}?{back}" if may_change else "",
        "nothing_matches": wanted.explain(_("Nobody here matches. Leave out a word.")),
    }
    return render(request, "people/cluster_quotas.html", context)
