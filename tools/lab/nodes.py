"""The processes that are nodes: starting them, finding them again, running commands inside, ending them.

A node is known by the command line of its first process, so there is no file of process ids that could lie: what is
found in /proc is what runs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.lab.errors import LabError
from tools.lab.network import mac_of
from tools.lab.node_root import INIT
from tools.lab.system import ENVIRONMENT, run_program, wait_until

_HERE = Path(__file__).resolve().parent


def mark_of(directory: Path) -> str:
    """The argument that all first processes of one lab carry."""
    return f"gwm-lab={directory}"


def _command_line(process: Path) -> list[str]:
    try:
        return process.joinpath("cmdline").read_bytes().decode("utf-8", "replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def processes_of(directory: Path) -> dict[int, list[str]]:
    """Every process with the lab's mark: process id → command line. Zombies have no command line and don't count."""
    mark = mark_of(directory)
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            line = _command_line(process)
            if mark in line and line[-1] != mark:
                found[int(process.name)] = line
    return found


def running_nodes(directory: Path) -> dict[str, int]:
    """Node name → process id of its first process, for nodes whose root is complete."""
    return {line[-1]: pid for pid, line in processes_of(directory).items() if INIT in line}


def start_node(directory: Path, node: str, files: dict[str, tuple[int, str]]) -> int:
    """Start a node without network and return the process id of its first process."""
    root = directory / f"{node}.root"
    root.mkdir(exist_ok=True)
    log = directory / f"{node}.log"
    order = {
        "root": str(root),
        "shared": str(directory / "shared"),
        "files": {**files, INIT: (0o755, (_HERE / "node_init.py").read_text())},
    }
    # The order goes through the command line of a process that soon becomes another; 128 KiB is what Linux allows.
    command = [sys.executable, "-I", str(_HERE / "node_root.py"), mark_of(directory), node, json.dumps(order)]
    with log.open("wb") as output:
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=ENVIRONMENT, cwd="/", check=False
        )

    misses = 0

    def complete_or_gone() -> bool:
        nonlocal misses
        if node in running_nodes(directory):
            return True
        # A process that is becoming another program has no command line for a moment.
        misses = 0 if any(node in line for line in processes_of(directory).values()) else misses + 1
        if misses > 10:
            raise LabError(f"Node {node} did not start:\n{log.read_text(errors='replace').strip()}")
        return False

    wait_until(complete_or_gone, what=f"the root file system of {node}")
    return running_nodes(directory)[node]


def inside(pid: int, command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` inside the node whose first process is ``pid``."""
    enter = ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w"]
    # As the node's own processes: the right to restart the machine is not for the lab, powercycle would use it.
    return [*enter, "--", "setpriv", "--bounding-set", "-sys_boot", "--", *command]


def connect_node(pid: int, *, link: str, bridge: str, address: str) -> None:
    """Lay the cable between a node and the bridge; inside, eth0 is a port of br0 so that guests can share it."""
    run_program(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid)])
    run_program(["ip", "link", "set", link, "master", bridge, "up"])
    batch = (
        f"link set lo up\nlink add br0 address {mac_of(address)} type bridge\nlink set eth0 master br0 up\n"
        f"addr add {address}/24 dev br0\nlink set br0 up\n"
    )
    run_program(["nsenter", "-t", str(pid), "-n", "--", "ip", "-batch", "-"], stdin=batch)


def end_nodes(directory: Path) -> None:
    """Kill every process of the lab; what runs inside a node ends with its first process."""
    for pid in processes_of(directory):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(lambda: not processes_of(directory), what="the nodes to end")


def file_of_node(pid: int, path: str) -> Path:
    """A file of a node as this machine sees it."""
    return Path(f"/proc/{pid}/root") / path.lstrip("/")
