"""Servers for tests, started for the occasion in a temporary directory and gone afterwards."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PR_SET_PDEATHSIG = 1
START_TIMEOUT_S = 30
#: of a PostgreSQL whose data nobody wants to have afterwards
POSTGRESQL_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
}


class Unavailable(Exception):
    """This machine cannot run the server; the text says why and what to install."""


@contextmanager
def postgresql(kept: Path | None = None) -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL; without root it runs as the caller, with root as another user. One in the
    directory `kept` stays there, with what is in it, for another time."""
    programs = find_postgresql()
    user = _unprivileged_user()
    with _directory_of("gwm-postgresql-", kept) as directory:
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        data = directory / "data"
        if not (data / "PG_VERSION").exists():
            _initdb(programs, data, user)
        port = free_port()
        settings = {**POSTGRESQL_SETTINGS, "port": str(port), "unix_socket_directories": str(directory)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with running([str(programs / "postgres"), "-D", data, *options], directory, user, signal.SIGINT) as is_alive:
            probe = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
            wait_until("PostgreSQL", is_alive, lambda: subprocess.run(probe, check=False).returncode == 0)
            yield f"postgres://gwm@127.0.0.1:{port}/postgres"


@contextmanager
def _directory_of(prefix: str, kept: Path | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory(prefix=prefix) as name:
            yield Path(name)
    else:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept


def _initdb(programs: Path, data: Path, user: pwd.struct_passwd | None) -> None:
    made = subprocess.run(
        [str(programs / "initdb"), "-D", data, "-U", "gwm", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        **_run_as(user),
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise Unavailable(f"initdb failed: {made.stderr.strip()}")


@contextmanager
def redis_server() -> Iterator[str]:
    """Yield the URL of an empty Redis that keeps nothing."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise Unavailable("Redis is not installed (Debian: apt install redis-server).")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with (
        tempfile.TemporaryDirectory(prefix="gwm-redis-") as name,
        running(command, Path(name), None, signal.SIGTERM) as is_alive,
    ):
        wait_until("Redis", is_alive, lambda: _answers_ping(port))
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def mariadb() -> Iterator[str]:
    """Yield the URL of an empty MariaDB on which databases can be made."""
    lacking = missing_for_mariadb()
    if lacking:
        raise Unavailable(lacking)
    server, install = find_in_sbin("mariadbd"), find_in_sbin("mariadb-install-db")
    user = next((entry for entry in pwd.getpwall() if entry.pw_name == "mysql"), None) if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="gwm-mariadb-") as name:
        directory, port = Path(name), free_port()
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        data = f"--datadir={directory / 'data'}"
        made = subprocess.run(
            [install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"],
            **_run_as(user),
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise Unavailable(f"mariadb-install-db failed: {made.stderr.strip()}")
        first = directory / "first.sql"
        first.write_text("CREATE USER gwm@'127.0.0.1';\nGRANT ALL ON *.* TO gwm@'127.0.0.1';\nCREATE DATABASE gwm;\n")
        first.chmod(0o644)
        options = {
            "bind-address": "127.0.0.1",
            "port": str(port),
            "socket": str(directory / "socket"),
            "pid-file": str(directory / "pid"),
            "init-file": str(first),
            "innodb-flush-log-at-trx-commit": "0",
            "innodb-flush-method": "nosync",
            "innodb-doublewrite": "0",
            # Debian's, which a server without its files of settings has not
            "character-set-server": "utf8mb4",
            "collation-server": "utf8mb4_general_ci",
        }
        command = [server, "--no-defaults", data, "--skip-name-resolve", *(f"--{k}={v}" for k, v in options.items())]
        with running(command, directory, user, signal.SIGTERM) as is_alive:
            wait_until("MariaDB", is_alive, lambda: _greets(port))
            yield f"mysql://gwm@127.0.0.1:{port}/gwm"


def missing_for_mariadb() -> str:
    """What keeps tests from running on MariaDB; empty: nothing."""
    if not find_in_sbin("mariadbd"):
        return "MariaDB is not installed (Debian: apt install mariadb-server)."
    if importlib.util.find_spec("MySQLdb") is None:
        return "Its driver is not installed (apt install libmariadb-dev pkg-config gcc; requirements-mariadb.txt)."
    return ""


def find_in_sbin(name: str) -> str:
    """Where a program is, also among those of root; empty: nowhere."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin") or ""


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            return b"MariaDB" in connection.recv(128)
    except OSError:
        return False


def find_postgresql() -> Path:
    """Return the directory with initdb and postgres, the newest if there are several."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise Unavailable("PostgreSQL is not installed (Debian: apt install postgresql).")
    return versions[-1].parent


def free_port() -> int:
    """Return a port of the loopback that nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _unprivileged_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known.get("nobody")
    if user is None:
        raise Unavailable("PostgreSQL refuses to run as root, and there is no user postgres or nobody.")
    return user


def _run_as(user: pwd.struct_passwd | None) -> dict[str, object]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def running(
    command: list[str], directory: Path, user: pwd.struct_passwd | None, ending: signal.Signals
) -> Iterator[Callable[[], bool]]:
    """A server that is ended in the end, at the latest with this program; yields whether it lives."""
    log = directory / "log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            command,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this program has one thread
            cwd=directory,
            stdout=stream,
            stderr=stream,
            **_run_as(user),
        )
    try:
        yield lambda: server.poll() is None
    finally:
        server.send_signal(ending)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def wait_until(name: str, is_alive: Callable[[], bool], answers: Callable[[], bool]) -> None:
    """Until a server answers. Raises Unavailable."""
    end = time.monotonic() + START_TIMEOUT_S
    while not answers():
        if not is_alive():
            raise Unavailable(f"{name} ended while it started.")
        if time.monotonic() > end:
            raise Unavailable(f"{name} did not start within {START_TIMEOUT_S} s.")
        time.sleep(0.05)
