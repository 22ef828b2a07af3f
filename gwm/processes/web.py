"""The web process, of `./run` and of the unit gwm-web@: Django's pages on threads; consoles, health
and signals to open pages in the reactor.

It answers on a listening socket that it inherits, from `manage.py up` or from systemd; several may share one. Where
nobody hands one over, as in a container, it opens its own at GWM_BIND and GWM_PORT.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils.module_loading import import_string
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import STDLibLogObserver, globalLogBeginner
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import IResource
from twisted.web.wsgi import WSGIResource

from clusters.bulkhead import limit_web_process
from gwm.config import Config
from gwm.env import TABLE
from gwm.processes.elsewhere import Elsewhere
from gwm.processes.health import Alive, Metrics, Ready
from gwm.processes.listening import CannotStart, take_socket
from gwm.processes.ready import tell_ready
from gwm.processes.supervisor import SOCKET_FD
from gwm.processes.waiting import WaitingRequest
from gwm.processes.watchers import Watchers
from gwm.readiness import check_readiness
from gwm.signs import begin
from vncproxy.broker import Broker, make_broker, run_with_broker
from vncproxy.client import folder_of_used, list_control_sockets, own_control_socket
from vncproxy.connections import Connections, connections_for, raise_file_limit
from vncproxy.control import remove_stale_socket
from vncproxy.settings import settings_from
from vncproxy.tls import tls_options
from vncproxy.web import ConsoleSite, console_site

IDLE_CONNECTION_S = 60
# For what was asked before SIGTERM came; `manage.py up` kills after ten seconds, systemd later (gwm-web@.service).
GRACE_S = 8.0
LARGEST_BODY = 2_000_000
SIGN_EVERY_S = 5.0
LIVE_PATH = (b"live", b"ws")


class BoundedRequest(WaitingRequest):
    """A request that is cut off when its body grows too large: twisted.web would keep all of it, for anybody."""

    _taken = 0

    def gotLength(self, length: int | None) -> None:
        """Refuse what announces that it is too large."""
        if length is not None and length > LARGEST_BODY:
            self._refuse(b"413 Content Too Large")
            length = 0
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        """Refuse what turns out to be too large, and what finds no room: large bodies wait in a temporary file."""
        self._taken += len(data)
        if self._taken <= LARGEST_BODY:
            try:
                super().handleContentChunk(data)
            except OSError:
                self._refuse(b"507 Insufficient Storage")
        elif self._taken - len(data) <= LARGEST_BODY:
            self._refuse(b"413 Content Too Large")

    def _refuse(self, status: bytes) -> None:
        self._taken = LARGEST_BODY + 1
        wire: Any = self.channel.transport
        wire.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        wire.loseConnection()


def find_watchers() -> Watchers:
    """Who is told more than whether the product can work."""
    proxies = settings.GWM_TRUSTED_PROXIES if settings.GWM_BEHIND_PROXY else ()
    return Watchers(settings.GWM_MONITORING_TOKEN, settings.GWM_MONITORING_NETWORKS, tuple(proxies))


def write_metrics() -> bytes:
    """The figures, for a thread of its own. By its name: it reads tables, which Django knows when it is asked."""
    close_old_connections()
    try:
        found: bytes = import_string("gwm.metrics.write_metrics")()
        return found
    finally:
        close_old_connections()


def build_broker(reactor: Any) -> Broker:
    """Make the console broker from the settings that Django has, too."""
    config = Config(os.environ)
    values = {name: config.raw(name) for name in TABLE}
    for left in list_control_sockets(str(settings.GWM_CONSOLE_CONTROL)):
        remove_stale_socket(Path(left))
    control = own_control_socket(settings.GWM_CONSOLE_CONTROL)
    own = settings_from(values | {"GWM_CONSOLE_CONTROL": str(control)})
    return make_broker(own, reactor, used_in=folder_of_used(settings.GWM_CONSOLE_CONTROL))


def build_site(reactor: Any, threads: ThreadPool, broker: Broker, ready: Ready, metrics: Metrics) -> ConsoleSite:
    """Put Django's pages, on threads, and what the reactor itself answers under one root."""
    pages = WSGIResource(reactor, threads, get_wsgi_application())
    connections = Connections(
        connections_for(raise_file_limit()),
        settings.GWM_CONNECTIONS_PER_ADDRESS,
        settings.GWM_TRUSTED_PROXIES if settings.GWM_BEHIND_PROXY else (),
    )
    # By its name: it reads tables, and Django knows them from get_wsgi_application() on.
    live = import_string("gwm.processes.live.LiveService")(reactor)
    reactor.callWhenRunning(live.start)
    reactor.addSystemEventTrigger("before", "shutdown", live.stop)
    own: dict[tuple[bytes, ...], IResource] = {
        (b"healthz",): Alive(),
        (b"readyz",): ready,
        (b"metrics",): metrics,
        LIVE_PATH: live.resource(broker.settings),
    }
    outside = Elsewhere(settings.GWM_BELOW) if settings.GWM_BELOW else pages
    site = console_site(
        broker,
        pages,
        reactor=reactor,
        idle_s=IDLE_CONNECTION_S,
        own=own,
        outside=outside,
        connections=connections,
    )
    site.requestFactory = BoundedRequest
    return site


