"""Of whom this service demands a second factor (GWM_DEMAND_SECOND_FACTOR), and what becomes of those without one."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from people.factors import has_factor
from permissions.models import User
from permissions.policy import is_administrator
from permissions.signed_in import find_person
from permissions.viewing import viewer_of

# What one needs to set a factor up, and the way out, by the names of URLs.
_OPEN = frozenset(
    {
        *("factors", "factor-app", "factor-passkey", "factor-passkey-options", "factor-codes", "factor-remove"),
        *("password-again", "passkey-again", "openid-back", "logout", "view-as-stop"),
    }
)


def is_demanded(person: User) -> bool:
    """Whether somebody must have a second factor."""
    whom = settings.GWM_DEMAND_SECOND_FACTOR
    return bool(whom == "everybody" or (whom == "administrators" and is_administrator(person)))


def must_set_up(person: User) -> bool:
    """Whether somebody must have a second factor, and has none."""
    return is_demanded(person) and not has_factor(person)


def alone(person: User) -> dict[str, str]:
    """The layout of the pages on which a factor is set up: who can't open any other sees nothing else around them."""
    return {"layout": "people/base_alone.html" if must_set_up(person) else "base.html"}


class DemandSecondFactor:
    """Leads to where a second factor is set up, and refuses everything else until there is one.

    Only what a session may do is refused: tokens of feeds were made by somebody who had signed in,
    and read public keys.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """What answers instead of the page; what is fetched for a page is refused."""
        person = viewer_of(request) or find_person(request)
        if person is None or not must_set_up(person):
            return None
        match = request.resolver_match
        if match is not None and match.url_name in _OPEN:
            return None
        if match is not None and match.url_name == "openid-connect" and "again" in request.POST:
            return None
        if request.method in ("GET", "HEAD") and "HX-Request" not in request.headers:
            return redirect(f"{reverse('factors')}?{urlencode({'next': request.get_full_path()})}")
        raise PermissionDenied(_("First set up a second factor for your account: this service demands one."))
