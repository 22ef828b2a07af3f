"""Names of people and teams, for boxes in which one is typed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from people.selectors import find_names
from permissions.signed_in import person_of

# So many are offered; who looks for another types on.
MOST = 10
_LONGEST = 150


@require_safe
def names(request: HttpRequest) -> HttpResponse:
    """Those that begin with what is typed in the field `of`, of whom the person knows."""
    text = request.GET.get(request.GET.get("of", ""), "").strip()[:_LONGEST]
    found = find_names(person_of(request), text, teams="teams" in request.GET, most=MOST)
    return render(request, "people/names.html", {"names": found})
