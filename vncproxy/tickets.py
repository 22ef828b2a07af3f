"""Tickets: what the web application tells the broker through the browser, sealed so that the browser can't read it.

A ticket is JSON under Fernet (AES-CBC and HMAC-SHA256). Its text travels as a WebSocket subprotocol, so it is made of
characters that are allowed there (base64url without padding) and it appears in no URL, hence in no access log.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields

from sealing.box import Box, NotOurs, box_for

LONGEST_LIFETIME_S = 900.0  # bounds how long a used ticket has to be remembered; clocks may differ
LONGEST_TEXT = 4096
_PURPOSE = "gwm console ticket v1"
KINDS = frozenset({"vnc", "picture"})
_PASSWORD_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"  # noqa: S105 - an alphabet
_PASSWORD_LENGTH = 8  # VNC authentication looks at eight characters


class TicketError(Exception):
    """The ticket can't be honoured."""


class InvalidTicketError(TicketError):
    """Not sealed with one of our keys, tampered with, or not a ticket at all."""


class ExpiredTicketError(TicketError):
    """Genuine, but too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One permission to open one console once."""

    host: str
    """Address or name of the node, as the broker dials it."""
    port: int
    user_id: int
    user: str
    vm: str
    """Key of the machine, unique over all clusters; consoles are closed by it."""
    vm_name: str
    session: str
    """Mark of the session that asked: a hash of its key, by which a console ends with its session."""
    expires_at: float
    """Unix time in seconds."""
    password: str = field(default="", repr=False)
    """What the node's VNC server asks for; empty when it asks for nothing."""
    browser_password: str = field(default="", repr=False)
    """What the browser must answer the broker's VNC authentication with."""
    kind: str = "vnc"
    is_demo: bool = False
    """Whether the machine is of our own demo, whose consoles are on the loopback of the broker."""
    connect_timeout_s: float | None = None
    """Overrides the broker's time-out for reaching the node."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))


def new_password() -> str:
    """A password for one console, of the length that VNC authentication looks at."""
    return "".join(secrets.choice(_PASSWORD_ALPHABET) for _ in range(_PASSWORD_LENGTH))


def seal(keys: Sequence[str], ticket: Ticket) -> str:
    """The ticket's text; sealed with the first key."""
    packed = json.dumps(asdict(ticket), separators=(",", ":")).encode()
    return _box(keys).seal(packed).rstrip("=")


def open_ticket(keys: Sequence[str], text: str, now: float) -> Ticket:
    """Unseal with any of the keys; raises InvalidTicketError or ExpiredTicketError."""
    if len(text) > LONGEST_TEXT:
        raise InvalidTicketError("too long")
    try:
        packed = _box(keys).open(text + "=" * (-len(text) % 4))
        ticket = _unpack(json.loads(packed))
    except (NotOurs, ValueError, TypeError) as error:
        raise InvalidTicketError("not a ticket of ours") from error
    if ticket.expires_at <= now:
        raise ExpiredTicketError("expired")
    if ticket.expires_at > now + LONGEST_LIFETIME_S:
        raise InvalidTicketError("lives too long")
    return ticket


def _unpack(raw: object) -> Ticket:
    if not isinstance(raw, dict):
        raise TypeError("not an object")
    known = {f.name for f in fields(Ticket)}
    ticket = Ticket(**{name: value for name, value in raw.items() if name in known})
    texts = (
        ticket.id,
        ticket.host,
        ticket.user,
        ticket.vm,
        ticket.vm_name,
        ticket.session,
        ticket.password,
    )
    if not all(isinstance(text, str) for text in texts) or not isinstance(ticket.expires_at, int | float):
        raise TypeError("wrong type")
    if not isinstance(ticket.is_demo, bool):
        raise TypeError("wrong type")
    if ticket.kind not in KINDS or not ticket.id or not ticket.host:
        raise ValueError("incomplete")
    if ticket.kind == "vnc" and not ticket.browser_password:
        raise ValueError("incomplete")
    if not isinstance(ticket.port, int) or not 0 < ticket.port < 65536:
        raise ValueError("no such port")
    return ticket


def _box(keys: Sequence[str]) -> Box:
    try:
        return box_for(tuple(keys), _PURPOSE)
    except ValueError as error:
        raise ValueError("no console key is set") from error
