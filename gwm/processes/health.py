"""`/healthz` and `/readyz`, answered in the reactor: no page and no call to a cluster can keep them waiting.

Anybody is told whether the product can work; what keeps it from that is for monitoring alone (`Watchers`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

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
HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
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
        for name, value in (*HEADERS, (b"content-type", b"text/plain")):
            request.setHeader(name, value)
        return b"ok\n"


class Ready(Probe):
    """Tells whether the product can work. The check runs in a thread of its own, one at a time for all who ask."""

    log = Logger(namespace="gwm.web")

    def __init__(self, reactor: Any, find_troubles: Callable[[], Mapping[str, str]], watchers: Watchers) -> None:
        super().__init__()
        self._watchers = watchers
        self.threads = ThreadPool(minthreads=0, maxthreads=1, name="ready")
        self._reactor = reactor
        self._find_troubles = find_troubles
        self._waiting: list[Request] = []
        self._is_checking = False
        self._found: Mapping[str, str] = {}
        self._fresh_until = float("-inf")

    def render_GET(self, request: Request) -> int:
        """Answer with what was found a moment ago, or as soon as it is found, or that it takes too long."""
        if self._reactor.seconds() < self._fresh_until:
            self._answer(request, self._found)
            return NOT_DONE_YET
        self._waiting.append(request)
        deadline = self._reactor.callLater(DEADLINE_S, self._give_up, request)

        def forget(_: object) -> None:
            if deadline.active():
                deadline.cancel()
            if request in self._waiting:
                self._waiting.remove(request)

        request.notifyFinish().addBoth(forget)
        if not self._is_checking:
            self._is_checking = True
            checking = deferToThreadPool(self._reactor, self.threads, self._find_troubles)
            checking.addErrback(self._explain).addCallback(self._tell)
        return NOT_DONE_YET

    def _explain(self, failure: Failure) -> Mapping[str, str]:
        self.log.failure("the check of /readyz failed", failure)
        return {"check": "It failed; the log says why."}

    def _tell(self, found: Mapping[str, str]) -> None:
        self._is_checking = False
        self._found, self._fresh_until = found, self._reactor.seconds() + FRESH_S
        for request in list(self._waiting):
            self._answer(request, found)

    def _give_up(self, request: Request) -> None:
        self._answer(request, _TOO_LATE)

    def _answer(self, request: Request, troubles: Mapping[str, str]) -> None:
        request.setResponseCode(503 if troubles else 200)
        for name, value in (*HEADERS, (b"content-type", b"application/json")):
            request.setHeader(name, value)
        told: dict[str, object] = {"ready": not troubles}
        if self._watchers.admit(request):
            told["troubles"] = dict(troubles)
        request.write(json.dumps(told).encode())
        request.finish()
