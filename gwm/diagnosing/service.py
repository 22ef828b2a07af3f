"""The parts of a bundle that tell of the service: versions, settings, tables, health, updates."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import override
from redis import Redis, RedisError

from clusters.effort import ASKERS
from clusters.models import Cluster, Schedule
from gwm import VERSION
from gwm.config import Config
from gwm.database_versions import kind_of
from gwm.env import BASE_DIR, SETTINGS
from gwm.health import describe, examine_clusters, examine_parts

_REDIS_WITHIN_S = 3.0
FAILS = (Error, RedisError, OSError, ValueError, TypeError, LookupError, AttributeError)


def tell_versions() -> dict[str, Any]:
    """Of all that takes part; of what does not answer why."""
    return {
        "product": VERSION,
        "python": platform.python_version(),
        "django": django.get_version(),
        "system": _system(),
        "kernel": platform.release(),
        "database": _or_why(_database),
        "redis": _or_why(_redis) if settings.REDIS_URL else "none",
        "packages": dict(sorted((each.metadata["Name"], each.version) for each in distributions())),
    }


def _or_why(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except FAILS as error:
        return f"no answer: {type(error).__name__}: {error}"


def _system() -> dict[str, str]:
    of = {name: platform.freedesktop_os_release().get(name, "") for name in ("PRETTY_NAME", "VERSION_ID")}
    exact = Path("/etc/debian_version")
    return {**of, "debian_version": exact.read_text(encoding="utf-8").strip() if exact.is_file() else "none"}


def _database() -> str:
    with connection.cursor():  # connects, which the number of a version does not everywhere
        kind, version = kind_of(connection)
    return f"{kind} {'.'.join(str(part) for part in version)}"


def _ask_redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=_REDIS_WITHIN_S, socket_connect_timeout=_REDIS_WITHIN_S, retry=None
    )


def _redis() -> str:
    with _ask_redis() as redis:
        info: Any = redis.info("server")
    return str(info["redis_version"])


def tell_settings() -> dict[str, str]:
    """Each as it was given; of a secret only whether it is."""
    config = Config(os.environ)
    told = {}
    for setting in SETTINGS:
        is_set = config.is_set(setting.name)
        if setting.secret:
            told[setting.name] = "set" if is_set else "unset"
        else:
            told[setting.name] = config.raw(setting.name) if is_set else f"unset ({setting.default or 'empty'})"
    return told


def tell_migrations() -> dict[str, Any]:
    """The last of each app, and what is missing."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    applied: dict[str, str] = {}
    for app, name in sorted(executor.loader.applied_migrations):
        applied[app] = name
    there = executor.loader.disk_migrations
    return {
        "newest": applied,
        "missing": [f"{migration.app_label}.{migration.name}" for migration, _back in plan],
        "unknown": sorted(".".join(each) for each in executor.loader.applied_migrations if each not in there),
    }


def tell_health() -> dict[str, object]:
    """What `manage.py health --json` says."""
    with override("en"):
        parts = examine_parts()
        try:
            clusters = examine_clusters()
        except DatabaseError:  # which is said of the database already
            clusters = []
        return describe(parts, clusters)


def tell_rows() -> dict[str, int]:
    """How many each table has."""
    models = sorted(apps.get_models(include_auto_created=True), key=lambda model: model._meta.db_table)
    return {model._meta.db_table: model._default_manager.count() for model in models if not model._meta.proxy}


def tell_updates() -> list[dict[str, Any]]:
    """How the last update of each cluster went."""
    told = []
    with override("en"):
        for cluster in Cluster.objects.select_related("schedule").order_by("slug"):
            schedule = cluster.schedule
            told.append(
                {
                    "cluster": cluster.slug,
                    "ganeti": cluster.software_version,
                    "unreachable_since": _when(cluster.unreachable_since),
                    "last_error_kind": cluster.last_error_kind,
                    "last_error": str(cluster.last_error),
                    "live_error": str(cluster.live_error),
                    "unreadable": len(cluster.unreadable or ()),
                    "query_troubles": sorted(cluster.query_troubles or ()),
                    "answers_at": cluster.answers_at,
                    "attempted_at": _when(schedule.attempted_at),
                    "synced_at": _when(schedule.synced_at),
                    "live_at": _when(schedule.live_at),
                    "next_sync_at": _when(schedule.next_sync_at),
                    "leased_until": _when(schedule.leased_until),
                    "failures": schedule.failures,
                    "asked": {asker: _effort(schedule, begin) for asker, begin in ASKERS.items()},
                }
            )
    return told


def _effort(schedule: Schedule, begin: str) -> dict[str, Any]:
    failures = getattr(schedule, f"{begin}_failures") or {}
    return {
        "calls": getattr(schedule, f"{begin}_calls"),
        "seconds": round(getattr(schedule, f"{begin}_seconds"), 1),
        "failures": [f"{kind}: {count}" for kind, count in failures.items()],
    }


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


def tell_clocks() -> dict[str, Any]:
    """This host's, and how far those of database and Redis are from it."""
    told: dict[str, Any] = {"here": _when(datetime.now(UTC)), "zone": time.tzname[0]}
    told["database_ahead_s"] = _or_why(_database_ahead)
    if settings.REDIS_URL:
        told["redis_ahead_s"] = _or_why(_redis_ahead)
    return told


def _database_ahead() -> str:
    if connection.vendor == "sqlite":
        return "0 (SQLite has this host's)"
    asking = "SELECT EXTRACT(EPOCH FROM clock_timestamp())"
    if connection.vendor == "mysql":
        asking = "SELECT UNIX_TIMESTAMP(NOW(6))"
    began = time.time()
    with connection.cursor() as cursor:
        cursor.execute(asking)
        [there] = cursor.fetchone()
    return f"{float(there) - (began + time.time()) / 2:.3f}"


def _redis_ahead() -> str:
    began = time.time()
    with _ask_redis() as redis:
        answer: Any = redis.time()
    seconds, micros = answer
    return f"{seconds + micros / 1e6 - (began + time.time()) / 2:.3f}"


def tell_disks() -> dict[str, Any]:
    """Of data, product and temporary files, and how large the data directory's own files are."""
    data = Path(settings.GWM_DATA_DIR)
    room = {}
    for name, folder in (("data", data), ("product", BASE_DIR), ("tmp", Path("/tmp")), ("var", Path("/var"))):  # noqa: S108
        usage, nodes = shutil.disk_usage(folder), os.statvfs(folder)
        room[name] = {"bytes": usage.total, "free_bytes": usage.free, "inodes": nodes.f_files, "free": nodes.f_favail}
    files = [f"{each.name} {each.stat().st_size}" for each in sorted(data.iterdir())[:200] if each.is_file()]
    return {"room": room, "files_of_data": files}
