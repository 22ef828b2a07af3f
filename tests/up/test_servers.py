"""The same product with PostgreSQL and Redis instead of files."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest
import redis

from tests.up.running import Installation, eventually

pytestmark = [pytest.mark.redis, pytest.mark.standalone]


@pytest.mark.feature("F284", "F286")
def test_up_with_postgresql_and_redis(tmp_path: Path, redis_url: str, postgresql_url: str) -> None:
    installation = Installation(tmp_path / "data", DATABASE_URL=postgresql_url, REDIS_URL=redis_url)
    try:
        installation.start_ready()
        eventually(lambda: installation.get("/readyz")[0] == 200, what="readyz")
        assert not (tmp_path / "data" / "gwm.sqlite3").exists()
        assert list((tmp_path / "data" / "queue" / "messages").iterdir()) == []
        with psycopg.connect(postgresql_url) as database:
            rows = database.execute("SELECT slug, last_error FROM clusters_cluster").fetchall()
            assert rows == [("demo", "")]
        with redis.Redis.from_url(redis_url) as server:
            assert any(key.startswith(b"gwm:") for key in server.scan_iter())

            worker = installation.child(" worker ")
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: installation.child(" worker ") not in (0, worker), 10, "another worker")
            server.delete(*server.scan_iter("gwm:*heartbeat*"))
            eventually(lambda: installation.get("/readyz")[0] == 200, what="readyz after the worker was killed")
        assert installation.stop() == 0
    finally:
        installation.end()
