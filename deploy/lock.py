"""One deployer of a server at a time. The lock is a process there, which ends with the connection of who holds it: one
whose laptop was closed or whose call was killed leaves none behind, unless the network has swallowed the end."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from shlex import quote

from deploy.host import Host, HostError

LOCK = "/run/lock/ganeti-web-manager-deploy"
# Of itself: its number, so that it can be ended. What waits for the end of the connection does not hold the lock.
_HOLD = """exec 9>>{lock}
if flock -n 9; then
  printf '%s %s\\n' $$ {who} >{lock}
  echo held
  cat >/dev/null 9>&-
  : >{lock}
else
  printf '%s ' busy
  cat {lock}
fi"""
_HELD, _TAKEN = "held", "busy"


class Busy(HostError):
    """Somebody else is at it; the text says who, since when, and what to do if that is not so any more."""


@contextmanager
def only_deployer(host: Host, doing: str) -> Iterator[None]:
    """Nobody else changes this server meanwhile. Raises Busy. Every command fails once the lock is taken away."""
    who = f"{getpass.getuser()}@{socket.gethostname()}, {doing}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    with host.holding(_HOLD.format(lock=LOCK, who=quote(who))) as said:
        word, _, rest = said.partition(" ")
        if word not in (_HELD, _TAKEN):
            raise HostError(f"The lock {LOCK} on {host.name} can't be taken. Is flock (util-linux) there, and room?")
        if word == _TAKEN:
            number, _, words = rest.partition(" ")
            raise Busy(_describe(host.name, number, words))
        yield


def _describe(name: str, number: str, words: str) -> str:
    if not number.isdigit():  # between its beginning and its first line
        return f"Somebody else is changing {name} just now. Try again in a moment."
    return (
        f"Somebody else is changing {name}: {words}. If that has surely ended, and only its connection has not, take "
        f"the lock away by ending its process there: kill {number}"
    )
