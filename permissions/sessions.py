"""Which session something belongs to that outlives a request: a console, an open page.

What is kept outside the session is its mark, a keyed hash: whoever reads a mark cannot sign in with it. A session's
end has many ways (signing out, expiry, another password, an account switched off, a row deleted); all of them are
found by asking the table of sessions and the account, so that none has to remember to tell.
"""

from collections.abc import Iterable

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from permissions.models import User

_SALT = "permissions.sessions"


def mark_of_key(session_key: str) -> str:
    """The mark of a session."""
    return salted_hmac(_SALT, session_key, algorithm="sha256").hexdigest()


def mark_of(request: HttpRequest) -> str:
    """The mark of the request's session; empty where there is none."""
    key = request.session.session_key
    return mark_of_key(key) if key else ""


def find_sessions(marks: Iterable[str]) -> dict[str, Session]:
    """The sessions that have not run out, by their mark."""
    wanted = {mark for mark in marks if mark}
    if not wanted:
        return {}
    keys = Session.objects.filter(expire_date__gt=timezone.now()).values_list("session_key", flat=True)
    found = {key: mark for key in keys.iterator() if (mark := mark_of_key(key)) in wanted}
    return {found[key]: session for key, session in Session.objects.in_bulk(list(found)).items()}


def is_signed_in(session: Session, user: User) -> bool:
    """Whether this session is this person's, and was begun with the password that the account has now."""
    data = session.get_decoded()
    return (
        user.is_active
        and BACKEND_SESSION_KEY in data
        and data.get(SESSION_KEY) == str(user.pk)
        and constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    )
