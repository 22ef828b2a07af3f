"""In which language, and by which clock, somebody is spoken to: as they chose, else as the browser or the service says.

Everything that is shown is translated when it is shown; what is kept knows its parts (`objectlog.words`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from permissions.models import User
from permissions.signed_in import find_person

_IS_KNOWN = frozenset(code for code, _name in settings.LANGUAGES)


class SpeakAsAsked:
    """Has pages made in the language that the browser asks for. Stands first, for errors of whatever comes behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = self._get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


class SpeakAsChosen:
    """Then in the language and the time zone that a person chose. Stands behind authentication, before `ViewAs`.

    Where none was chosen, times are told in the zone of the browser, which static/js/times.js has it say.

    Whoever looks at the pages as somebody else reads them in their own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        person = find_person(request)
        chosen = language_of(person)
        # That of the service is named, too: to find that none is active takes Django ten times as long, for every time.
        zone = zone_of(person) or _find_zone(request.COOKIES.get("zone", "")) or timezone.get_default_timezone()
        with translation.override(chosen or translation.get_language()), timezone.override(zone):
            response = self._get_response(request)
        if chosen:
            response.headers["Content-Language"] = chosen
        return response


def language_of(person: User | None) -> str:
    """The language that somebody chose; empty if none, or one that is spoken no more."""
    chosen = person.language if person is not None else ""
    return chosen if chosen in _IS_KNOWN else ""


def language_for(request: HttpRequest, person: User | None) -> str:
    """The language of the page that answers: the chosen one, else what the browser asks for, else the service's."""
    return language_of(person) or translation.get_language_from_request(request)


def zone_of(person: User | None) -> ZoneInfo | None:
    """The time zone that somebody chose; None for that of their browser, or the service."""
    return _find_zone(person.time_zone) if person is not None else None


def _find_zone(name: str) -> ZoneInfo | None:
    """The zone of this name, if this machine knows it."""
    return ZoneInfo(name) if name in list_zones() else None


@lru_cache(maxsize=1)
def list_zones() -> tuple[str, ...]:
    """The zones that this machine knows, by name: those of places, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


@contextmanager
def speaking_to(person: User | None) -> Iterator[None]:
    """While it lasts, for what no request of theirs asks for: a mail."""
    with translation.override(language_of(person) or settings.LANGUAGE_CODE), timezone.override(zone_of(person)):
        yield
