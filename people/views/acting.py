"""The page on which one chooses as whom one acts."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from people.forms.teams import ActingForm
from permissions.acting import act_as, acting_as
from permissions.policy import can, teams_to_act_for
from permissions.signed_in import person_of
from ui.outside import is_ours

# So many teams are offered by name; who may act for more types another.
MOST = 12


@require_http_methods(["GET", "HEAD", "POST"])
def acting(request: HttpRequest) -> HttpResponse:
    """The teams for which the person may act; for administrators a box, too, in which anybody is typed.

    What was posted is a name, and looked up among those as whom the person may act.
    """
    user = person_of(request)
    form = ActingForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and form.is_valid():
        persona = form.cleaned_data["persona"]
        act_as(request, persona)
        if persona.user_id == user.pk:
            messages.success(request, _("You act for yourself."))
        else:
            messages.success(request, _("You act for %s. What you create belongs to it.") % persona)
        return redirect(_back(request))
    teams = list(teams_to_act_for(user)[: MOST + 1])
    current = acting_as(request)
    context = {
        "form": form,
        "teams": [(team.name, current is not None and current.group_id == team.pk) for team in teams[:MOST]],
        "is_more": len(teams) > MOST,
        "may_act_as_anybody": bool(can(user, "act_as_anybody")),
        "persona": current,
    }
    return render(request, "people/acting.html", context, status=422 if form.errors else 200)


def _back(request: HttpRequest) -> str:
    """The overview, whose lists all may differ now; or the page of ours that the form names."""
    page = request.POST.get("next", "")
    return page if is_ours(request, page) else resolve_url(settings.LOGIN_REDIRECT_URL)
