"""The demo cluster of `manage.py up`: the simulator as one more process, and its row among the clusters."""

from __future__ import annotations

import json
import secrets
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clusters.models import Cluster, TlsTrust
from clusters.operations.cluster import EditCluster, add_cluster
from clusters.operations.wanted import ClusterSettings
from gwm.processes.supervisor import Program
from gwm.secrets import ensure_private_directory, replace_private_file
from objectlog.models import Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from permissions.models import User

HOST = "127.0.0.1"
SLUG = "demo"
FIRST_SYNC_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Demo:
    """Where the simulator keeps its things and under which port it answers."""

    directory: Path
    port: int

    @property
    def password(self) -> str:
        """The password of its RAPI user."""
        return (self.directory / "password").read_text(encoding="ascii").strip()

    def program(self) -> Program:
        """Return what the supervisor runs; its first line tells how to reach it."""
        options = {
            "--port": str(self.port),
            "--certificate-dir": str(self.directory),
            "--state": str(self.directory / "state.json"),
            "--password-file": str(self.directory / "password"),
        }
        words = [word for option in options.items() for word in option]
        command = [sys.executable, "-m", "simulator", "--demo", *words]
        return Program("demo", command, ready_by_output=True)


def is_wanted() -> bool:
    """Say whether the demo is there already, or there is no cluster yet."""
    return find_demo() is not None or not Cluster.objects.exists()


def find_demo() -> Cluster | None:
    """Return the demo's row."""
    return Cluster.objects.filter(is_demo=True).first()


def prepare_demo(data_dir: Path) -> Demo:
    """See to its directory and password; keep its port unless somebody else took that."""
    directory = data_dir / "demo"
    ensure_private_directory(directory)
    if not (directory / "password").exists():
        replace_private_file(directory / "password", secrets.token_urlsafe(24) + "\n")
    row = find_demo()
    return Demo(directory, row.port if row is not None and is_free(row.port) else find_free_port())


def connect_demo(demo: Demo, announcement: str) -> None:
    """Add its row, or bring address and fingerprint up to date."""
    facts = json.loads(announcement)
    wanted = ClusterSettings(
        slug=SLUG,
        host=HOST,
        port=facts["port"],
        description="A simulated cluster to try things on",
        username=facts["username"],
        password=demo.password,
        vnc_password=facts["vnc_password"],
        tls_trust=TlsTrust.PIN,
        tls_fingerprint=facts["fingerprint"],
        is_demo=True,
    )
    owner = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if owner is None:
        raise User.DoesNotExist("No administrator to add the demo cluster for: manage.py rescue_admin NAME makes one.")
    actor, row = Actor(owner, Via.CLI), find_demo()
    if row is None:
        add_cluster(actor, wanted)
    elif (row.port, row.tls_fingerprint) != (wanted.port, wanted.tls_fingerprint):
        run(EditCluster(), Ask(actor, row, wanted))


def wait_for_first_sync(is_stopping: Callable[[], bool]) -> bool:
    """Wait until beat and worker have read the demo cluster; False when they did not in good time."""
    end = time.monotonic() + FIRST_SYNC_TIMEOUT_S
    while not Cluster.objects.filter(is_demo=True, schedule__synced_at__isnull=False).exists():
        if time.monotonic() > end or is_stopping():
            return False
        time.sleep(0.2)
    return True


def is_free(port: int) -> bool:
    """Say whether one could listen on a port of the loopback."""
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False


def find_free_port() -> int:
    """Return a port of the loopback that nobody uses just now."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])
