"""VNC ports of a cluster's running machines: they open, close and open again as the machines do."""

import logging
import socket
import threading
from dataclasses import dataclass

from simulator.cluster import Cluster
from simulator.model import Instance
from simulator.rfb.guest import Guest
from simulator.rfb.session import Session

log = logging.getLogger(__name__)
VNC_PASSWORD = "gwmdemo"  # noqa: S105 (of invented machines; only eight characters would count)
WITH_SCREEN = frozenset({"kvm", "xen-hvm"})
LOOK_INTERVAL = 0.2  # seconds between looks at which machines run
HOST = "127.0.0.1"
PORTS = 200  # of a demo: its machines, and those that are made
END_OF_PORTS = 20000


@dataclass(slots=True)
class Port:
    """An open port of one boot of one machine."""

    uuid: str
    boot: int
    listener: socket.socket
    guest: Guest


def claim_ports(begin: int) -> tuple[int, socket.socket | None]:
    """The first port of a range, at `begin` or after it, that no other simulator has and nobody seems to use.

    It is claimed by listening on the last port of the range, as long as the socket is open: simulators that start at
    the same moment would take each other's machines for theirs. Without a socket if all ranges are taken.
    """
    for first in range(begin, END_OF_PORTS, PORTS):
        try:
            with socket.create_server((HOST, first)), socket.create_server((HOST, first + 1)):
                return first, socket.create_server((HOST, first + PORTS - 1))
        except OSError:
            continue
    return begin, None


class Consoles:
    """Keeps one listener per running machine that has VNC; each client is served by a thread."""

    def __init__(self, cluster: Cluster, host: str = HOST) -> None:
        self.cluster = cluster
        self._host = host
        self.ports: dict[int, Port] = {}
        self._refused: set[int] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="consoles", daemon=True)

    def start(self) -> None:
        self.update()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        for number in list(self.ports):
            self._close(number)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_INTERVAL):
            self.update()

    def update(self) -> None:
        """Open and close ports so that they match what runs; a new boot is a new port."""
        with self.cluster.lock:
            wanted = {
                instance.network_port: (instance.uuid, instance.boots, self.facts(instance), self.password(instance))
                for instance in self.cluster.instances.values()
                if instance.network_port and self.has_screen(instance)
            }
        for number, port in list(self.ports.items()):
            if number not in wanted or wanted[number][:2] != (port.uuid, port.boot):
                self._close(number)
        for number, (uuid, boot, facts, password) in wanted.items():
            if number not in self.ports:
                self._open(number, uuid, boot, facts, password)

    def has_screen(self, instance: Instance) -> bool:
        if instance.hypervisor not in WITH_SCREEN or instance.runs_on is None:
            return False
        node = self.cluster.nodes[instance.runs_on]
        return self.cluster.reachable(node) and bool(self.cluster.merged_hvparams(instance).get("vnc_bind_address"))

    def facts(self, instance: Instance) -> dict[str, str]:
        beparams = self.cluster.merged_beparams(instance)
        return {
            "host": instance.name,
            "memory": str(beparams["maxmem"]),
            "vcpus": str(beparams["vcpus"]),
            "disk": str(instance.disks[0].size if instance.disks else 0),
            "mac": instance.nics[0].mac if instance.nics else "no network",
        }

    def password(self, instance: Instance) -> str | None:
        return VNC_PASSWORD if self.cluster.merged_hvparams(instance).get("vnc_password_file") else None

    def _open(self, number: int, uuid: str, boot: int, facts: dict[str, str], password: str | None) -> None:
        try:
            listener = socket.create_server((self._host, number))
        except OSError as error:
            if number not in self._refused:
                log.warning("no console for %s: port %d: %s", facts["host"], number, error)
                self._refused.add(number)
            return
        self._refused.discard(number)
        port = Port(uuid, boot, listener, Guest(facts))
        self.ports[number] = port
        arguments = (number, port, facts["host"], password)
        threading.Thread(target=self._accept, args=arguments, name=f"vnc-{number}", daemon=True).start()

    def _accept(self, number: int, port: Port, name: str, password: str | None) -> None:
        while True:
            try:
                connection, _ = port.listener.accept()
            except OSError:
                return

            def guest() -> Guest | None:
                return port.guest if self.ports.get(number) is port else None

            session = Session(connection, name, password, guest)
            threading.Thread(target=session.run, name=f"vnc-{number}-client", daemon=True).start()

    def _close(self, number: int) -> None:
        port = self.ports.pop(number)
        try:
            port.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("port %d was not listening any more", number)
        port.listener.close()
