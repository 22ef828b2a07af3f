"""The PostgreSQL of Debian 13, on a Debian 12: its programs lie in a root of their own that is made once (`BASE`)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.throwaway import POSTGRESQL_SETTINGS, Unavailable, free_port, running, wait_until

BASE = Path("/var/tmp/gwm-postgresql-debian-13")  # noqa: S108 (kept between runs, and of root alone)
PACKAGES = ("debootstrap", "systemd-container")
_SUITE = "trixie"


def missing_for_debian13() -> str:
    """What keeps this machine from running it; empty: nothing."""
    if os.geteuid() != 0:
        return "It takes root."
    lacking = [name for name in ("debootstrap", "systemd-nspawn") if shutil.which(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed (Debian: apt install {' '.join(PACKAGES)})."
    if not Path("/usr/share/debootstrap/scripts", _SUITE).exists():
        return f"This debootstrap does not know {_SUITE} (Debian: apt install debootstrap, of 12.6 or newer)."
    return ""


@contextmanager
def postgresql_of_debian13() -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL as Debian 13 has it. Raises Unavailable."""
    root = _make_root()
    [programs] = (path.parent for path in root.glob("usr/lib/postgresql/*/bin/postgres"))
    inside = f"/{programs.relative_to(root)}"
    owner = next(line.split(":") for line in (root / "etc/passwd").read_text().splitlines() if "postgres:" in line)
    with tempfile.TemporaryDirectory(prefix="gwm-postgresql-", dir="/var/tmp") as name:
        directory, port = Path(name), free_port()
        os.chown(directory, int(owner[2]), int(owner[3]))
        # It has the network of this machine, and of its files those of this directory alone.
        options = ["--quiet", "--register=no", "--keep-unit", "--as-pid2", "--read-only", "--user=postgres"]
        begin = ["systemd-nspawn", *options, "-D", str(root), f"--bind={directory}:/srv"]
        made = subprocess.run(
            [*begin, f"{inside}/initdb", "-D", "/srv/data", "-U", "gwm", "-A", "trust", "-E", "UTF8", "--locale=C"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stdout.strip()} {made.stderr.strip()}")
        # What a test writes it does not commit: autovacuum would count no rows, and plans would be made for none.
        settings = {**POSTGRESQL_SETTINGS, "port": str(port), "unix_socket_directories": "/srv", "autovacuum": "off"}
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        server = [*begin, "--console=pipe", f"{inside}/postgres", "-D", "/srv/data", *words]
        with running(server, directory, None, signal.SIGTERM) as is_alive:
            probe = ["chroot", str(root), f"{inside}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            wait_until("PostgreSQL", is_alive, lambda: subprocess.run(probe, check=False).returncode == 0)
            yield f"postgres://gwm@127.0.0.1:{port}/postgres"


def _make_root() -> Path:
    """Made once, from Debian's packages. Raises Unavailable."""
    root = BASE / "root"
    if (BASE / "complete").exists():
        return root
    print(f"Making {root}, once: some minutes ...", flush=True)
    shutil.rmtree(BASE, ignore_errors=True)
    BASE.mkdir(mode=0o700)
    command = ["debootstrap", "--variant=minbase", "--include=postgresql", _SUITE, str(root)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise Unavailable(f"debootstrap failed: {' '.join(made.stdout.splitlines()[-3:])} {made.stderr.strip()}")
    (BASE / "complete").touch()
    return root
