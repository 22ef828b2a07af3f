"""A lab as a whole: up, down, what it is like, and commands inside."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.lab import network, nodes
from tools.lab.errors import LabError, NumberTaken
from tools.lab.node_files import files_for_node, make_keys
from tools.lab.plan import DOMAIN, RAPI_PORT, USERS, Plan, base_directory
from tools.lab.prerequisites import missing_prerequisites
from tools.lab.rapi import Rapi
from tools.lab.system import ENVIRONMENT, run_program, wait_until

FILE_DIR = "/srv/ganeti/file"
SHARED_DIR = "/srv/ganeti/shared"
NODE_DAEMONS_TIMEOUT_S = 30.0

# Software emulation everywhere, so that a lab behaves alike on every machine; VNC must be reachable from outside.
KVM_PARAMETERS = (
    "kvm_flag=disabled,kernel_path=,serial_console=false,vnc_bind_address=0.0.0.0,"
    "kvm_path=/usr/bin/qemu-system-x86_64,migration_downtime=300"
)
INIT_OPTIONS = (
    "--no-etc-hosts",
    "--no-ssh-init",
    "--master-netdev=br0",
    "--master-netmask=24",
    "--nic-parameters=mode=bridged,link=br0",
    "--enabled-hypervisors=kvm,fake",
    f"--hypervisor-parameters=kvm:{KVM_PARAMETERS}",
    "--enabled-disk-templates=file,sharedfile,diskless",
    f"--file-storage-dir={FILE_DIR}",
    f"--shared-file-storage-dir={SHARED_DIR}",
    "--default-iallocator=hail",
    "--ipolicy-vcpu-ratio=10000",
    "--ipolicy-spindle-ratio=10000",
    "--specs-mem-size=min=16,std=128,max=32768",
    "--specs-disk-size=min=1,std=128,max=1048576",
)


def _is_alive(process: str) -> bool:
    """Whether ``pid:start`` names a process that still runs; the start time guards against a number used again."""
    pid, _, start = process.partition(":")
    return process_identity(int(pid)) == f"{pid}:{start}"


def process_identity(pid: int) -> str | None:
    """``pid:start`` of a running process (start in clock ticks since boot), or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return f"{pid}:{text.rpartition(')')[2].split()[19]}"


