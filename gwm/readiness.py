"""Whether the product can work now. It knows no model: the web process asks before the apps are loaded."""

from __future__ import annotations

import os
import tempfile
import time

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from redis import RedisError

from gwm.outages import is_disk_full, is_read_only

_HEARTBEAT = "heartbeat"
HEARTBEAT_MAX_AGE_S = 30.0
_PROBE_SIZE = 4096


def note_heartbeat() -> None:
    """Remember that a message went from beat through the queue to a worker just now."""
    cache.set(_HEARTBEAT, time.time(), timeout=None)


def heartbeat_age_s() -> float | None:
    """Return the seconds since a worker last did something beat asked for; None if never."""
    seen = cache.get(_HEARTBEAT)
    return None if seen is None else abs(time.time() - seen)


def check_readiness() -> dict[str, str]:
    """Return what keeps the product from working, by part; empty when nothing does. For a thread of its own."""
    close_old_connections()
    try:
        return {**_find_disk_trouble(), **_find_trouble()}
    finally:
        close_old_connections()


def _find_disk_trouble() -> dict[str, str]:
    why = why_unwritable()
    return {"disk": why} if why else {}


def why_unwritable() -> str:
    """Really write: what is free for root, or what a quota leaves, shows only then. Empty when it can be."""
    folder = settings.GWM_DATA_DIR
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_PROBE_SIZE))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        said = _("Cannot write to %(folder)s: %(reason)s.") % {"folder": folder, "reason": error.strerror}
        if is_disk_full(error):
            return f"{said} {_('Make room there.')}"
        return f"{said} {_('Look at its mount, its owner and the log of the system, then restart.')}"
    return ""


def _find_trouble() -> dict[str, str]:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return {"database": _("Migrations are missing: run `manage.py prepare`.")}
        try_to_change()
        age_s = heartbeat_age_s()
    except DatabaseError as error:
        return {"database": _describe_database(error)}
    except RedisError:
        return {"redis": _("Redis does not answer.")}
    if age_s is None or age_s > HEARTBEAT_MAX_AGE_S:
        return {"worker": _("No sign of life from beat and worker: start both (`manage.py up` does).")}
    return {}


def try_to_change() -> None:
    """A change of no row: a server that is a standby or was set read-only refuses even that. Raises DatabaseError.

    SQLite is a file: there the disk tells.
    """
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET app = app WHERE 1 = 0")


def _describe_database(error: DatabaseError) -> str:
    if is_disk_full(error):
        return _("The disk is full.")
    if is_read_only(error):
        return _("The database takes no changes: it is read-only.")
    return _("The database does not answer.")
