"""Answers that Django leaves empty get a page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from gwm.views.errors import not_allowed

# What browsers use. No page takes anything else, whatever its view would do with it.
METHODS = ("GET", "HEAD", "POST")


class PageForWrongMethod:
    """405 in the site's style, with the header that says which methods there are.

    What no browser sends is refused in a line of text, at once: nobody looks at it, and a page costs a look at the
    database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in METHODS:
            said = gettext("This address takes %s.") % ", ".join(METHODS)
            return HttpResponseNotAllowed(METHODS, said, content_type="text/plain; charset=utf-8")
        response = self.get_response(request)
        if response.status_code != 405 or not isinstance(response, HttpResponse) or response.content:
            return response
        page = not_allowed(request)
        page["Allow"] = response.headers.get("Allow", "")
        return page
