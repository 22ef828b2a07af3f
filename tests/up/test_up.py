"""`manage.py up` for real: started, killed in part and in whole, stopped, started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import ssl
import stat
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.up.running import Installation, eventually, processes_mentioning, write_certificate

pytestmark = pytest.mark.standalone
CHILDREN = ("gwm.processes.web", " worker ", " beat ")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation for all tests that leave it running; whoever has started it wants to be told."""
    folder = tmp_path_factory.mktemp("running")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(folder / "notify"))
        told.setblocking(False)
        installation = Installation(folder / "data", "--no-demo", NOTIFY_SOCKET=str(folder / "notify")).start_ready()
        installation.told = told
        yield installation
        installation.end()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Installation]:
    """An installation that was not started yet, with its tables."""
    installation = Installation(tmp_path / "data", "--no-demo").with_tables()
    yield installation
    installation.end()


@pytest.mark.feature("F286", "F291")
def test_one_command_starts_everything_and_says_so_once(running: Installation) -> None:
    assert [line for line in running.lines if line.startswith("Ready:")] == [f"Ready: {running.address}/"]
    assert running.address.startswith("http://127.0.0.1:")
    assert running.get("/healthz") == (200, "ok\n")
    assert [word for word in CHILDREN if not running.child(word)] == []
    assert running.told is not None and running.told.recv(100) == b"READY=1"
    with pytest.raises(BlockingIOError):  # no child has said so before all were
        running.told.recv(100)


def test_a_message_goes_from_beat_through_the_queue_to_the_worker(running: Installation) -> None:
    eventually(lambda: running.get("/readyz")[0] == 200, what="readyz")
    assert json.loads(running.get("/readyz")[1]) == {"ready": True}
    assert running.get("/metrics") == (404, "There is nothing here.\n")


@pytest.mark.feature("F285")
def test_secrets_are_generated_and_nobody_else_can_read_them(running: Installation) -> None:
    secrets = running.data / "secrets.env"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
    values = dict(line.split("=", 1) for line in secrets.read_text().splitlines() if line and line[0] != "#")
    assert set(values) == {"GWM_SECRET_KEY", "GWM_FIELD_KEYS", "GWM_CONSOLE_KEYS", "GWM_JOURNAL_KEYS"}
    assert len(set(values.values())) == 4
    assert all(len(value) >= 50 for value in values.values())
    assert not [line for line in running.lines if any(value in line for value in values.values())]


@pytest.mark.parametrize("word", CHILDREN)
def test_a_killed_child_is_back(running: Installation, word: str) -> None:
    before = running.await_child(word)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: running.child(word) not in (0, before), what=f"another {word}")
    eventually(lambda: running.get("/healthz")[0] == 200, what="an answer")
    assert running.code is None


def test_a_second_one_on_the_same_data_is_refused(running: Installation) -> None:
    second = Installation(running.data, "--no-demo").start()
    assert second.wait_for_refusal() == 1
    assert f"process {running.process.pid}" in second.output
    assert "--data" in second.output
    assert running.get("/healthz")[0] == 200


