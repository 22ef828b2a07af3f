"""The web process: Django on threads and the console's WebSocket in the reactor, on one inherited socket."""

from __future__ import annotations

import argparse
import socket
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from twisted.internet import reactor as installed_reactor
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.logger import STDLibLogObserver, globalLogBeginner
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from twisted.web.wsgi import WSGIResource

from gwm.processes.ready import tell_ready
from gwm.processes.supervisor import SOCKET_FD

IDLE_CONNECTION_S = 60


class Pages(Resource):
    """Every path is Django's, unless another resource was mounted for exactly that path."""

    def __init__(self, django: Any) -> None:
        super().__init__()
        self._django = django
        self._mounted: dict[bytes, Any] = {}

    def mount(self, path: bytes, resource: Any) -> None:
        """Answer one path by a resource of the reactor's own."""
        self._mounted[path] = resource

    def getChild(self, path: bytes, request: Request) -> Any:
        """Hand the whole path on, as if this resource were not there."""
        request.postpath = [path, *(request.postpath or [])]
        request.prepath = (request.prepath or [])[:-1]
        return self._mounted.get(request.path, self._django)


class QuietSite(Site):
    """A site without an access log: errors are logged by Django."""

    def log(self, request: Any) -> None:
        """Log nothing."""


def build_site(reactor: Any, threads: ThreadPool) -> Site:
    """Put Django and the console under one root."""
    return QuietSite(Pages(WSGIResource(reactor, threads, get_wsgi_application())), timeout=IDLE_CONNECTION_S)


def serve(reactor: Any, descriptor: int) -> None:
    """Answer on an inherited listening socket until SIGTERM."""
    globalLogBeginner.beginLoggingTo([STDLibLogObserver("gwm.web")], redirectStandardIO=False)
    threads = ThreadPool(minthreads=2, maxthreads=settings.GWM_WEB_THREADS, name="pages")
    factory: Any = build_site(reactor, threads)
    if settings.GWM_TLS_CERT:
        context = DefaultOpenSSLContextFactory(settings.GWM_TLS_KEY, settings.GWM_TLS_CERT)
        factory = TLSMemoryBIOFactory(context, False, factory)
    with socket.socket(fileno=descriptor) as listening:
        listening.setblocking(False)
        reactor.adoptStreamPort(listening.fileno(), listening.family, factory)
    reactor.callWhenRunning(threads.start)
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
