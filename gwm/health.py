"""Is it alive, and can it work? `/healthz` and `/readyz` for machines; no login, no details of clusters."""

from __future__ import annotations

import time

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

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
