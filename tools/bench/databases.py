"""A section that is measured on SQLite and on PostgreSQL: it starts itself once for each, with rows of its own."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.bench.rows import Row
from tools.bench.section import read_section
from tools.throwaway import Unavailable, postgresql


def on_both_databases(module: str, *arguments: str) -> Iterator[Row]:
    """What `python -m module --database NAME` and `arguments` print, on each."""
    yield from _measure_on(module, "SQLite", "", arguments)
    try:
        with postgresql() as url:
            yield from _measure_on(module, "PostgreSQL", url, arguments)
    except Unavailable as reason:
        print(f"{module} on PostgreSQL left out: {reason}")


def _measure_on(module: str, database: str, url: str, arguments: tuple[str, ...]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="gwm-bench-") as directory:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "gwm.settings",
            "DATABASE_URL": url,
            "REDIS_URL": "",
            "GWM_DATA_DIR": directory,
            "GWM_SECRET_KEY": secrets.token_hex(32),
            "GWM_FIELD_KEYS": secrets.token_hex(32),
            "GWM_JOURNAL_KEYS": secrets.token_hex(32),
            "GWM_CONSOLE_KEYS": secrets.token_hex(32),
            "GWM_LOG_LEVEL": "ERROR",
        }
        yield from read_section([module, "--database", database, *arguments], environment=environment)


def settle(connection: Any) -> None:
    """After many rows were made: what PostgreSQL would do by itself a minute later is done now, and not while it is
    measured. Nobody does it for SQLite."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        cursor.execute("ALTER SYSTEM SET autovacuum = off")
        cursor.execute("SELECT pg_reload_conf()")


def cpu_s(connection: Any) -> float:
    """CPU time so far of this process and of the whole database server, whose helpers share in large queries: what the
    wall clock says when nobody else wants the processor."""
    if connection.vendor != "postgresql":
        return time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    server = _read_stat(pid)[1]
    # Fields 14 to 17 of proc_pid_stat(5): its own time, and that of its children that have ended.
    ticks = sum(_read_stat(server)[11:15])
    ticks += sum(sum(_read_stat(child)[11:13]) for child in _children_of(server))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def _read_stat(pid: int) -> list[int]:
    """The numbers of proc_pid_stat(5) after the letter of the state, for which there is a 0; none if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [0, *(int(field) for field in text.rpartition(")")[2].split()[1:])]
