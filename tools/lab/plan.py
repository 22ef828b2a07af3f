"""Names and addresses of a lab: everything that follows from its name, its number and the count of its nodes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tools.lab.errors import LabError

DOMAIN = "lab.test"
RAPI_PORT = 5080
MAX_NODES = 50
MAX_NUMBER = 250
# Host numbers inside 10.198.NUMBER.0/24.
CLUSTER_HOST = 100
FIRST_GUEST_HOST = 101
GUEST_HOSTS = 100
BRIDGE_HOST = 254

USERS = {"gwm": ("secret", "write"), "viewer": ("lookonly", "read")}

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def base_directory() -> Path:
    """Where labs keep what must be seen by all their nodes; ``GWM_LAB_DIR`` moves it."""
    return Path(os.environ.get("GWM_LAB_DIR", "/var/tmp/gwm-lab"))  # noqa: S108 - root's, and not a temporary file


@dataclass(frozen=True)
class Plan:
    """One lab on paper. Nodes of all labs are named alike: two labs are two clusters with the same names."""

    name: str
    number: int
    node_count: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LabError(f"{self.name!r} can't be a lab's name: lower-case letters, digits and hyphens, please.")
        if not 1 <= self.number <= MAX_NUMBER:
            raise LabError(f"The number of a lab is between 1 and {MAX_NUMBER}, not {self.number}.")
        if not 1 <= self.node_count <= MAX_NODES:
            raise LabError(f"A lab has between 1 and {MAX_NODES} nodes, not {self.node_count}.")

    @property
    def cluster_name(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def node_names(self) -> list[str]:
        return [f"node{i}.{DOMAIN}" for i in range(1, self.node_count + 1)]

    @property
    def bridge(self) -> str:
        """The bridge on this machine that the nodes meet on."""
        return f"gwmlab{self.number}"

    def link(self, node: str) -> str:
        """This machine's end of the cable to a node."""
        return f"gwm{self.number}n{self.node_names.index(node) + 1}"

    def address(self, host: int) -> str:
        return f"10.198.{self.number}.{host}"

    def node_address(self, node: str) -> str:
        return self.address(self.node_names.index(node) + 1)

    @property
    def cluster_address(self) -> str:
        return self.address(CLUSTER_HOST)

    @property
    def endpoint(self) -> str:
        return f"https://{self.cluster_address}:{RAPI_PORT}"

    def hosts_file(self) -> str:
        """``/etc/hosts`` of every node; vm1 to vm100 can be created with Ganeti's name check on."""
        lines = ["127.0.0.1 localhost", f"{self.cluster_address} {self.cluster_name} {self.name}"]
        lines += [f"{self.node_address(n)} {n} {n.partition('.')[0]}" for n in self.node_names]
        lines += [f"{self.address(FIRST_GUEST_HOST + i)} vm{i + 1}.{DOMAIN} vm{i + 1}" for i in range(GUEST_HOSTS)]
        return "\n".join(lines) + "\n"
