"""URLs of what has another name by now lead there; those of what was deleted say so."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from clusters.moved import Moved
from virtualmachines.deleted import Deleted


class RedirectMoved:
    """Answers Moved with the URL of the same page under the new name: 302, or 307 where the request says something.

    Deleted is answered by a page that says so.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing but what comes behind."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """See the class."""
        match = request.resolver_match
        if isinstance(exception, Deleted):
            return render(request, "virtualmachines/deleted.html", {"entry": exception.entry}, status=410)
        if not isinstance(exception, Moved) or match is None:
            return None
        url = reverse(match.view_name, kwargs={**match.kwargs, **exception.where})
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(f"{url}?{query}" if query else url, preserve_request=request.method == "POST")
