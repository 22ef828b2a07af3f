"""The simulator as tests and the command line use it."""

import threading
from collections import Counter
from typing import Any, Self

from simulator.certificate import Certificate, local_certificate, make_certificate
from simulator.cluster import Cluster
from simulator.errors import HttpError
from simulator.faults import Fault, Faults
from simulator.outside import Outside
from simulator.population import populate
from simulator.queue import Queue
from simulator.rapi import Answer, Rapi, User, error_answer
from simulator.request import Request, World
from simulator.server import Server

MAX_NAP = 0.25  # seconds
REMEMBERED = 100_000  # requests, at the most


class Simulator:
    """A cluster with a RAPI server.

    Jobs go forward by hand, ``advance()`` and ``run_jobs()``, unless ``speed`` is given: then a clock runs them,
    so many times as fast as a real cluster would.
    """

    username, password = "gwm", "secret"
    viewer_username, viewer_password = "viewer", "lookonly"

    def __init__(
        self,
        cluster: Cluster | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: Certificate | None = None,
        speed: float | None = None,
        nodes: int = 2,
        instances: int = 0,
    ) -> None:
        if cluster is None:
            cluster = Cluster()
            populate(cluster, nodes=nodes, instances=instances)
        self.cluster = cluster
        self.queue = Queue(cluster)
        self.outside = Outside(cluster, self.queue)
        self.faults = Faults()
        self.speed = speed
        self.users = {
            self.username: User(self.password, frozenset({"write"})),
            self.viewer_username: User(self.viewer_password, frozenset({"read"})),
        }
        self.requests: list[tuple[str, str]] = []  # method and target of each, in order of arrival
        self.answered: list[tuple[str, str]] = []  # likewise, as soon as it is settled what the answer says
        self._rapi = Rapi(World(cluster, self.queue), self.users)
        self.alterations = self._rapi.alterations
        self._certificate = certificate or local_certificate()
        self._server = Server(self, self._certificate, host, port)
        self._others: list[Server] = []
        self._stopping = threading.Event()
        self._clock = threading.Thread(target=self._run_clock, name="simulator-clock", daemon=True)

    # life

    def start(self) -> Self:
        self._server.start()
        if self.speed is not None:
            self._clock.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self.faults.clear()
        for server in (self._server, *self._others):
            server.stop()
        if self._clock.is_alive():
            self._clock.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def set_account(self, username: str, password: str) -> None:
        """Replace the account that may write."""
        self.users.pop(self.username, None)
        self.username, self.password = username, password
        self.users[username] = User(password, frozenset({"write"}))

    # where and how to reach it

    @property
    def host(self) -> str:
        return self._server.host

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, 64 hexadecimal digits in lower case."""
        return self._certificate.fingerprint

    @property
    def ca_pem(self) -> str:
        return self._certificate.certificate_pem

    def add_endpoint(self, node: str) -> Server:
        """Open a second RAPI as of another node; as long as that node is not the master it answers 502."""
        server = Server(self, self._certificate, self.host)
        server.node = node
        server.start()
        self._others.append(server)
        return server

    def change_certificate(self) -> None:
        """Present a new certificate from now on, as after gnt-cluster renew-crypto."""
        self._certificate = make_certificate()
        for server in (self._server, *self._others):
            server.present(self._certificate)

    def stop_listening(self) -> None:
        """Refuse connections, as a machine that is up without its RAPI daemon."""
        self._server.stop()

    def listen_again(self) -> None:
        """Open the same port again."""
        self._server = Server(self, self._certificate, self._server.host, self._server.port)
        self._server.start()

    def fall_silent(self) -> None:
        """Accept connections and say nothing at all, not even in TLS: a machine that hangs."""
        self._server.silent.set()

    def speak_again(self) -> None:
        self._server.silent.clear()

    # jobs by hand

    def advance(self, steps: int = 1) -> None:
        """Take every open job so many steps further."""
        with self.cluster.lock:
            for _ in range(steps):
                for job in self.queue.open_jobs():
                    self.queue.advance(job)

    def run_jobs(self, limit: int = 10_000) -> None:
        """Run open jobs, and those they start, until none goes forward any more."""
        with self.cluster.lock:
            for _ in range(limit):
                before = self._progress()
                for job in self.queue.open_jobs():
                    self.queue.advance(job)
                if self._progress() == before:
                    return
        raise RuntimeError(f"jobs still under way after {limit} rounds")

    def _progress(self) -> list[Any]:
        jobs = self.queue.jobs.values()
        return [(job.id, tuple(job.status_of), job.log_serial, id(job.steps), job.due) for job in jobs]

    def hold_jobs(self) -> None:
        """Stop the clock for jobs; they can still be advanced by hand."""
        self.queue.held = True

    def release_jobs(self) -> None:
        with self.cluster.lock:
            self.queue.held = False
            self.queue.changed.notify_all()

    def _run_clock(self) -> None:
        while not self._stopping.is_set():
            with self.cluster.lock:
                if self.speed is not None:
                    self.queue.tick(self.speed)
                nap = min(self.queue.next_due(), MAX_NAP)
                self.queue.changed.wait(max(nap, 0.001))

    # what has been asked

    def count(self, method: str | None = None, path: str | None = None) -> int:
        """How many requests came, of a method and to a path (query aside) where given."""
        return sum(
            (method is None or asked == method) and (path is None or target.partition("?")[0] == path)
            for asked, target in list(self.requests)
        )

    def counts(self) -> Counter[tuple[str, str]]:
        """Requests by method and path."""
        return Counter((method, target.partition("?")[0]) for method, target in list(self.requests))

    def forget_requests(self) -> None:
        self.requests.clear()
        self.answered.clear()

    # what the server asks of us

    def note(self, request: Request) -> None:
        self._remember(self.requests, request)

    @staticmethod
    def _remember(where: list[tuple[str, str]], request: Request) -> None:
        where.append((request.method, request.target))
        if len(where) > REMEMBERED:
            del where[: REMEMBERED // 2]

    def fault_for(self, request: Request) -> Fault | None:
        content = request.target.partition("?")[2] + request.body.decode(errors="replace")
        return self.faults.take(request.method, request.path, content)

    def respond(self, request: Request, endpoint: Server) -> Answer:
        answer = self._rapi.answer(request, endpoint.node in (None, self.cluster.master))
        self._remember(self.answered, request)
        return answer

    def refuse(self, fault: Fault) -> Answer:
        return error_answer(HttpError(fault.code, fault.message))
