"""Used tickets in a real Redis: several brokers, one memory."""

import shutil
import socket
import subprocess

import pytest
from redis import Redis

from tests.vncproxy.conftest import run_daemon
from tests.vncproxy.ends import Browser, ticket
from vncproxy.tickets import LONGEST_LIFETIME_S
from vncproxy.troubles import Trouble

pytestmark = pytest.mark.redis


@pytest.fixture
def redis_url(tmp_path):
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed"
    path = tmp_path / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        for line in server.stdout:
            if "ready to accept connections at" in line.lower() or "accept connections" in line:
                break
        yield f"unix://{path}"
        server.terminate()


@pytest.mark.feature("F208")
def test_a_ticket_serves_once_for_all_brokers(redis_url, tmp_path_factory, vnc):
    text = ticket(vnc().port)
    with (
        run_daemon(tmp_path_factory.mktemp("one"), REDIS_URL=redis_url) as one,
        run_daemon(tmp_path_factory.mktemp("two"), REDIS_URL=redis_url) as two,
    ):
        browser = Browser(one.port, text)
        browser.start()
        assert Browser(two.port, text).wait_for_close()[0] == Trouble.USED.code
        assert Browser(one.port, text).wait_for_close()[0] == Trouble.USED.code
        browser.close()


def test_a_used_ticket_is_remembered_for_longer_than_it_is_good(redis_url, tmp_path, vnc):
    """A broker whose clock is behind takes it for good when it has run out here."""
    with run_daemon(tmp_path, REDIS_URL=redis_url) as daemon, Redis.from_url(redis_url) as redis:
        browser = Browser(daemon.port, ticket(vnc().port))
        browser.start()
        (key,) = redis.keys("gwm:console:used:*")
        assert 60 < redis.ttl(key) <= LONGEST_LIFETIME_S + 60
        browser.close()


def test_without_an_answer_there_is_no_console(tmp_path, vnc):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = vnc()
    with run_daemon(tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}/0") as daemon:
        assert Browser(daemon.port, ticket(server.port)).wait_for_close()[0] == Trouble.MEMORY_DOWN.code
    assert server.connections == 0
