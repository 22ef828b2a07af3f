"""URLs of what has another name by now lead there."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from clusters.moved import Moved


class RedirectMoved:
    """Answers Moved with the URL of the same page under the new name: 302, or 307 where the request says something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing but what comes behind."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """See the class."""
        match = request.resolver_match
        if not isinstance(exception, Moved) or match is None:
            return None
        url = reverse(match.view_name, kwargs={**match.kwargs, **exception.where})
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(f"{url}?{query}" if query else url, preserve_request=request.method == "POST")
