"""Is it alive, and can it work? `/healthz` and `/readyz` for machines; no login, no details of clusters."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from vncproxy.client import ControlError, list_consoles

_HEARTBEAT = "heartbeat"
HEARTBEAT_MAX_AGE_S = 30.0


def note_heartbeat() -> None:
    """Remember that a message went from beat through the queue to a worker just now."""
    cache.set(_HEARTBEAT, time.time(), timeout=None)


def heartbeat_age_s() -> float | None:
    """Return the seconds since a worker last did something beat asked for; None if never."""
    seen = cache.get(_HEARTBEAT)
    return None if seen is None else max(0.0, time.time() - seen)


def find_troubles() -> dict[str, str]:
    """Return what keeps the product from working, by part; empty when nothing does."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return {"database": "Migrations are missing: run `manage.py prepare`."}
        age_s = heartbeat_age_s()
    except DatabaseError:
        return {"database": "The database does not answer."}
    if age_s is None or age_s > HEARTBEAT_MAX_AGE_S:
        return {"worker": "No sign of life from beat and worker: start both (`manage.py up` does)."}
    return {}


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as this process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when database, queue and worker do their work, else 503 and why."""
    troubles = find_troubles()
    return JsonResponse({"ready": not troubles, "troubles": troubles}, status=503 if troubles else 200)


@dataclass(frozen=True)
class Part:
    """A part of the service. `kind` is ok, warn or bad; `remedy` says what to do when it is not ok."""

    name: str
    kind: str
    word: str
    detail: str = ""
    remedy: str = ""


FREE_DISK_WANTED = 0.05


def examine_parts() -> list[Part]:
    """Every part as it is now. Asks no cluster."""
    return [_database(), _migrations(), _worker(), _queue(), _consoles(), _disk()]


def _database() -> Part:
    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Part("Database", "bad", "no answer", str(error), "Start the database, or correct DATABASE_URL.")
    return Part("Database", "ok", "answers", f"{connection.vendor}, {1000 * (time.perf_counter() - began):.1f} ms")


def _migrations() -> Part:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return Part("Tables", "bad", f"{len(missing)} migrations missing", "", "Run manage.py prepare.")
    return Part("Tables", "ok", "up to date")


def _worker() -> Part:
    age_s = heartbeat_age_s()
    remedy = "Start both: manage.py up does, or the units gwm-worker and gwm-beat."
    if age_s is None:
        return Part("Worker and beat", "bad", "never seen", "", remedy)
    word = "alive" if age_s <= HEARTBEAT_MAX_AGE_S else "unresponsive"
    detail = f"last sign of life {age_s:.0f} s ago"
    return (
        Part("Worker and beat", "ok", word, detail)
        if word == "alive"
        else Part("Worker and beat", "bad", word, detail, remedy)
    )


def _queue() -> Part:
    if settings.REDIS_URL:
        return Part("Queue", "ok", "Redis", "its state shows in the worker's sign of life")
    folder = Path(settings.GWM_DATA_DIR) / "queue" / "messages"
    waiting = sum(1 for __ in folder.glob("*")) if folder.is_dir() else 0
    if waiting > 1000:
        return Part(
            "Queue", "warn", _describe_waiting(waiting), str(folder), _("The worker does not keep up or is down.")
        )
    return Part("Queue", "ok", _describe_waiting(waiting), _("in files"))


def _describe_waiting(number: int) -> str:
    return ngettext("%d message waiting", "%d messages waiting", number) % number


def _consoles() -> Part:
    try:
        consoles = list_consoles(str(settings.GWM_CONSOLE_CONTROL), timeout_s=2)
    except ControlError as error:
        return Part(
            "Console proxy", "bad", "no answer", str(error), "It is a part of the web process: look at its log."
        )
    return Part(
        "Console proxy", "ok", "answers", ngettext("%d console open", "%d consoles open", len(consoles)) % len(consoles)
    )


def _disk() -> Part:
    usage = shutil.disk_usage(settings.GWM_DATA_DIR)
    share = usage.free / usage.total
    detail = f"{usage.free / 2**30:,.1f} GiB free of {usage.total / 2**30:,.1f} GiB"
    if share < FREE_DISK_WANTED:
        return Part("Disk of the data directory", "bad", "nearly full", detail, "Make room: the database needs it.")
    return Part("Disk of the data directory", "ok", "enough room", detail)
