"""How the service is doing, for administrators: every part with its state and, if it is not well, what to do."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gwm.health import examine_parts
from gwm.selectors import list_clusters_for_frame
from permissions.policy import Denied, can
from permissions.signed_in import person_of


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """The page."""
    user = person_of(request)
    verdict = can(user, "see_health")
    if isinstance(verdict, Denied):
        raise PermissionDenied(verdict.reason)
    context = {"parts": examine_parts(), "clusters": list_clusters_for_frame(user)[0]}
    return render(request, "gwm/health.html", context)
