"""What a page is about may be removed while it is made: that is no fault of ours, and there is nothing to show."""

import logging
from collections.abc import Callable

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from permissions.answers import answer

_log = logging.getLogger(__name__)


class AnswerVanished:
    """Answers 404 where a row that was found is gone when more of it is read: a column put off, what it belongs to.

    An operation locks its target, so that it can't go from then on; what vanishes goes before, under its form.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing but what comes behind."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """See the class."""
        if not isinstance(exception, ObjectDoesNotExist):
            return None
        _log.warning("Removed while its page was made: %s", request.path, exc_info=exception)
        return answer(
            request,
            404,
            _("There is nothing here any more"),
            _("What this is about was removed in the moment in which you asked for it."),
            remedy=_("If you find it still there, try again. What was done to it is in the journal."),
        )
