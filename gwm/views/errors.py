"""Pages for what went wrong, in the site's style; a stranger gets them without the frame."""

import sys
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

from gwm.outages import explain_outage
from people.words import EVERYTHING, list_kinds_with_rights
from permissions.answers import answer


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: what was sent makes no sense."""
    return answer(request, 400, _("Bad request"), _("The browser sent something that is not a request of these pages."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 with the reason."""
    reason = str(exception or "") or _("You lack the right to do this.")
    return answer(
        request,
        403,
        _("You may not do this"),
        reason,
        remedy=_("If you should be able to, ask an administrator."),
        explained=_explain_url(request),
    )


def _explain_url(request: HttpRequest) -> str:
    """The page that says what the person may do on what this URL is about, and why: they may see it, or it were 404."""
    match = request.resolver_match
    name = (match.url_name or "").partition("-")[0] if match is not None else ""
    kind = next((each for each in list_kinds_with_rights() if each.name == name), None)
    if match is None or kind is None:
        return f"{reverse('explain')}?on={EVERYTHING}" if match is not None and not match.kwargs else ""
    typed = "/".join(str(match.kwargs[name]) for name in ("slug", "name", "number") if name in match.kwargs)
    is_one = kind.parse(typed) is not None
    return f"{reverse('explain')}?{urlencode({'kind': kind.name, 'on': typed})}" if is_one else ""


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is nothing, or nothing that this person may see; the page does not tell which."""
    return answer(
        request,
        404,
        _("There is nothing here"),
        _("This URL leads nowhere, or to something that you may not see."),
        remedy=_("If you followed a link from someone, ask them for a right on it."),
    )


def not_allowed(request: HttpRequest) -> HttpResponse:
    """405: this address is asked in another way."""
    return answer(
        request,
        405,
        _("This URL can't be used that way"),
        _("It is the URL to which a button sends something."),
        remedy=_("Go back and use the button."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; 503: a disk that is full or a database that is away. Without person, session and database."""
    outage = explain_outage(sys.exception())
    context = {
        "layout": "bare.html",
        "home": resolve_url(settings.LOGIN_REDIRECT_URL),
        "code": 500,
        "title": _("Something broke here"),
        "text": _("The error is in the service's log. What you did to a cluster is in the journal with its outcome."),
        "remedy": _("Try again in a moment. If it stays, tell whoever runs this service what you did and when."),
    }
    if outage is not None:
        context |= {"code": 503, "title": outage.title, "text": outage.text, "remedy": outage.remedy}
    page = render(None, "errors/error.html", context, status=503 if outage is not None else 500)
    if outage is not None:
        page["Retry-After"] = "10"
    return page


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that is not from our pages, or too old."""
    return answer(
        request,
        403,
        _("This form is too old"),
        _("You were signed out meanwhile, or cookies are off, or the form was not from these pages. Nothing was done."),
        remedy=_("Go back, reload the page and send it again."),
    )
