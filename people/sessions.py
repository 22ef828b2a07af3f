"""The sessions of a person, as browsers that they know again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from permissions.models import User
from permissions.sessions import is_signed_in

# What a browser calls itself names many others too: the first that is found counts.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


@dataclass(frozen=True)
class SignedIn:
    """A session. Its key is told to nobody."""

    pk: int
    browser: str
    address: str
    began_at: datetime
    is_this: bool = False


def list_sessions(person: User, request: HttpRequest) -> Sequence[SignedIn]:
    """Those that go on, the newest first, that of the request before all. Two queries."""
    rows = list(UserSession.objects.filter(user=person).order_by("-created_at", "-pk"))
    own = request.session.session_key
    there = Session.objects.filter(expire_date__gt=timezone.now()).in_bulk([row.session_key for row in rows])
    found = [
        SignedIn(row.pk, browser_of(row.user_agent), row.ip, row.created_at, row.session_key == own)
        for row in rows
        if row.session_key in there and is_signed_in(there[row.session_key], person)
    ]
    return sorted(found, key=lambda each: not each.is_this)


def end_sessions(person: User, keep: str = "", pk: int | None = None) -> int:
    """End one of a person's sessions, or all but the one with the key `keep`; how many of the listed ones ended."""
    rows = UserSession.objects.filter(user=person).exclude(session_key=keep)
    ended = 0
    for row in rows if pk is None else rows.filter(pk=pk):
        row.end()
        ended += 1
    if ended:
        note(
            actor_id=person.pk,
            actor_name=person.username,
            via=Via.WEB,
            verb="person.end-session",
            target=Target("person", person.pk, person.username),
            outcome=Outcome.DONE,
        )
    return ended


def browser_of(agent: str) -> str:
    """What people call a browser and its system, from what it calls itself."""
    browser = next((name for word, name in _BROWSERS if re.search(rf"{word}\w*/", agent)), "")
    system = next((name for word, name in _SYSTEMS if word in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or agent.partition("/")[0][:40] or _("unknown browser")
