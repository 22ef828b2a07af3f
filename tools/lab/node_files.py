"""What is written into a node's root before it starts: keys, addresses, Ganeti's defaults, the keyboard guest's OS."""

from __future__ import annotations

from pathlib import Path

from tools.lab.keyboard_guest import os_definition
from tools.lab.plan import Plan
from tools.lab.system import run_program

_SSH_CLIENT = """\
Host *
 StrictHostKeyChecking no
 UserKnownHostsFile /dev/null
 LogLevel ERROR
"""
_SSH_SERVER = """\
HostKey /etc/ssh/ssh_host_rsa_key
PermitRootLogin prohibit-password
UsePAM no
PidFile /run/sshd.pid
"""
_DAEMONS = """\
NODED_ARGS="--no-mlock"
RAPI_ARGS="-b 0.0.0.0 --require-authentication"
CONFD_ARGS=""
MOND_ARGS=""
WCONFD_ARGS=""
LUXID_ARGS=""
KVMD_ARGS=""
"""


def make_keys(directory: Path) -> None:
    """One RSA key for root and one for the hosts of this lab. Ganeti 3.0 takes no other kind of host key."""
    for name in ("root_key", "host_key"):
        run_program(
            [
                "ssh-keygen",
                "-q",
                "-t",
                "rsa",
                "-b",
                "2048",
                "-N",
                "",
                "-m",
                "PEM",
                "-C",
                name,
                "-f",
                str(directory / name),
            ]
        )


def files_for_node(plan: Plan, node: str, directory: Path) -> dict[str, tuple[int, str]]:
    """Path → mode and text (latin-1)."""
    root_key, host_key = directory / "root_key", directory / "host_key"
    public = root_key.with_suffix(".pub").read_text()
    return {
        "/etc/hosts": (0o644, plan.hosts_file()),
        "/etc/hostname": (0o644, node + "\n"),
        "/etc/resolv.conf": (0o644, "# names are in /etc/hosts\n"),
        "/etc/default/ganeti": (0o644, _DAEMONS),
        "/etc/ganeti/file-storage-paths": (0o644, "/srv/ganeti/file\n/srv/ganeti/shared\n"),
        "/etc/ssh/sshd_config": (0o644, _SSH_SERVER),
        "/etc/ssh/ssh_host_rsa_key": (0o600, host_key.read_text()),
        "/etc/ssh/ssh_host_rsa_key.pub": (0o644, host_key.with_suffix(".pub").read_text()),
        "/root/.ssh/config": (0o600, _SSH_CLIENT),
        "/root/.ssh/id_rsa": (0o600, root_key.read_text()),
        "/root/.ssh/id_rsa.pub": (0o644, public),
        "/root/.ssh/authorized_keys": (0o600, public),
        **os_definition(),
    }
