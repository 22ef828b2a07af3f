"""How Django reaches the database and the cache, by their URLs."""

import sqlite3
from pathlib import Path
from typing import Any

import environ

TIMEOUT_S = 5
# A Redis whose host vanished without a word must hold no page, and no process that is to end.
# A worker asks it some six times before its end.
REDIS_TIMEOUT_S = 3
REDIS_LIMITS = {"socket_timeout": REDIS_TIMEOUT_S, "socket_connect_timeout": REDIS_TIMEOUT_S}
# What SQLite takes in one statement since 3.32, where it was built without another number.
MOST_PARAMETERS = 32_766


# Short transactions everywhere, so no ATOMIC_REQUESTS; SQLite takes the write lock at BEGIN
# (WAL without IMMEDIATE answers "database is locked" as soon as two processes read and then write).
def describe_database(url: str, data_dir: Path, *, prepares: bool) -> dict[str, Any]:
    """Return Django's description of the database at a URL; SQLite in the data directory without one.

    `prepares`: PostgreSQL keeps prepared statements for a session.
    """
    if not url:
        described: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": data_dir / "gwm.sqlite3"}
    else:
        described = dict(environ.Env.db_url_config(url))
    if described["ENGINE"].endswith("sqlite3"):
        described["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        }
    elif described["ENGINE"].endswith("mysql"):
        described.setdefault("OPTIONS", {}).setdefault("isolation_level", "read committed")
    elif described["ENGINE"].endswith("postgresql"):
        options = described.setdefault("OPTIONS", {})
        # A server that vanished without a word must not hold the threads of pages for minutes.
        options.setdefault("connect_timeout", TIMEOUT_S)
        options.setdefault("tcp_user_timeout", 1000 * TIMEOUT_S)
        if prepares:
            # To plan the statements of a page takes PostgreSQL longer than to carry them out, and to compile one
            # hundreds of milliseconds; processes that help with one cost more than they help.
            options.update(server_side_binding=True, prepare_threshold=2)
            wanted = "-c jit=off -c max_parallel_workers_per_gather=0"
            options["options"] = f"{options.get('options', '')} {wanted}".strip()
        else:
            # A PgBouncer that pools transactions refuses connections with options, and forgets what a session keeps:
            # statements, and cursors outside of transactions.
            described["DISABLE_SERVER_SIDE_CURSORS"] = True
    described["CONN_MAX_AGE"] = 600
    described["CONN_HEALTH_CHECKS"] = True
    return described


def describe_cache(redis_url: str) -> dict[str, Any]:
    """Return Django's description of the cache that all processes share: Redis, or a table."""
    if redis_url:
        redis = "django.core.cache.backends.redis.RedisCache"
        return {"BACKEND": redis, "LOCATION": redis_url, "KEY_PREFIX": "gwm", "OPTIONS": REDIS_LIMITS}
    # Above it a third is thrown away: with Django's 300, guessing many names would wipe out the counters.
    table = "django.core.cache.backends.db.DatabaseCache"
    return {"BACKEND": table, "LOCATION": "gwm_cache", "OPTIONS": {"MAX_ENTRIES": 50_000}}


def allow_long_statements(connection: Any) -> None:
    """Let many rows be written by one statement on SQLite, too, of which Django believes that it takes 999 values."""
    if connection.vendor == "sqlite":
        limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = min(limit, MOST_PARAMETERS)