def test_a_port_in_use_is_said_in_one_line(fresh: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        fresh.options = ("--no-demo", "--port", str(port))
        assert fresh.start().wait_for_refusal() == 1
    assert fresh.lines == [
        f"CommandError: Port {port} on 127.0.0.1 is in use. Stop what uses it, or choose another with --port N."
    ]


def test_whatever_ends_it_leaves_nothing_behind_and_the_next_start_keeps_everything(fresh: Installation) -> None:
    """One life of an installation: each start shows what the end before it has left."""
    fresh.start_ready()
    assert fresh.password
    secrets = (fresh.data / "secrets.env").read_text()
    for number in (signal.SIGTERM, signal.SIGINT):
        assert fresh.stop(number) == 0
        assert processes_mentioning(str(fresh.data)) == []
        assert [path for path in fresh.data.rglob("*") if path.is_socket()] == []
        fresh.start_ready()
        assert "First account" not in fresh.output
        assert (fresh.data / "secrets.env").read_text() == secrets
        with closing(sqlite3.connect(fresh.data / "gwm.sqlite3")) as database:
            assert database.execute("SELECT username FROM permissions_user").fetchall() == [("admin",)]

    assert len(fresh.children()) == 3
    assert fresh.stop(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: processes_mentioning(str(fresh.data)) == [], what="the end of all children")
    fresh.start_ready()
    assert fresh.get("/healthz")[0] == 200

    os.kill(fresh.await_child(" worker "), signal.SIGSTOP)  # one that does not end is killed
    assert fresh.stop() == 0
    assert processes_mentioning(str(fresh.data)) == []


@pytest.mark.feature("F284")
def test_settings_come_from_the_file_in_the_data_directory(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "gwm.env").write_text("# ours\nGWM_ADMIN_PASSWORD='a password of mine'\nGWM_DEMO=no\n")
    installation = Installation(data).start_ready()
    try:
        assert "with the password of GWM_ADMIN_PASSWORD" in installation.output
        assert "a password of mine" not in installation.output
        assert len(installation.children()) == 3
    finally:
        installation.end()


@pytest.mark.feature("F284")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("GWM_PAGE_SIZE=many", "GWM_PAGE_SIZE: “many” is not a whole number. Write one such as 50."),
        ("GWM_PAGE_SIZE=0", "GWM_PAGE_SIZE: 0 is out of range. Write at least 5 and at most 500."),
        (
            "GWM_PUBLIC_URL=https://example.org/gwm?x=1",
            "GWM_PUBLIC_URL: “https://example.org/gwm?x=1” is no address below which there could be pages. Write",
        ),
        (
            "GWM_TRUSTED_PROXIES=proxy.example.org",
            "GWM_TRUSTED_PROXIES: “proxy.example.org” is no list of networks. Write",
        ),
        ("GWM_PAGESIZE=20", "Did you mean GWM_PAGE_SIZE?"),
        ("DATABASE_URL=oracle://u:verysecret@h/n", "DATABASE_URL: its value is no address we can use. Begin it with"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "gwm.env").write_text(line + "\n")
    installation = Installation(tmp_path).start()
    assert installation.wait_for_refusal() == 1
    assert words in installation.output
    assert len(installation.lines) == 1
    assert "verysecret" not in installation.output


@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        ((), {"DATABASE_URL": "postgres://gwm:verysecret@127.0.0.1:1/gwm"}, "The database does not answer: "),
        ((), {"REDIS_URL": "redis://:verysecret@127.0.0.1:1/0"}, "Redis does not answer: "),
        (("--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"), {}, "Cannot read /nowhere.pem (No such file"),
        (("--tls-cert", "/etc/hostname", "--tls-key", "/etc/hostname"), {}, "are not a certificate (PEM) and its key"),
        (("--tls-cert", "/nowhere.pem"), {}, "https needs both --tls-cert and --tls-key."),
        (("--bind", "192.0.2.1"), {}, "192.0.2.1 is not an address of this machine. Choose one with --bind ADDRESS."),
        (("--bind", "no.such.host.invalid"), {}, "is no address of a network"),
        ((), {"GWM_CONSOLE_CONTROL": "/tmp/" + "x" * 120}, "Set GWM_CONSOLE_CONTROL to a shorter one"),  # noqa: S108
    ],
)
def test_what_is_missing_is_said_before_anything_is_started(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    refused = Installation(tmp_path / "data", "--no-demo", *options, **environment).start()
    assert refused.wait_for_refusal() == 1
    assert words in refused.lines[-1]
    assert len(refused.lines) == 1
    assert "verysecret" not in refused.output


@pytest.mark.parametrize("framing", ["Content-Length: 5000000", "Transfer-Encoding: chunked"])
def test_a_body_too_large_is_cut_off(running: Installation, framing: str) -> None:
    host, port = running.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"POST /login/ HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n".encode())
        try:
            for _ in range(50):
                connection.sendall(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
        except ConnectionError:
            return
        connection.settimeout(120)
        try:
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
        except ConnectionError:
            return


@pytest.mark.feature("F210")
def test_https_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    installation = Installation(tmp_path / "data", "--no-demo", "--tls-cert", str(certificate), "--tls-key", str(key))
    try:
        installation.with_tables().start_ready()
        assert installation.address.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(installation.address + "/login/", context=context, timeout=120) as answer:  # noqa: S310
            assert answer.status == 200
            assert answer.headers["Strict-Transport-Security"]
            assert "Secure" in answer.headers["Set-Cookie"]
    finally:
        installation.end()
