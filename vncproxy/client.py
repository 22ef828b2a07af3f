"""Django's side of the console: list and close consoles. Blocking, short time-outs, no Twisted.

The view that hands out a ticket (POST with CSRF protection; ``data-ticket-url`` of the console page points to it) must:

1. find the machine as every page does (404 for what one may not see), then have
   ``virtualmachines.operations.console.open_console`` ask the policy, find the address as it is **now**, write the
   journal entry and seal the ticket; a refusal becomes 403, and 409 when there is no console to connect to;
2. answer ``{"url": vncproxy.client.WEBSOCKET_PATH, "ticket": …, "password": …}`` as JSON with ``Cache-Control:
   no-store``. Never log it. ``url`` may be absolute (``wss://…``) where the broker is a daemon of its own.

403, 404 and 409 carry ``{"error": "…", "remedy": "…"}`` in JSON, which the page shows as it is. The browser asks for a
new ticket each time it connects again, so a right that was withdrawn is noticed then as well.

Consoles must be closed (``close_consoles``, on commit) when a user is deactivated or deleted or leaves a group, when a
grant is withdrawn or an owner changed, and when a machine is removed. Where it fails, say so in the journal: the
console may stay open until the broker is back, and a broker that restarts closes all consoles anyway.
"""

import glob
import json
import os
import re
import socket
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

WEBSOCKET_PATH = "/console/ws"
_TIMEOUT_S = 2.0
_LONGEST_ANSWER = 4 * 1024 * 1024


class ControlError(Exception):
    """The broker's control socket can't be reached or did not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConsole:
    """A console as the broker lists it. ``since`` is Unix time in seconds."""

    id: str
    user_id: int
    user: str
    vm: str
    vm_name: str
    session: str
    kind: str
    client: str
    since: float
    open: bool
    bytes_to_browser: int
    bytes_to_node: int


def own_control_socket(path: Path) -> Path:
    """The control socket of this process, where several processes with consoles share a data directory."""
    return path.with_stem(f"{path.stem}-{os.getpid()}")


def folder_of_used(path: Path) -> Path:
    """Beside the control socket as it is configured: where the brokers of a host remember which tickets were used."""
    return path.with_suffix(".used")


def list_control_sockets(path: str) -> list[str]:
    """The control sockets that there are: `path` itself (a daemon's) and those beside it of web processes."""
    configured = Path(path)
    found = configured.parent.glob(f"{glob.escape(configured.stem)}*{glob.escape(configured.suffix)}")
    numbered = re.compile(rf"{re.escape(configured.stem)}(-\d+)?")
    return sorted(str(each) for each in found if numbered.fullmatch(each.stem) and each.is_socket())


def nearest_control_socket(path: str) -> str:
    """The control socket to ask for a picture: a daemon's where there is one, else this process's own, else any."""
    found = list_control_sockets(path)
    for wanted in (path, str(own_control_socket(Path(path)))):
        if wanted in found:
            return wanted
    return found[0] if found else path


def list_consoles(path: str, *, timeout_s: float = _TIMEOUT_S) -> list[OpenConsole]:
    """All consoles of the broker behind this control socket; raises ControlError."""
    known = {f.name for f in fields(OpenConsole)}
    listed = _ask(path, {"do": "list"}, timeout_s).get("consoles", [])
    try:
        return [OpenConsole(**{name: row[name] for name in known}) for row in listed]
    except (TypeError, KeyError) as error:
        raise ControlError("the broker's answer was not understood") from error


def close_consoles(
    path: str,
    *,
    console_id: str | None = None,
    user_id: int | None = None,
    vm: str | None = None,
    reason: str = "",
    timeout_s: float = _TIMEOUT_S,
) -> int:
    """Close the consoles that fit all that is given, with a reason that their users read; returns how many.

    Raises ControlError.
    """
    request = {"do": "close", "id": console_id, "user_id": user_id, "vm": vm, "reason": reason}
    return int(_ask(path, request, timeout_s).get("closed", 0))


class NoPicture(Exception):
    """There is no picture of the screen; the text is for the person, `trouble` the name of a Trouble."""

    def __init__(self, trouble: str, said: str) -> None:
        super().__init__(said)
        self.trouble = trouble


def take_picture(path: str, ticket: str, *, timeout_s: float) -> str:
    """A PNG of a machine's screen, in base64, for a sealed ticket. Raises NoPicture and ControlError."""
    reply = _ask(path, {"do": "picture", "ticket": ticket}, timeout_s)
    if "picture" not in reply:
        raise NoPicture(str(reply.get("trouble", "")), str(reply.get("said", "")))
    return str(reply["picture"])


def _ask(path: str, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    answer = b""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            while not answer.endswith(b"\n") and len(answer) < _LONGEST_ANSWER:
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        reply = json.loads(answer)
    except (OSError, ValueError) as error:
        raise ControlError(f"the console broker does not answer on {path}: {error}") from error
    if not isinstance(reply, dict) or "error" in reply:
        raise ControlError(str(reply))
    return reply
