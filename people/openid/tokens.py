"""Whether what a provider says about somebody can be believed. What allauth takes on trust is checked here."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import jwt

from people.openid.asking import Untrue
from people.openid.providers import Provider

# Keys that only the provider has. A token that is signed with what we have ourselves, or not at all, proves nothing.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_S = 60
_LATEST = 2**40
_NEEDED = ["iss", "sub", "aud", "exp", "iat"]
# All that reading keys and claims which somebody made up may raise.
_NONSENSE = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def read_token(provider: Provider, keys: Mapping[str, Any], token: object, nonce: str) -> dict[str, Any]:
    """What an ID token says: signed by the provider, for us, now, in answer to this very request. Untrue."""
    if not isinstance(token, str):
        raise Untrue("there is no ID token")
    try:
        header = jwt.get_unverified_header(token)
        key = _key_for(header, jwt.PyJWKSet.from_dict(dict(keys)).keys)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY_S,
            options={"require": _NEEDED},
        )
    except _NONSENSE as error:
        raise Untrue(f"its ID token is not valid ({type(error).__name__})") from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != provider.client_id:
        raise Untrue("its ID token is for others, too")
    if not nonce or not hmac.compare_digest(read_text(claims, "nonce").encode(), nonce.encode()):
        raise Untrue("its ID token answers another request")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or _without_unwritable(subject) != subject:
        raise Untrue("its ID token names nobody")
    return claims


def add_userinfo(claims: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """What is said beside the token; it must be about the same person, and what is in the token counts. Untrue.

    Whether an email address was proven is said of the one that stands beside it.
    """
    if more.get("sub") != claims["sub"]:
        raise Untrue("what it says beside the ID token is about somebody else")
    ours = claims if "email" in claims else more
    return {**more, **claims, "email_verified": ours.get("email_verified")}


def read_text(claims: Mapping[str, Any], name: str) -> str:
    """A claim as text that can be kept; empty if it is none."""
    value = claims.get(name)
    return _without_unwritable(value).strip() if isinstance(value, str) else ""


def read_when_asked(claims: Mapping[str, Any]) -> float:
    """When somebody has shown there who they are; 0 if it is not said."""
    told = claims.get("auth_time")
    return float(told) if isinstance(told, int) and 0 < told < _LATEST else 0.0


def _without_unwritable(text: str) -> str:
    """Without what no database takes: NUL, and halves of letters."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def mark_of_subject(issuer: str, subject: str) -> str:
    """What a person is known by: issuer and subject, whole and exact, whatever a database takes for the same."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def _key_for(header: Mapping[str, Any], keys: list[jwt.PyJWK]) -> jwt.PyJWK:
    fitting = [key for key in keys if header.get("kid") in (None, key.key_id)]
    if header.get("alg") not in ALGORITHMS or len(fitting) != 1:
        raise Untrue("its ID token is not signed with a key of its own")
    return fitting[0]
