"""The same product with PostgreSQL and Redis instead of files."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest
import redis

from tests.up.running import Installation, eventually
from vncproxy.client import list_consoles, list_control_sockets

pytestmark = [pytest.mark.redis, pytest.mark.standalone]


@pytest.mark.feature("F284", "F286", "F294")
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

            worker = installation.await_child(" worker ")
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: installation.child(" worker ") not in (0, worker), what="another worker")
            server.delete(*server.scan_iter("gwm:*heartbeat*"))
            eventually(lambda: installation.get("/readyz")[0] == 200, what="readyz after the worker was killed")
        assert installation.stop() == 0
    finally:
        installation.end()


@pytest.mark.parametrize("has_redis", [False, True])
def test_several_web_processes_answer_at_one_address(tmp_path: Path, redis_url: str, has_redis: bool) -> None:
    data = tmp_path / "data"
    settings = {"REDIS_URL": redis_url} if has_redis else {}
    settings |= {"GWM_WEB_PROCESSES": "2", "GWM_MONITORING_NETWORKS": "127.0.0.0/8"}
    installation = Installation(data, "--no-demo", **settings).with_tables()
    try:
        installation.start_ready()

        def web_processes() -> set[int]:
            return {pid for pid, command in installation.children().items() if "gwm.processes.web" in command}

        before = web_processes()
        assert len(before) == 2
        sockets = [data / f"console-{pid}.sock" for pid in sorted(before)]
        assert list_control_sockets(str(data / "console.sock")) == sorted(map(str, sockets))
        assert [list_consoles(str(path)) for path in sockets] == [[], []]
        for _ in range(10):  # whichever of the two it is that answers
            figures = installation.get("/metrics")[1]
            assert "gwm_consoles_open 0.0\n" in figures
            assert ("gwm_redis_up 1.0\n" in figures) is has_redis
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: killed not in web_processes(), what="the end of one")
        assert [installation.get("/healthz")[0] for _ in range(20)] == [200] * 20
        eventually(lambda: len(web_processes()) == 2, what="two again")
        eventually(
            lambda: (
                list_control_sockets(str(data / "console.sock"))
                == sorted(str(data / f"console-{pid}.sock") for pid in web_processes())
            ),
            what="control sockets of those that live",
        )
        assert installation.stop() == 0
        assert list_control_sockets(str(data / "console.sock")) == []
    finally:
        installation.end()