def leave(port: Any, site: ConsoleSite, grace_s: float) -> Deferred[Any]:
    """Take no more connections, and answer what was asked: the socket stays open for who shares it or comes next."""
    residents = site.residents
    return gatherResults([maybeDeferred(port.stopListening), residents.leave(grace_s) if residents else succeed(None)])


def serve(reactor: Any, descriptor: int, grace_s: float = GRACE_S) -> None:
    """Answer on an inherited listening socket, alone or with others, until SIGTERM."""
    globalLogBeginner.beginLoggingTo([STDLibLogObserver("gwm.web")], redirectStandardIO=False)
    limit_web_process(settings.GWM_WEB_THREADS)
    threads = ThreadPool(minthreads=2, maxthreads=settings.GWM_WEB_THREADS, name="pages")
    broker = build_broker(reactor)
    watchers = find_watchers()
    ready = Ready(reactor, check_readiness, watchers)
    metrics = Metrics(reactor, write_metrics, watchers)
    site = build_site(reactor, threads, broker, ready, metrics)
    factory: Any = site
    if settings.GWM_TLS_CERT:
        factory = TLSMemoryBIOFactory(tls_options(settings.GWM_TLS_CERT, settings.GWM_TLS_KEY), False, factory)
    with socket.socket(fileno=descriptor) as listening:
        listening.setblocking(False)
        port = reactor.adoptStreamPort(listening.fileno(), listening.family, factory)
    reactor.addSystemEventTrigger("before", "shutdown", leave, port, site, grace_s)
    for pool in (threads, ready.threads, metrics.threads):
        reactor.callWhenRunning(pool.start)
        reactor.addSystemEventTrigger("after", "shutdown", pool.stop)

    def begun() -> None:
        LoopingCall(begin("web").worked).start(SIGN_EVERY_S, now=True)
        tell_ready()

    run_with_broker(reactor, broker, begun)


def main() -> None:
    """Run as `python -m gwm.processes.web [--fd N] [--grace S]`."""
    parser = argparse.ArgumentParser(description="Answer pages and consoles on a listening socket.")
    parser.add_argument("--fd", type=int, default=SOCKET_FD, help="the socket, if there is one to inherit")
    parser.add_argument("--grace", type=float, default=GRACE_S, help="seconds for what was asked before the end")
    told = parser.parse_args()
    try:
        descriptor = take_socket(told.fd, settings.GWM_BIND, settings.GWM_PORT)
    except CannotStart as error:
        sys.exit(str(error))
    serve(installed_reactor, descriptor, told.grace)


if __name__ == "__main__":
    main()
