"""`/healthz`, `/readyz` and `/metrics`, answered in the reactor: no page and no call to a cluster keeps them waiting.

Anybody is told whether the product can work; what keeps it from that, and the figures, are for monitoring alone
(`Watchers`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gwm.processes.watchers import Watchers

DEADLINE_S = 5.0
FRESH_S = 1.0
_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_TOO_LATE = {"check": f"Database or disk of the data directory gave no answer within {DEADLINE_S:g} s."}


class Probe(Resource):
    """What is asked by GET or HEAD, and by no other method."""

    isLeaf = True

    def render(self, request: Request) -> Any:
        """Answer, or say which methods there are."""
        if request.method in (b"GET", b"HEAD"):
            return super().render(request)
        request.setResponseCode(405)
        request.setHeader(b"allow", b"GET, HEAD")
        return b""


class Alive(Probe):
    """Answers as long as this process answers at all."""

    def render_GET(self, request: Request) -> bytes:
        """Say ok."""
        set_headers(request, b"text/plain")
        return b"ok\n"


class Shared(Probe):
    """Answers with what is examined in a thread of its own, one at a time for all who ask."""

    log = Logger(namespace="gwm.web")
    name = "probe"
    deadline_s = DEADLINE_S

    def __init__(self, reactor: Any, examine: Callable[[], Any], watchers: Watchers) -> None:
        super().__init__()
        self.watchers = watchers
        self.threads = ThreadPool(minthreads=0, maxthreads=1, name=self.name)
        self._reactor = reactor
        self._examine = examine
        self._waiting: list[Request] = []
        self._is_examining = False
        self._found: Any = None
        self._fresh_until = float("-inf")

    def render_GET(self, request: Request) -> int | bytes:
        """Answer with what was found a moment ago, or as soon as it is found, or that it takes too long."""
        if self._reactor.seconds() < self._fresh_until:
            self.answer(request, self._found)
            return NOT_DONE_YET
        self._waiting.append(request)
        deadline = self._reactor.callLater(self.deadline_s, self._give_up, request)

        def forget(_: object) -> None:
            if deadline.active():
                deadline.cancel()
            if request in self._waiting:
                self._waiting.remove(request)

        request.notifyFinish().addBoth(forget)
        if not self._is_examining:
            self._is_examining = True
            examining = deferToThreadPool(self._reactor, self.threads, self._examine)
            examining.addErrback(self._explain).addCallback(self.tell)
        return NOT_DONE_YET

    def answer(self, request: Request, found: Any) -> None:
        """Say what was found."""
        raise NotImplementedError

    def failed(self) -> Any:
        """What counts as found when the examination has failed."""
        raise NotImplementedError

    def late(self) -> Any:
        """What counts as found for whoever has waited long enough."""
        raise NotImplementedError

    def tell(self, found: Any) -> None:
        """Answer all who wait; whoever asks in this second is told the same."""
        self._is_examining = False
        self._found, self._fresh_until = found, self._reactor.seconds() + FRESH_S
        for request in list(self._waiting):
            self.answer(request, found)

    def _explain(self, failure: Failure) -> Any:
        self.log.failure(f"the check of /{self.name} failed", failure)
        return self.failed()

    def _give_up(self, request: Request) -> None:
        self.answer(request, self.late())


class Ready(Shared):
    """Tells whether the product can work."""

    name = "readyz"

    def failed(self) -> Mapping[str, str]:
        """It is not known whether it can."""
        return {"check": "It failed; the log says why."}

    def late(self) -> Mapping[str, str]:
        """Nor here."""
        return _TOO_LATE

    def answer(self, request: Request, found: Mapping[str, str]) -> None:
        """200 or 503; to monitoring what is wrong."""
        request.setResponseCode(503 if found else 200)
        set_headers(request, b"application/json")
        told: dict[str, object] = {"ready": not found}
        if self.watchers.admit(request):
            told["troubles"] = dict(found)
        request.write(json.dumps(told).encode())
        request.finish()


class Metrics(Shared):
    """Figures for monitoring; for everybody else there is no such address."""

    name = "metrics"
    # Prometheus waits ten seconds.
    deadline_s = 9.0

    def render_GET(self, request: Request) -> int | bytes:
        """Nothing is examined for strangers."""
        if self.watchers.admit(request):
            return super().render_GET(request)
        request.setResponseCode(404)
        set_headers(request, b"text/plain")
        return b"There is nothing here.\n"

    def failed(self) -> None:
        """Nothing is known."""

    def late(self) -> None:
        """Nor here."""

    def answer(self, request: Request, found: bytes | None) -> None:
        """The figures, or 503 without any."""
        request.setResponseCode(503 if found is None else 200)
        set_headers(request, CONTENT_TYPE_LATEST.encode())
        request.write(found or b"")
        request.finish()


def set_headers(request: Request, content_type: bytes) -> None:
    """What every answer of these has: it is of this moment."""
    for name, value in (*_HEADERS, (b"content-type", content_type)):
        request.setHeader(name, value)
