"""Looking at the pages as somebody else sees them: begun and ended here, and both in the journal."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from people.forms.teams import ViewAsForm
from permissions.policy import Denied, can
from permissions.signed_in import person_of
from permissions.viewing import record_viewing, view_as, viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
def view_as_somebody(request: HttpRequest) -> HttpResponse:
    """As whom."""
    user = person_of(request)
    verdict = can(user, "view_as_anybody")
    if isinstance(verdict, Denied):
        raise PermissionDenied(verdict.reason)
    form = ViewAsForm(request.POST if request.method == "POST" else None, initial={"who": request.GET.get("who", "")})
    if request.method == "POST" and form.is_valid():
        person = form.cleaned_data["who"]
        view_as(request, person)
        record_viewing(user, person, begins=True)
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "people/view_as.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def stop_viewing(request: HttpRequest) -> HttpResponse:
    """As oneself again."""
    viewer = viewer_of(request)
    if viewer is not None:
        person = person_of(request)
        view_as(request, None)
        record_viewing(viewer, person, begins=False)
        messages.success(request, _("You see everything as yourself again."))
    return redirect(settings.LOGIN_REDIRECT_URL)
