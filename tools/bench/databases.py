"""A section that is measured on SQLite and on PostgreSQL: it starts itself once for each, with rows of its own."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.bench.rows import Row
from tools.bench.section import read_section
from tools.throwaway import Unavailable, postgresql

_KEYS = ("GWM_SECRET_KEY", "GWM_FIELD_KEYS", "GWM_JOURNAL_KEYS", "GWM_CONSOLE_KEYS")


def on_both_databases(module: str, *arguments: str, kept: str = "") -> Iterator[Row]:
    """What `python -m module --database NAME` and `arguments` print, on each. Below the directory `kept` both stay,
    with the keys that belong to their rows, for another time."""
    where = Path(kept).resolve() if kept else None
    yield from _measure_on(module, "SQLite", "", arguments, where and where / "sqlite")
    try:
        with postgresql(where and where / "server") as url:
            yield from _measure_on(module, "PostgreSQL", url, arguments, where and where / "postgresql")
    except Unavailable as reason:
        print(f"{module} on PostgreSQL left out: {reason}")


def _measure_on(
    module: str, database: str, url: str, arguments: tuple[str, ...], kept: Path | None = None
) -> Iterator[Row]:
    with ExitStack() as stack:
        directory = kept or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gwm-bench-")))
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "gwm.settings",
            "DATABASE_URL": url,
            "REDIS_URL": "",
            "GWM_DATA_DIR": str(directory),
            **keys_in(directory),
            "GWM_LOG_LEVEL": "ERROR",
        }
        yield from read_section([module, "--database", database, *arguments], environment=environment)


def keys_in(directory: Path) -> dict[str, str]:
    """The keys by which the rows there were written, made with the first of them."""
    path = directory / "bench-keys.json"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps({name: secrets.token_hex(32) for name in _KEYS}))
    keys: dict[str, str] = json.loads(path.read_text())
    return keys


def settle(connection: Any) -> None:
    """After many rows were made: what PostgreSQL would do by itself a minute later is done now, and not while it is
    measured. Nobody does it for SQLite."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        cursor.execute("ALTER SYSTEM SET autovacuum = off")
        # Every five minutes some page or other would pay for one.
        cursor.execute("ALTER SYSTEM SET checkpoint_timeout = '1d'")
        cursor.execute("SELECT pg_reload_conf()")


def cpu_s(connection: Any) -> float:
    """CPU time so far of this process and of the whole database server, whose helpers share in large queries: what the
    wall clock says when nobody else wants the processor."""
    if connection.vendor != "postgresql":
        return time.process_time()
    connection.ensure_connection()
    server = _read_stat(connection.connection.info.backend_pid)[1]
    ended_s = sum(_read_stat(server)[13:15]) / os.sysconf("SC_CLK_TCK")  # its children that have ended
    return time.process_time() + ended_s + _worked_s(server) + sum(map(_worked_so_far_s, _children_of(server)))


def _children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def _read_stat(pid: int) -> list[int]:
    """The numbers of proc_pid_stat(5) after the letter of the state, for which there is a 0."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return [0, *(int(field) for field in text.rpartition(")")[2].split()[1:])]


def _worked_s(pid: int) -> float:
    """What a process has worked, to the nanosecond; proc_pid_stat(5) counts hundredths of a second."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def _worked_so_far_s(pid: int) -> float:
    """The same of a process that may just have ended, and is counted with those then."""
    try:
        return _worked_s(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
