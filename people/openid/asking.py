"""Requests to a provider: over TLS that is verified, without redirects, and no longer or larger than makes sense."""

import json
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import create_urllib3_context

from people.openid.providers import Provider, is_local, is_safe

TIMEOUT_S = (5, 10)
# Of one request in all: a time-out that begins anew with each byte never ends.
WITHIN_S = 20.0
_LARGEST = 500_000


class NoAnswer(Exception):
    """The provider did not answer, or not with what it should; the text is for the log."""


class Untrue(Exception):
    """The provider's answer cannot be believed; the text is for the log, and holds nothing secret."""


class _EndingSocket(ssl.SSLSocket):
    """One on which nothing is read any more after a certain moment."""

    ends_at = 0.0

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read what has come, while there is time."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("The time is over.")
        self.settimeout(min(TIMEOUT_S[1], left))
        return super().recv_into(buffer, nbytes, flags)


class _InTime(HTTPAdapter):
    """Requests over TLS that end in time, whatever the other side does."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """With sockets of ours; which authorities are trusted is told with each request."""
        context = create_urllib3_context()
        ends = {"ends_at": time.monotonic() + WITHIN_S}
        context.sslsocket_class = type("_EndingSocket", (_EndingSocket,), ends)
        super().init_poolmanager(*args, ssl_context=context, **options)


def read_metadata(provider: Provider) -> Mapping[str, Any]:
    """What the provider says of itself. It must be the one that is meant, and name addresses that are safe."""
    metadata = ask(provider, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if metadata.get("issuer") != provider.issuer:
        raise Untrue("it calls itself by another issuer than the one that is set")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not may_be_asked(provider, metadata.get(name)):
            raise Untrue(f"its {name} is no https address")
    return metadata


def may_be_asked(provider: Provider, url: object) -> bool:
    """Whether an address that a provider names is safe; only one on this machine has others there asked in the open."""
    return is_safe(url) and (str(url).startswith("https:") or is_local(provider.issuer))


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
        with requests.Session() as session:
            session.mount("https://", _InTime())
            answer = session.request(
                "GET" if data is None else "POST",
                url,
                data=data,
                auth=auth,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
                verify=provider.ca_file or True,
                stream=True,
            )
            if answer.status_code not in (200, 201):
                raise NoAnswer(f"it answered {answer.status_code}")
            body = answer.raw.read(_LARGEST + 1, decode_content=True)
            if len(body) > _LARGEST:
                raise NoAnswer("its answer is too long")
            content = json.loads(body)
    except (requests.RequestException, HTTPError, OSError, ValueError, RecursionError) as error:
        raise NoAnswer(f"{type(error).__name__}") from error
    if not isinstance(content, dict):
        raise NoAnswer("its answer is no object")
    return content
