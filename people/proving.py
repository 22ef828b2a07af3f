"""Before what can't be undone is done to an account, its doer shows again who they are: a session may be found open."""

import time
from datetime import timedelta

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from permissions.signed_in import person_of

LASTS = timedelta(minutes=15)


def was_proven(request: HttpRequest) -> bool:
    """Whether who is signed in has typed their password in this session lately. Who has none here is not asked."""
    person = person_of(request)
    if not person.has_usable_password():
        return True
    records = get_authentication_records(request, person)
    return any(0 <= time.time() - record["at"] < LASTS.total_seconds() for record in records)
