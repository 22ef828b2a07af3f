"""Answers that Django leaves empty get a page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from gwm.views.errors import not_allowed

# What browsers use. No page takes anything else, whatever its view would do with it.
METHODS = ("GET", "HEAD", "POST")


class PageForWrongMethod:
    """405 in the site's style, with the header that says which methods there are.

    What no browser sends is refused by the header alone: nobody looks at a page then, and one costs a look at the
    database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        response = self.get_response(request)
        if response.status_code != 405 or not isinstance(response, HttpResponse) or response.content:
            return response
        page = not_allowed(request)
        page["Allow"] = response.headers.get("Allow", "")
        return page
