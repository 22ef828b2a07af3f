"""How many messages wait for a worker, in files or in Redis."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from redis import Redis

# Celery's queue below the prefix of gwm.celery.
_QUEUE = "gwm:gwm"
_TIMEOUT_S = 2.0


def queue_folder() -> Path:
    """Where messages wait in files."""
    return Path(settings.GWM_DATA_DIR) / "queue" / "messages"


def count_waiting() -> int:
    """Messages that no worker has taken yet. Raises RedisError."""
    if settings.REDIS_URL:
        limits = {"socket_timeout": _TIMEOUT_S, "socket_connect_timeout": _TIMEOUT_S}
        with Redis.from_url(settings.REDIS_URL, **limits) as redis:
            return int(redis.llen(_QUEUE))
    folder = queue_folder()
    return sum(1 for _ in folder.glob("*.msg")) if folder.is_dir() else 0
