"""Before what can't be undone is done to an account, its doer shows again who they are: a session may be found open."""

import time
from datetime import timedelta
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from people.directory.accounts import has_password
from people.factors import has_factor
from people.openid.accounts import list_connected
from permissions.models import User
from permissions.signed_in import person_of

LASTS = timedelta(minutes=15)


def has_own_proof(person: User) -> bool:
    """Whether there is anything here by which somebody can show who they are."""
    return has_password(person) or has_factor(person)


def can_prove(person: User) -> bool:
    """Whether there is, or somebody else who can ask them."""
    return has_own_proof(person) or any(row is not None for _provider, row in list_connected(person))


def was_proven(request: HttpRequest) -> bool:
    """Whether who is signed in has shown it in this session lately. Who has nothing to show anywhere is not asked."""
    person = person_of(request)
    records = get_authentication_records(request, person)
    return any(_counts(record) for record in records) or not can_prove(person)


def _counts(record: dict[str, Any]) -> bool:
    """A provider may have let in whoever sat there, unless it was to ask them anew."""
    was_asked = record["method"] != "socialaccount" or bool(record.get("reauthenticated"))
    return was_asked and 0 <= time.time() - record["at"] < LASTS.total_seconds()


def prove_first(request: HttpRequest) -> HttpResponseRedirect | None:
    """Where who is signed in has to show it before what they ask for; None if they have."""
    return None if was_proven(request) else prove_here(request.get_full_path())


def prove_here(next_url: str) -> HttpResponseRedirect:
    """Where who is signed in is asked, and where they go on to then."""
    return redirect(f"{reverse('password-again')}?{urlencode({'next': next_url})}")