@dataclass(frozen=True)
class Description:
    """What a manager of this cluster must know."""

    name: str
    host: str
    port: int
    endpoint: str
    fingerprint: str
    nodes: list[str]
    username: str = "gwm"
    password: str = USERS["gwm"][0]
    viewer_username: str = "viewer"
    viewer_password: str = USERS["viewer"][0]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Lab:
    """One lab, running or not. Two objects with the same name are the same lab."""

    def __init__(self, name: str) -> None:
        Plan(name, 1, 1)
        self.name = name
        self.directory = base_directory() / name

    # --- what is there ---------------------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """The lab as it was ordered; LabError when it never was."""
        try:
            order = json.loads((self.directory / "order.json").read_text())
        except FileNotFoundError as error:
            raise LabError(f"There is no lab {self.name!r} (see: status).") from error
        return Plan(self.name, order["number"], order["nodes"])

    @property
    def is_known(self) -> bool:
        return (self.directory / "order.json").exists()

    @property
    def is_ready(self) -> bool:
        """Whether bringing it up was finished and every node still runs."""
        if not (self.is_known and (self.directory / "ready").exists()):
            return False
        return set(self.plan.node_names) <= set(nodes.running_nodes(self.directory))

    @property
    def is_abandoned(self) -> bool:
        """Whether the process it was brought up for has ended."""
        try:
            owner = json.loads((self.directory / "order.json").read_text()).get("owner")
        except FileNotFoundError:
            return False
        return bool(owner) and not _is_alive(owner)

    def pid_of(self, node: str) -> int:
        """Process id of a node's first process; the short name will do."""
        full = node if "." in node else f"{node}.{DOMAIN}"
        running = nodes.running_nodes(self.directory)
        if full not in running:
            known = ", ".join(sorted(running)) or "none"
            raise LabError(f"Node {full} of lab {self.name!r} does not run (running: {known}).")
        return running[full]

    @property
    def master(self) -> str:
        """The node that is master now, as the running nodes know it."""
        for pid in nodes.running_nodes(self.directory).values():
            known = nodes.file_of_node(pid, "/var/lib/ganeti/ssconf_master_node")
            if known.exists():
                return known.read_text().strip()
        return self.plan.node_names[0]

    def describe(self) -> Description:
        """Address, users and certificate of a running lab."""
        plan = self.plan
        pem = nodes.file_of_node(self.pid_of(self.master), "/var/lib/ganeti/rapi.pem").read_text()
        begin = pem.index("-----BEGIN CERTIFICATE-----")
        end = pem.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----\n")
        certificate = ssl.PEM_cert_to_DER_cert(pem[begin:end])
        return Description(
            name=plan.cluster_name,
            host=plan.cluster_address,
            port=RAPI_PORT,
            endpoint=plan.endpoint,
            fingerprint=hashlib.sha256(certificate).hexdigest(),
            nodes=plan.node_names,
        )

    @property
    def rapi(self) -> Rapi:
        """What creates, changes and removes machines."""
        return Rapi(self.plan)

    # --- commands inside -------------------------------------------------------------------------------------------

    def run(self, node: str, *command: str, stdin: str = "", timeout_s: float = 120.0) -> str:
        """Run a command on a node and return what it printed; LabError when it fails."""
        return run_program(nodes.inside(self.pid_of(node), command), stdin=stdin, timeout_s=timeout_s)

    def run_attached(self, node: str, command: Sequence[str]) -> int:
        """Run a command on a node at this terminal and return its exit status."""
        environment = {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")}
        return subprocess.run(
            nodes.inside(self.pid_of(node), command), env=environment, cwd="/", check=False
        ).returncode

    # --- up and down -----------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold this lab against other commands; the lock lies beside it, for ``down`` removes the directory."""
        path = base_directory() / f".{self.name}.lock"
        while True:
            base_directory().mkdir(mode=0o755, parents=True, exist_ok=True)
            with path.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino):
                    continue  # the one before us removed it
                try:
                    yield
                finally:
                    if not self.directory.exists():
                        path.unlink()
                return

    def up(self, *, node_count: int = 2, number: int | None = None, owner: int | None = None) -> Description:
        """Bring the lab up, or leave it as it is when it is up already; one that does not come up leaves no trace.

        ``owner`` is a process: once it has ended, the next lab that is brought up removes this one.
        """
        problems = missing_prerequisites()
        if problems:
            raise LabError("\n".join(problems))
        with self._alone():
            if self.is_ready:
                plan = self.plan
                if plan.node_count != node_count or number not in (None, plan.number):
                    raise LabError(
                        f"Lab {self.name!r} is up with {plan.node_count} nodes and number {plan.number}: "
                        "take it down first."
                    )
            else:
                self._remove()
                with ExitStack() as until_built:
                    until_built.callback(self._remove)
                    self._build(node_count, number, owner)
                    until_built.pop_all()
            return self.describe()

    def _build(self, node_count: int, number: int | None, owner: int | None) -> None:
        plan = self._claim_number(number, node_count)
        (self.directory / "shared").mkdir(parents=True)
        order = {"number": plan.number, "nodes": plan.node_count, "owner": process_identity(owner) if owner else None}
        (self.directory / "order.json").write_text(json.dumps(order))
        make_keys(self.directory)
        for node in plan.node_names:
            pid = nodes.start_node(self.directory, node, files_for_node(plan, node, self.directory))
            nodes.connect_node(pid, link=plan.link(node), bridge=plan.bridge, address=plan.node_address(node))
            self.run(node, "/usr/sbin/sshd")
        self._make_cluster(plan)
        (self.directory / "ready").touch()

    def _claim_number(self, number: int | None, node_count: int) -> Plan:
        for candidate in [number] if number else network.free_numbers():
            plan = Plan(self.name, candidate, node_count)
            try:
                network.make_bridge(plan, self.directory)
            except NumberTaken:
                if number:
                    raise
                continue
            return plan
        raise LabError("Every number is taken by a lab.")

    def _make_cluster(self, plan: Plan) -> None:
        first, *others = plan.node_names
        self.run(first, "gnt-cluster", "init", *INIT_OPTIONS, plan.cluster_name)
        users = "".join(f"{user} {password} {right}\n" for user, (password, right) in USERS.items())
        # Moved into place: RAPI reads the file the moment it appears, and must be allowed to by then.
        write = (
            "cd /var/lib/ganeti/rapi; umask 027; cat > users.new; "
            "chown gnt-rapi:gnt-masterd users.new; mv users.new users"
        )
        self.run(first, "sh", "-c", write, stdin=users)
        for node in others:
            self.run(first, "gnt-node", "add", "--no-ssh-key-check", node)
        self.run(first, "gnt-cluster", "redist-conf")
        wait_until(self.answers, what="RAPI to answer", timeout_s=NODE_DAEMONS_TIMEOUT_S)

    def answers(self) -> bool:
        """Whether its RAPI takes connections."""
        try:
            ssl.get_server_certificate((self.plan.cluster_address, RAPI_PORT), timeout=2.0)
        except OSError:
            return False
        return True

    def down(self) -> None:
        """End the lab and remove all that was made for it; a lab that is not there is fine."""
        with self._alone():
            self._remove()
        if base_directory().is_dir() and not any(base_directory().iterdir()):
            base_directory().rmdir()

    def _remove(self) -> None:
        nodes.end_nodes(self.directory)
        network.remove_bridges(self.directory)
        if self.directory.exists():
            shutil.rmtree(self.directory)


def known_labs() -> list[Lab]:
    """All labs of this base directory, also those that are half up."""
    base = base_directory()
    return [Lab(entry.name) for entry in sorted(base.iterdir()) if entry.is_dir()] if base.is_dir() else []


def remove_abandoned_labs() -> list[str]:
    """Remove the labs whose owner has ended without doing so; their names."""
    gone = [lab for lab in known_labs() if lab.is_abandoned]
    for lab in gone:
        lab.down()
    return [lab.name for lab in gone]
