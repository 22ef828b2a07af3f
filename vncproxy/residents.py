"""Which HTTP connections a process has, so that it can end without cutting off what was asked of it.

Whoever shares the listening socket, or begins with it next, answers those that have not been taken yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Resident(Protocol):
    """A connection."""

    def leave(self) -> None:
        """End as soon as what was asked is answered."""

    def put_out(self) -> None:
        """End now."""


class Residents:
    """Connections that speak HTTP. Those that became WebSockets are ended by whom they were handed over to."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._there: set[Resident] = set()
        self._empty: Deferred[None] | None = None
        self._deadline: IDelayedCall | None = None
        self.is_leaving = False

    def come(self, who: Resident) -> None:
        """One more."""
        self._there.add(who)

    def go(self, who: Resident) -> None:
        """One less; that it went before does not matter."""
        self._there.discard(who)
        if not self._there and self._empty is not None:
            empty, self._empty = self._empty, None
            if self._deadline is not None and self._deadline.active():
                self._deadline.cancel()
            empty.callback(None)

    def leave(self, grace_s: float) -> Deferred[None]:
        """Fires when all have gone: each after its answer, and whoever is left after so many seconds is put out."""
        self.is_leaving = True
        for who in self._all():
            who.leave()
        if not self._there:
            return succeed(None)
        self._empty = Deferred()
        self._deadline = self._clock.callLater(grace_s, self._put_out)
        return self._empty

    def _put_out(self) -> None:
        for who in self._all():
            who.put_out()
            self.go(who)

    def _all(self) -> Iterable[Resident]:
        return list(self._there)
