"""The database is away or takes no changes, the disk is full or read-only: what people and machines are told then."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from http.cookies import SimpleCookie
from pathlib import Path

import psycopg
import pytest

from tests.factories import deaf_port
from tests.up.running import ROOT, Installation, eventually
from tools.throwaway import postgresql

pytestmark = pytest.mark.standalone
PASSWORD = "a password of mine"
WATCHED_FROM = "127.0.0.0/8"


class Visitor:
    """A browser of few words: keeps cookies, follows nothing."""

    def __init__(self, installation: Installation) -> None:
        self.host = installation.address.removeprefix("http://")
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str]:
        """Status and body."""
        fields |= {"csrfmiddlewaretoken": self.cookies.get("gwm_csrf", "")} if method == "POST" else {}
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with closing(http.client.HTTPConnection(self.host, timeout=120)) as connection:
            connection.request(method, path, urllib.parse.urlencode(fields), headers)
            answer = connection.getresponse()
            body = answer.read().decode()
        for header in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        return answer.status, body

    def sign_in(self) -> tuple[int, str]:
        """As the first account."""
        self.ask("GET", "/login/")
        fields = {"username": "admin", "login": "admin", "password": PASSWORD}
        return self.ask("POST", "/login/", **fields)


@pytest.mark.redis
def test_a_database_that_takes_no_changes_or_is_away_is_said_and_health_goes_on(tmp_path: Path) -> None:
    with postgresql() as url:
        installation = Installation(
            tmp_path / "data",
            "--no-demo",
            DATABASE_URL=url,
            GWM_ADMIN_PASSWORD=PASSWORD,
            GWM_WEB_THREADS="2",
            GWM_MONITORING_NETWORKS=WATCHED_FROM,
        )
        try:
            installation.start_ready()
            visitor, stranger = Visitor(installation), Visitor(installation)
            assert visitor.sign_in()[0] == 302
            assert visitor.ask("GET", "/")[0] == 200
            eventually(lambda: visitor.ask("GET", "/readyz")[0] == 200, what="readyz")

            set_read_only(url, "on")
            status, body = eventually(lambda: refused(visitor.ask("GET", "/readyz")), what="readyz")
            assert json.loads(body)["troubles"] == {"database": "The database takes no changes: it is read-only."}
            status, body = visitor.ask("GET", "/health/")
            assert (status, "read-only" in body) == (200, True)
            status, body = stranger.sign_in()
            assert (status, "Nothing can be saved" in body) == (503, True)
            set_read_only(url, "off")
            eventually(lambda: visitor.ask("GET", "/readyz")[0] == 200, what="readyz")
            assert stranger.sign_in()[0] == 302

            with psycopg.connect(url) as database:
                row = database.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'").fetchone()
            assert row is not None
            lock = Path(row[0]) / "postmaster.pid"
            server = int(lock.read_text().split()[0])
            children = Path(f"/proc/{server}/task/{server}/children")

            hung = [server, *(int(pid) for pid in children.read_text().split())]
            for pid in hung:
                os.kill(pid, signal.SIGSTOP)
            # It stands still until the end of this: what is answered did not wait for it.
            _, body = eventually(lambda: refused(visitor.ask("GET", "/readyz")), what="readyz")
            assert list(json.loads(body)["troubles"]) == ["check"]
            assert visitor.ask("GET", "/healthz") == (200, "ok\n")
            # The server last: a child that was ending is there until it looks after it.
            for pid in reversed(hung):
                os.kill(pid, signal.SIGCONT)
            eventually(lambda: visitor.ask("GET", "/readyz")[0] == 200, what="readyz")

            os.kill(server, signal.SIGINT)
            eventually(lambda: not lock.exists(), what="the end of the database")
            assert visitor.ask("GET", "/healthz") == (200, "ok\n")
            status, body = eventually(lambda: refused(visitor.ask("GET", "/readyz")), what="readyz")
            assert json.loads(body)["troubles"] == {"database": "The database does not answer."}
            for path in ("/", "/vms/", "/nowhere/"):
                status, body = visitor.ask("GET", path)
                assert status == 503, path
                assert "The database does not answer" in body
                assert "Traceback" not in body
            status, body = visitor.ask("POST", "/clusters/add/", host="ganeti.example.org")
            assert (status, "The database does not answer" in body) == (503, True)
        finally:
            installation.end()


def refused(answer: tuple[int, str]) -> tuple[int, str] | None:
    return answer if answer[0] == 503 else None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few MB. Only root can mount one: hence the mark of the tests that are run as root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte; returns the file to remove."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


@pytest.mark.ganeti
def test_a_full_disk_is_said_and_nothing_is_left_over(small_disk: Path) -> None:
    installation = Installation(small_disk, GWM_ADMIN_PASSWORD=PASSWORD, GWM_MONITORING_NETWORKS=WATCHED_FROM)
    try:
        installation.start_ready()
        visitor, stranger = Visitor(installation), Visitor(installation)
        assert visitor.sign_in()[0] == 302
        eventually(lambda: visitor.ask("GET", "/readyz")[0] == 200, what="readyz")
        ballast = fill(small_disk)
        status, body = eventually(lambda: refused(visitor.ask("GET", "/readyz")), what="readyz")
        assert "No space left on device" in json.loads(body)["troubles"]["disk"]
        assert visitor.ask("GET", "/healthz") == (200, "ok\n")
        eventually(lambda: fill(small_disk) and stranger.sign_in()[0] == 503, what="a sign-in without room")
        for status, body in (stranger.sign_in(), visitor.ask("POST", "/clusters/demo/do/refresh/")):
            assert (status, "The disk is full" in body, "Make room" in body) == (503, True, True)
        ballast.unlink()
        assert stranger.sign_in()[0] == 302
        assert visitor.ask("POST", "/clusters/demo/do/refresh/")[0] == 302
        eventually(lambda: visitor.ask("GET", "/readyz")[0] == 200, what="readyz")
        eventually(lambda: not list(small_disk.rglob("*.unfinished")), what="the end of what was begun")
    finally:
        installation.end()


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that the kernel makes read-only at its first error, as it does when a disk fails."""
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(128 * 2**20)
    subprocess.run(["mkfs.ext4", "-qF", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop,errors=remount-ro", str(image), str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fail(disk: Path) -> None:
    """Have the kernel find an error on the disk."""
    source = subprocess.run(["findmnt", "-no", "SOURCE", str(disk)], check=True, capture_output=True, text=True)
    Path(f"/sys/fs/ext4/{Path(source.stdout.strip()).name}/trigger_fs_error").write_text("a test")


@pytest.mark.ganeti
def test_a_read_only_disk_is_said_and_pages_can_still_be_read(failing_disk: Path) -> None:
    installation = Installation(
        failing_disk, "--no-demo", GWM_ADMIN_PASSWORD=PASSWORD, GWM_MONITORING_NETWORKS=WATCHED_FROM
    )
    try:
        installation.with_tables().start_ready()
        visitor, stranger = Visitor(installation), Visitor(installation)
        assert visitor.sign_in()[0] == 302
        eventually(lambda: visitor.ask("GET", "/readyz")[0] == 200, what="readyz")
        before = len(installation.lines)
        fail(failing_disk)
        status, body = eventually(lambda: refused(visitor.ask("GET", "/readyz")), what="readyz")
        said = json.loads(body)["troubles"]["disk"]
        assert "Read-only file system" in said and "Make room" not in said
        status, body = visitor.ask("GET", "/health/")
        assert (status, "cannot be written" in body) == (200, True)
        assert visitor.ask("GET", "/")[0] == 200
        status, body = stranger.sign_in()
        assert (status, "Nothing can be saved" in body, "takes no changes" in body) == (503, True, True)
        eventually(lambda: any("beat" in line and "Read-only" in line for line in installation.lines[before:]))
        assert not [line for line in installation.lines[before:] if "Traceback" in line or "File " in line]
    finally:
        installation.end()


def set_read_only(url: str, state: str) -> None:
    """For every session of the server, as a failover does that leaves us with the standby."""
    with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as database:
        database.execute(f"ALTER SYSTEM SET default_transaction_read_only = {state}")
        database.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    "words", [["backup", "kept"], ["sync_clusters"], ["grant", "ann", "power", "--on=everything", "--as=admin"]]
)
def test_a_command_says_in_a_line_that_the_database_is_away(tmp_path: Path, words: list[str]) -> None:
    away = {"DATABASE_URL": f"postgresql://gwm:a-password@127.0.0.1:{deaf_port()}/gwm", "GWM_DATA_DIR": str(tmp_path)}
    run = [sys.executable, str(ROOT / "manage.py"), *words]
    given = {"cwd": tmp_path, "env": {"PATH": os.environ["PATH"], **away}, "capture_output": True, "text": True}
    done = subprocess.run(run, input="", **given)
    assert done.returncode == 1 and done.stderr.startswith("The database does not answer: "), done.stderr
    assert len(done.stderr.splitlines()) == 1 and "a-password" not in done.stderr
    assert "Traceback" in subprocess.run([*run, "--traceback"], input="", **given).stderr
