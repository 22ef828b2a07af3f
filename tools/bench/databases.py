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


def on_both_databases(module: str) -> Iterator[Row]:
    """What `python -m module --database NAME` prints, on each."""
    yield from _measure_on(module, "SQLite", "")
    try:
        with postgresql() as url:
            yield from _measure_on(module, "PostgreSQL", url)
    except Unavailable as reason:
        print(f"{module} on PostgreSQL left out: {reason}")


def _measure_on(module: str, database: str, url: str) -> Iterator[Row]:
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
        yield from read_section([module, "--database", database], environment=environment)


def cpu_s(connection: Any) -> float:
    """CPU time so far of this process and of the database's that serves it: what the wall clock says when nobody else
    wants the processor."""
    if connection.vendor != "postgresql":
        return time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    ticks = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return time.process_time() + (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
