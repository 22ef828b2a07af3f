"""What a machine must have before a lab can run on it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PACKAGES = (
    "ganeti ganeti-3.0 ganeti-haskell-3.0 ganeti-htools-3.0 ganeti-os-noop qemu-system-x86 qemu-utils "
    "iproute2 openssh-server util-linux procps iputils-arping fping"
)

# A program (or file) and the Debian package that brings it.
PROGRAMS = {
    "gnt-cluster": "ganeti",
    "ganeti-noded": "ganeti-3.0",
    "ganeti-luxid": "ganeti-haskell-3.0",
    "/usr/lib/ganeti/iallocators/hail": "ganeti-htools-3.0",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "ip": "iproute2",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "arping": "iputils-arping",
    "fping": "fping",
    "/usr/bin/python3": "python3",
    "/usr/share/ganeti/os/noop/create": "ganeti-os-noop",
    "/usr/share/seabios/bios-256k.bin": "seabios",
}

_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _is_there(program: str) -> bool:
    if program.startswith("/"):
        return Path(program).exists()
    return shutil.which(program, path=SEARCH_PATH) is not None


def _has_capabilities() -> bool:
    """Whether root is root here: containers take rights from it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            held = int(line.split()[1], 16)
            return all(held & (1 << number) for number in (_CAP_NET_ADMIN, _CAP_SYS_ADMIN))
    return False


def missing_prerequisites() -> list[str]:
    """What this machine lacks, each a sentence; empty when a lab can be brought up."""
    problems = []
    if os.geteuid() != 0:
        problems.append("The lab makes namespaces, mounts and a bridge: run it as root.")
    elif not _has_capabilities():
        problems.append("This container does not let root make namespaces and bridges (CAP_SYS_ADMIN, CAP_NET_ADMIN).")
    absent = sorted({package for program, package in PROGRAMS.items() if not _is_there(program)})
    if absent:
        problems.append(
            f"Debian packages are missing: {' '.join(absent)}. "
            f"Install them with: apt-get install -y --no-install-recommends {PACKAGES}"
        )
    return problems
