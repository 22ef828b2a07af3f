"""The web process: Django on threads and the console's WebSocket in the reactor, on one inherited socket."""

from __future__ import annotations

import argparse
import os
import socket
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from twisted.internet import reactor as installed_reactor
from twisted.logger import STDLibLogObserver, globalLogBeginner
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Request, Site
from twisted.web.wsgi import WSGIResource

from clusters.bulkhead import limit_web_process
from gwm.env import TABLE, Config
from gwm.processes.ready import tell_ready
from gwm.processes.supervisor import SOCKET_FD
from vncproxy.broker import Broker, make_broker
from vncproxy.settings import settings_from
from vncproxy.tls import tls_options
from vncproxy.web import console_site

IDLE_CONNECTION_S = 60
LARGEST_BODY = 2_000_000


class BoundedRequest(Request):
    """A request that is cut off when its body grows too large: twisted.web would keep all of it, for anybody."""

    _taken = 0

    def gotLength(self, length: int | None) -> None:
        """Refuse what announces that it is too large."""
        if length is not None and length > LARGEST_BODY:
            self._refuse()
            length = 0
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        """Refuse what turns out to be too large."""
        self._taken += len(data)
        if self._taken <= LARGEST_BODY:
            super().handleContentChunk(data)
        elif self._taken - len(data) <= LARGEST_BODY:
            self._refuse()

    def _refuse(self) -> None:
        self._taken = LARGEST_BODY + 1
        wire: Any = self.channel.transport
        wire.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        wire.loseConnection()


def build_broker(reactor: Any) -> Broker:
    """Make the console broker from the settings that Django has, too."""
    config = Config(os.environ)
    values = {name: config.raw(name) for name in TABLE}
    return make_broker(settings_from(values | {"GWM_CONSOLE_CONTROL": str(settings.GWM_CONSOLE_CONTROL)}), reactor)


def build_site(reactor: Any, threads: ThreadPool, broker: Broker) -> Site:
    """Put Django and the console under one root."""
    pages = WSGIResource(reactor, threads, get_wsgi_application())
    site = console_site(broker, pages, reactor=reactor, idle_s=IDLE_CONNECTION_S)
    site.requestFactory = BoundedRequest
    return site


def serve(reactor: Any, descriptor: int) -> None:
    """Answer on an inherited listening socket until SIGTERM."""
    globalLogBeginner.beginLoggingTo([STDLibLogObserver("gwm.web")], redirectStandardIO=False)
    limit_web_process(settings.GWM_WEB_THREADS)
    threads = ThreadPool(minthreads=2, maxthreads=settings.GWM_WEB_THREADS, name="pages")
    broker = build_broker(reactor)
    factory: Any = build_site(reactor, threads, broker)
    if settings.GWM_TLS_CERT:
        factory = TLSMemoryBIOFactory(tls_options(settings.GWM_TLS_CERT, settings.GWM_TLS_KEY), False, factory)
    with socket.socket(fileno=descriptor) as listening:
        listening.setblocking(False)
        reactor.adoptStreamPort(listening.fileno(), listening.family, factory)
    reactor.callWhenRunning(threads.start)
    broker.startService()
    reactor.addSystemEventTrigger("before", "shutdown", broker.stopService)
    reactor.addSystemEventTrigger("after", "shutdown", threads.stop)
    reactor.callWhenRunning(tell_ready)
    reactor.run()


def main() -> None:
    """Run as `python -m gwm.processes.web [--fd N]`."""
    parser = argparse.ArgumentParser(description="Answer pages and consoles on an inherited listening socket.")
    parser.add_argument("--fd", type=int, default=SOCKET_FD)
    serve(installed_reactor, parser.parse_args().fd)


if __name__ == "__main__":
    main()
