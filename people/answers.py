"""Pages for whom signing in is refused before the password is looked at."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from permissions.answers import answer


def too_many_requests(request: HttpRequest, *, wait_s: int = 60) -> HttpResponse:
    """429: passwords are being guessed, or so it looks."""
    minutes = -(-wait_s // 60)
    page = answer(
        request,
        429,
        _("Too many attempts"),
        ngettext("Wait %d minute, then try again.", "Wait %d minutes, then try again.", minutes) % minutes,
        remedy=_("Forgot your password? Ask your administrator."),
    )
    page["Retry-After"] = str(wait_s)
    page["Cache-Control"] = "no-store"
    return page


def unable_to_count(request: HttpRequest) -> HttpResponse:
    """503: without counting attempts nobody is let in."""
    return answer(
        request,
        503,
        _("Signing in is not possible now"),
        _("Attempts to sign in cannot be counted, because the cache does not keep anything."),
        remedy=_("Try again in a moment. If it stays, tell whoever runs this service."),
    )


def refuse(request: HttpRequest, text: str, *, status: int = 403, remedy: str = "") -> HttpResponse:
    """Whom another service has sent is not let in."""
    page = answer(request, status, _("Not signed in"), text, remedy=remedy or _("Ask your administrator."))
    page["Cache-Control"] = "no-store"
    return page
