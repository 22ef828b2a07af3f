"""Passkeys (WebAuthn): what a browser is asked to sign, and whether it did.

What was asked for waits in a signed cookie, so that a stranger who asks leaves nothing here; each question is good for
one answer, of one person, for one purpose.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from fido2.webauthn import ResidentKeyRequirement, UserVerificationRequirement

from people.factors import PASSKEY
from permissions.models import User

COOKIE = "gwm_passkey"
_LASTS_S = 300
_LONGEST = 20_000
# All that parsing what somebody made up may raise.
_NONSENSE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RecursionError, OverflowError),
    *(struct.error, UnsupportedAlgorithm),
)


class NoPasskey(Exception):
    """What was posted is no answer of a passkey to what was asked."""


@dataclass(frozen=True)
class Question:
    """What the browser is asked, and what is to be known of it when the answer comes."""

    options: Mapping[str, Any]
    state: Mapping[str, Any]
    salt: str

    def as_response(self) -> HttpResponse:
        """For the script of the page."""
        response = JsonResponse(dict(self.options))
        response.set_cookie(
            COOKIE,
            signing.dumps(dict(self.state), salt=self.salt),
            max_age=_LASTS_S,
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Strict",
        )
        return response


def has_name(request: HttpRequest) -> bool:
    """Whether browsers keep passkeys of this address: they belong to a host name, and travel over https alone."""
    host = request.get_host().partition(":")[0]
    return host == "localhost" or (request.is_secure() and not host.replace(".", "").isdigit() and "[" not in host)


def ask_to_make(person: User) -> Question:
    """For a new passkey, which signs in alone if whatever makes it can."""
    options, state = auth.get_server().register_begin(
        user=auth.build_user_payload(person),
        credentials=auth.get_credentials(person),
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
        extensions=auth.EXTENSIONS,
    )
    return Question(dict(options), state, _salt("make", person))


def ask_to_show(person: User | None) -> Question:
    """For one of somebody's passkeys; of a stranger for any, which must then know its owner by finger or PIN."""
    wanted = UserVerificationRequirement.REQUIRED if person is None else UserVerificationRequirement.PREFERRED
    options, state = auth.get_server().authenticate_begin(
        credentials=auth.get_credentials(person) if person is not None else [], user_verification=wanted
    )
    return Question(dict(options), state, _salt("show", person))


def read_made(request: HttpRequest, person: User, posted: str) -> dict[str, Any]:
    """The new passkey as it is kept. Raises NoPasskey."""
    state = _asked(request, _salt("make", person))
    try:
        credential: dict[str, Any] = _parse(posted)
        auth.get_server().register_complete(state, credential)
    except _NONSENSE as error:
        raise NoPasskey from error
    return credential


def read_shown(request: HttpRequest, person: User | None, posted: str) -> Authenticator:
    """Whose passkey it was: `person`'s, or that of whoever shows it. Raises NoPasskey."""
    state = _asked(request, _salt("show", person))
    try:
        credential = _parse(posted)
        owner = person if person is not None else find_owner(posted)
        if owner is None:
            raise NoPasskey
        found = auth.get_server().authenticate_complete(state, auth.get_credentials(owner), credential)
        row = auth.get_authenticator_by_credential_id(owner, found.credential_id)
    except _NONSENSE as error:
        raise NoPasskey from error
    if row is None:
        raise NoPasskey
    return row


def find_owner(posted: str) -> User | None:
    """Whom a passkey says to be, which proves nothing yet."""
    try:
        handle = auth.websafe_decode(_parse(posted)["response"]["userHandle"]).decode("ascii")
        return User.objects.filter(pk=auth.url_str_to_user_pk(handle), is_active=True).first()
    except _NONSENSE:
        return None


def add_passkey(person: User, name: str, credential: dict[str, Any]) -> Authenticator:
    """Keep one."""
    return Authenticator.objects.create(user=person, type=PASSKEY, data={"name": name, "credential": credential})


def _salt(purpose: str, person: User | None) -> str:
    return f"people.passkeys.{purpose}.{person.pk if person is not None else ''}"


def _asked(request: HttpRequest, salt: str) -> dict[str, str]:
    try:
        state: dict[str, str] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=salt, max_age=_LASTS_S)
    except signing.BadSignature as error:
        raise NoPasskey from error
    if not cache.add(f"gwm:passkey-asked:{state['challenge']}", True, timeout=_LASTS_S):
        raise NoPasskey  # answered already
    return state


def _parse(posted: str) -> dict[str, Any]:
    if len(posted) > _LONGEST:
        raise ValueError("too long")
    parsed = json.loads(posted)
    if not isinstance(parsed, dict):
        raise TypeError("no object")
    return parsed
