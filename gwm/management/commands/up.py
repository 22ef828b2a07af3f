"""`manage.py up`: the whole product with one command."""

from __future__ import annotations

import os
import signal
import sys
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from gwm.demo import Demo, connect_demo, is_wanted, prepare_demo, wait_for_first_sync
from gwm.preparation import prepare_database
from gwm.processes.listening import CannotStart, lock_data_dir, open_listening_socket
from gwm.processes.ready import tell_systemd
from gwm.processes.supervisor import Program, Supervisor
from gwm.processes.surroundings import check_surroundings, check_theme_at_start

_PYTHON = [sys.executable, "-m"]
_SLOW_START_S = 30.0
_CELERY = [*_PYTHON, "celery", "-A", "gwm.celery"]


class Command(BaseCommand):
    """Prepare, then run web, worker and beat until told to stop."""

    help = "Start everything: pages, console, worker and timetable, and a demo cluster when there is no cluster yet."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Options win over settings of the same meaning."""
        parser.add_argument("--port", type=int, default=settings.GWM_PORT, help="port (GWM_PORT, default 8000)")
        parser.add_argument("--bind", default=settings.GWM_BIND, metavar="ADDR", help="address (GWM_BIND)")
        parser.add_argument("--data", metavar="DIR", help="data directory (GWM_DATA_DIR)")
        parser.add_argument("--demo", action=BooleanOptionalAction, default=settings.GWM_DEMO, help="GWM_DEMO")
        parser.add_argument("--tls-cert", default=settings.GWM_TLS_CERT, metavar="FILE", help="GWM_TLS_CERT")
        parser.add_argument("--tls-key", default=settings.GWM_TLS_KEY, metavar="FILE", help="GWM_TLS_KEY")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or Ctrl-C; exit code 0 then, 1 when it could not start."""
        if bool(options["tls_cert"]) != bool(options["tls_key"]):
            raise CommandError("https needs both --tls-cert and --tls-key.")
        try:
            listening = open_listening_socket(options["bind"], options["port"])
            lock = lock_data_dir(settings.GWM_DATA_DIR)
            check_surroundings(options["tls_cert"], options["tls_key"])
            notes = check_theme_at_start()
        except CannotStart as error:
            raise CommandError(str(error)) from None
        port = listening.getsockname()[1]
        os.environ.update(
            GWM_DATA_DIR=str(settings.GWM_DATA_DIR),
            GWM_BIND=options["bind"],
            GWM_PORT=str(port),
            GWM_TLS_CERT=options["tls_cert"] and str(Path(options["tls_cert"]).absolute()),
            GWM_TLS_KEY=options["tls_key"] and str(Path(options["tls_key"]).absolute()),
        )
        scheme = "https" if options["tls_cert"] else "http"
        address = f"{scheme}://{shown_host(options['bind'])}:{port}/"
        with lock, listening:
            for note in notes:
                self.say(note)
            prepare_database(self.say)
            demo = prepare_demo(settings.GWM_DATA_DIR) if options["demo"] and is_wanted() else None
            connections.close_all()
            self.run(Supervisor(installed_reactor, listening.fileno(), self.say), address, demo)

    def run(self, supervisor: Supervisor, address: str, demo: Demo | None) -> None:
        """Start the children, say when they all work, and wait for the end."""
        reactor: Any = installed_reactor

        def start() -> None:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, lambda *_: reactor.callFromThread(stop))
            awaited: list[Deferred[Any]] = [supervisor.start(program).ready for program in list_programs()]
            if demo is not None:
                awaited.append(supervisor.start(demo.program()).ready.addCallback(self.show_demo, demo, supervisor))
            gatherResults(awaited).addCallback(tell_ready)
            reactor.callLater(_SLOW_START_S, tell_what_is_late)

        def tell_ready(_: Any) -> None:
            self.say(f"Ready: {address}")
            tell_systemd()

        def tell_what_is_late() -> None:
            late = [child.program.name for child in supervisor.children if not child.ready.called]
            if late:
                self.say(f"up     | Still waiting for {', '.join(late)}.")
                reactor.callLater(_SLOW_START_S, tell_what_is_late)

        def stop() -> None:
            if supervisor.is_stopping:
                supervisor.hurry()
                return
            self.say("Stopping …")
            supervisor.stop().addCallback(lambda _: reactor.stop())

        reactor.callWhenRunning(start)
        reactor.run()

    def show_demo(self, announcement: str, demo: Demo, supervisor: Supervisor) -> Deferred[None]:
        """Add the demo cluster and wait until it was read; a failure is told, and the rest goes on."""

        def work() -> None:
            try:
                connect_demo(demo, announcement)
                if not wait_for_first_sync(lambda: supervisor.is_stopping):
                    reactor.callFromThread(self.say, "up     | The demo cluster was not read yet; it will be.")
            finally:
                connections.close_all()

        def tell(failure: Failure) -> None:
            self.say(f"up     | No demo cluster: {failure.getErrorMessage()}")

        reactor: Any = installed_reactor
        return deferToThread(work).addErrback(tell)

    def say(self, line: str) -> None:
        """Print a line at once; a reader that has gone away does not stop us."""
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except BrokenPipeError:
            self.stdout = open_null()


def open_null() -> Any:
    """Return an output that nobody reads."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - lives as long as the process


def shown_host(address: str) -> str:
    """Return how a browser on this machine reaches the address."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(address, address)  # noqa: S104
    return f"[{reachable}]" if ":" in reachable else reachable


def list_programs() -> list[Program]:
    """Return what runs beside the supervisor."""
    worker = ["worker", "-P", "threads", "-c", str(settings.GWM_WORKER_THREADS), "-l", "WARNING"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        *(Program(name, [*_PYTHON, "gwm.processes.web"], takes_socket=True) for name in name_web_processes()),
        Program("worker", [*_CELERY, "-q", *worker, *quiet]),
        Program("beat", [*_CELERY, "-q", "beat", "-l", "WARNING", "--pidfile="]),
    ]


def name_web_processes() -> list[str]:
    """Return the names of the web processes, which share the listening socket."""
    count = settings.GWM_WEB_PROCESSES
    return ["web"] if count == 1 else [f"web{number}" for number in range(1, count + 1)]
