"""Files of pages that another release has made: while one takes over, pages of both are open.

An address of a static file has the version of all of them (gwm/static_version.py), and each release knows its own. A
page whose style sheet is asked for a moment after it was made would stand there without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_VERSIONED = re.compile(r"/static/([0-9a-f]{8})(?=/)")


class AnswerForOtherReleases:
    """Answers an address of another version with the file of this one, which nobody may keep under it.

    Stands before everything that answers for static files.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        own = _VERSIONED.search(settings.STATIC_URL)
        if own is None:  # there is but one while one develops
            raise MiddlewareNotUsed
        self._own = own[1]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        asked = _VERSIONED.match(request.path_info)
        if asked is None or asked[1] == self._own:
            return self._get_response(request)
        before, after = request.path.removesuffix(request.path_info), request.path_info[asked.end() :]
        request.path_info = f"/static/{self._own}{after}"
        request.path = before + request.path_info
        answer = self._get_response(request)
        answer["Cache-Control"] = "no-store"
        return answer
