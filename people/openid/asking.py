"""Requests to a provider: over TLS that is verified, without redirects, and no longer or larger than makes sense."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import requests

from people.openid.providers import Provider, is_safe

TIMEOUT_S = (5, 10)
_LARGEST = 500_000


class NoAnswer(Exception):
    """The provider did not answer, or not with what it should; the text is for the log."""


class Untrue(Exception):
    """The provider's answer cannot be believed; the text is for the log, and holds nothing secret."""


def read_metadata(provider: Provider) -> Mapping[str, Any]:
    """What the provider says of itself. It must be the one that is meant, and name addresses that are safe."""
    metadata = ask(provider, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if metadata.get("issuer") != provider.issuer:
        raise Untrue("it calls itself by another issuer than the one that is set")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_safe(metadata.get(name)):
            raise Untrue(f"its {name} is no https address")
    return metadata


def redeem(provider: Provider, metadata: Mapping[str, Any], form: Mapping[str, str]) -> Mapping[str, Any]:
    """Exchange a code for tokens."""
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in methods:
        # Encoded first, as the standard wants it: either may hold a colon.
        auth = (quote_plus(provider.client_id), quote_plus(provider.client_secret))
        return ask(provider, metadata["token_endpoint"], data=form, auth=auth)
    own = {"client_id": provider.client_id, "client_secret": provider.client_secret}
    return ask(provider, metadata["token_endpoint"], data={**form, **own})


def ask(
    provider: Provider,
    url: str,
    *,
    data: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    bearer: str = "",
) -> Mapping[str, Any]:
    """The JSON at an address of the provider's. NoAnswer."""
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
    try:
        with requests.request(
            "GET" if data is None else "POST",
            url,
            data=data,
            auth=auth,
            headers=headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
            verify=provider.ca_file or True,
            stream=True,
        ) as answer:
            if answer.status_code not in (200, 201):
                raise NoAnswer(f"it answered {answer.status_code}")
            body = answer.raw.read(_LARGEST + 1, decode_content=True)
            if len(body) > _LARGEST:
                raise NoAnswer("its answer is too long")
            content = json.loads(body)
    except (requests.RequestException, OSError, ValueError) as error:
        raise NoAnswer(f"{type(error).__name__}") from error
    if not isinstance(content, dict):
        raise NoAnswer("its answer is no object")
    return content
