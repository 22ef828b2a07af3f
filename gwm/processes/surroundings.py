"""What a start needs from outside, tried before anything is started: database, Redis, certificate, control socket."""

from __future__ import annotations

import os

import redis
from django.conf import settings
from django.db import OperationalError, connection
from OpenSSL import SSL

from gwm.processes.listening import CannotStart
from gwm.theming import list_problems
from vncproxy.tls import tls_options

# What the kernel takes as the address of a Unix socket, less the byte that ends it.
_LONGEST_SOCKET_PATH = 107
_LONGEST_PROCESS_ID = len("-4194304")  # see vncproxy.client.own_control_socket
_REDIS_TIMEOUT_S = 5


def check_surroundings(certificate: str, key: str) -> None:
    """Raise CannotStart, with the remedy, for the first thing that would make a child fail again and again."""
    _check_control_socket(str(settings.GWM_CONSOLE_CONTROL))
    if certificate:
        _check_certificate(certificate, key)
    _check_database()
    if settings.REDIS_URL:
        _check_redis(settings.REDIS_URL)


def check_theme_at_start() -> list[str]:
    """What should be mended in the theme of this installation; CannotStart for what would make pages fail."""
    broken, weak = list_problems()
    if broken:
        raise CannotStart(broken[0])
    return weak


def _check_control_socket(path: str) -> None:
    length = len(os.fsencode(path)) + _LONGEST_PROCESS_ID
    if length > _LONGEST_SOCKET_PATH:
        raise CannotStart(
            f"The path of the console's control socket is too long ({length} bytes, at most {_LONGEST_SOCKET_PATH}): "
            f"{path}. Set GWM_CONSOLE_CONTROL to a shorter one, or choose a shorter data directory."
        )


def _check_certificate(certificate: str, key: str) -> None:
    try:
        tls_options(certificate, key).getContext().check_privatekey()
    except OSError as error:
        raise CannotStart(
            f"Cannot read {error.filename} ({error.strerror}). Correct --tls-cert and --tls-key."
        ) from None
    except (ValueError, SSL.Error):
        raise CannotStart(
            f"{certificate} and {key} are not a certificate (PEM) and its key. Correct --tls-cert and --tls-key."
        ) from None


def _check_database() -> None:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotStart(f"The database does not answer: {reason}. Start it, or correct DATABASE_URL.") from None


def _check_redis(url: str) -> None:
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=_REDIS_TIMEOUT_S, socket_timeout=_REDIS_TIMEOUT_S
        ) as server:
            server.ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(f"Redis does not answer: {error}. Start it, or correct REDIS_URL.") from None
