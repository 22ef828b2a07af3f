"""Remembering which tickets have been used, so that each serves once."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from vncproxy.tickets import LONGEST_LIFETIME_S
from vncproxy.troubles import ConsoleError, Trouble

_REDIS_TIMEOUT_S = 2.0
_MARGIN_S = 60.0  # clocks of several brokers differ
_TIDY_EVERY_S = 60.0


class UsedTickets(Protocol):
    """Where used tickets are remembered."""

    def claim(self, ticket_id: str, expires_at: float) -> Deferred[bool]:
        """True for the first who asks, False for everyone after; ConsoleError when nobody can tell."""


class LocalMemory:
    """In this process; right as long as there is one broker, which never begins anew."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def claim(self, ticket_id: str, expires_at: float) -> Deferred[bool]:
        now = self._clock.seconds()
        self._until = {known: until for known, until in self._until.items() if until > now}
        if ticket_id in self._until:
            return succeed(False)
        self._until[ticket_id] = expires_at + _MARGIN_S
        return succeed(True)

    def __len__(self) -> int:
        return len(self._until)


class FolderMemory:
    """In a directory, for all brokers of one host and those that come after them: an empty file for each ticket.

    Making a file that must not be there yet is one step, which one broker alone takes. No directory means no console.
    """

    def __init__(self, folder: Path, clock: IReactorTime) -> None:
        self._folder = folder
        self._clock = clock
        self._tidied_at: float | None = None

    def claim(self, ticket_id: str, expires_at: float) -> Deferred[bool]:
        return maybeDeferred(self._make, hashlib.sha256(ticket_id.encode()).hexdigest())

    def _make(self, name: str) -> bool:
        try:
            self._tidy()
            try:
                (self._folder / name).touch(mode=0o600, exist_ok=False)
            except FileExistsError:
                return False
        except OSError as error:
            raise ConsoleError(Trouble.MEMORY_DOWN) from error
        return True

    def _tidy(self) -> None:
        """Once a minute forget what is older than any ticket lives, by whichever broker it was used."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        now = self._clock.seconds()
        if self._tidied_at is not None and now - self._tidied_at < _TIDY_EVERY_S:
            return
        self._tidied_at = now
        for each in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another broker was quicker
                if each.stat().st_mtime < now - LONGEST_LIFETIME_S - _MARGIN_S:
                    each.unlink()


class RedisMemory:
    """In Redis, for several brokers; asked from a thread, with a short time-out. No answer means no console."""

    def __init__(self, url: str, reactor: IReactorFromThreads, clock: IReactorTime, threads: ThreadPool) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=_REDIS_TIMEOUT_S, health_check_interval=30
        )
        self._reactor = reactor
        self._clock = clock
        self._threads = threads

    def claim(self, ticket_id: str, expires_at: float) -> Deferred[bool]:
        seconds = max(1, int(expires_at - self._clock.seconds() + _MARGIN_S))
        return deferToThreadPool(self._reactor, self._threads, self._set, ticket_id, seconds)

    def _set(self, ticket_id: str, seconds: int) -> bool:
        try:
            return bool(self._redis.set(f"gwm:console:used:{ticket_id}", b"1", nx=True, ex=seconds))
        except RedisError as error:
            raise ConsoleError(Trouble.MEMORY_DOWN) from error
