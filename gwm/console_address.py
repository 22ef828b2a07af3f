"""Whether the console proxy answers to which browsers are sent, where that has an address of its own (GWM_CONSOLE_URL).

A proxy beside the pages is asked by its socket on this host (`vncproxy.client`); one elsewhere is asked as browsers
reach it, what stands before it included.
"""

from __future__ import annotations

import ssl
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from django.conf import settings


class NoAnswer(Exception):
    """It does not answer, or something else does; the text says what came."""


def is_elsewhere() -> bool:
    """Whether browsers are sent to an address of its own."""
    return bool(urlsplit(settings.GWM_CONSOLE_URL).netloc)


def ask(*, timeout_s: float) -> None:
    """Raises NoAnswer."""
    given = settings.GWM_CONSOLE_URL
    try:
        status = _ask(given, timeout_s)
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(f"{given}: {error}") from error
    if status != HTTPStatus.NO_CONTENT:
        raise NoAnswer(f"{given}: HTTP {status}")


def _ask(address: str, timeout_s: float) -> int:
    """The status. Whose certificates are believed this host's own list says, as for browsers here."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port
    if parts.scheme in {"ws", "http"}:
        connection = HTTPConnection(host, port, timeout=timeout_s)
    else:
        connection = HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context())
    with closing(connection):
        connection.request("HEAD", parts.path or "/")
        return connection.getresponse().status
