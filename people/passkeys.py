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
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from fido2.server import Fido2Server
from fido2.webauthn import (
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from people.factors import PASSKEY, Adapter
from permissions.models import User

COOKIE = "gwm_passkey"
_COUNT = "shown_count"
_LASTS_S = 300
_LONGEST = 20_000
# All that parsing what somebody made up may raise.
_NONSENSE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RecursionError, OverflowError),
    *(struct.error, UnsupportedAlgorithm, NotImplementedError),
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
            path=settings.SESSION_COOKIE_PATH,
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
    options, state = _server().register_begin(
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
    options, state = _server().authenticate_begin(
        credentials=auth.get_credentials(person) if person is not None else [], user_verification=wanted
    )
    return Question(dict(options), state, _salt("show", person))


def read_made(request: HttpRequest, person: User, posted: str) -> dict[str, Any]:
    """The new passkey as it is kept. Raises NoPasskey."""
    state = _asked(request, _salt("make", person))
    try:
        credential: dict[str, Any] = _parse(posted)
        _server(request).register_complete(state, credential)
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
        found = _server(request).authenticate_complete(state, auth.get_credentials(owner), credential)
        count = AuthenticationResponse.from_dict(credential).response.authenticator_data.counter
        with transaction.atomic():
            return _count(owner, found.credential_id, count)
    except _NONSENSE as error:
        raise NoPasskey from error


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


def _server(request: HttpRequest | None = None) -> Fido2Server:
    """What asks, and verifies. Answers are taken of pages of this very service: not of another port or subdomain."""
    own = {*settings.CSRF_TRUSTED_ORIGINS}
    if request is not None:
        own.add(f"{request.scheme}://{request.get_host()}")
    entity = PublicKeyCredentialRpEntity(**Adapter().get_public_key_credential_rp_entity())
    return Fido2Server(entity, verify_origin=lambda origin: origin in own)


def _count(owner: User, credential: bytes, count: int) -> Authenticator:
    """The passkey, whose count moves on. One that does not count says 0; one that counts back was copied. NoPasskey."""
    found = auth.get_authenticator_by_credential_id(owner, credential)
    row = Authenticator.objects.select_for_update().filter(pk=found.pk).first() if found is not None else None
    if row is None:
        raise NoPasskey
    last = row.data.get(_COUNT, row.wrap().authenticator_data.counter)
    if (count or last) and count <= last:
        raise NoPasskey
    row.data[_COUNT] = count
    row.save(update_fields=["data"])
    return row


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
    if "\\u0000" in json.dumps(parsed, ensure_ascii=False).encode().decode():  # halves of letters don't come so far
        raise ValueError("what no database takes")
    return parsed
