"""A second factor that somebody shows: counted before it is looked at, and what was wrong stands in the journal."""

from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from objectlog.words import gettext
from people.factors import CODES, use_code
from people.passkeys import NoPasskey, read_shown
from people.signing_in import count_second_factor, forgive, record_factor, record_failure
from permissions.models import User


def take_code(request: HttpRequest, person: User, code: str) -> Authenticator | None:
    """The factor that a code is of, which is used up; None if it is wrong. SecretUnreadable."""
    counted = count_second_factor(request, person)
    found = use_code(person, code)
    if found is None:
        record_failure(person, request.META["REMOTE_ADDR"], gettext("The second factor was wrong."))
        return None
    forgive(counted)
    if found.type == CODES:
        record_factor(person, "use-recovery-code", address=request.META["REMOTE_ADDR"])
    return found


def take_passkey(request: HttpRequest, person: User) -> Authenticator:
    """The passkey that was posted. NoPasskey."""
    counted = count_second_factor(request, person)
    try:
        found = read_shown(request, person, request.POST["credential"])
    except NoPasskey:
        record_failure(person, request.META["REMOTE_ADDR"], gettext("The passkey was not accepted."))
        raise
    forgive(counted)
    return found
