"""The image of deploy/container: built, and started as one service and in its parts, with as little as it may have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.up.running import ROOT, eventually
from tools.compose import COMPLETED, Service, in_order, read_services
from tools.container import Image, Running, built_image, started
from tools.throwaway import free_port, postgresql, redis_server
from vncproxy.client import list_consoles

pytestmark = [pytest.mark.container, pytest.mark.feature("F288")]


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with built_image() as built:
        yield built


@pytest.fixture
def data(tmp_path: Path, image: Image) -> Path:
    """A volume as an engine makes it: it belongs to the user of the image."""
    volume = tmp_path / "data"
    volume.mkdir(mode=0o700)
    os.chown(volume, int(image.user), int(image.user))
    return volume


HERE = ROOT / "deploy/container"
NAME = "ganeti-web-manager"
ONE = read_services(HERE / "compose.yml", NAME, {})["gwm"]


def ask(image: Image, service: Service, data: Path, *command: str, **environment: str) -> tuple[int, str]:
    """Exit code and words of what runs to its end, as a service or beside it."""
    with started(image, service, data, command, environment) as running:
        return running.wait(), running.text()


def said(running: Running, words: str) -> bool:
    """Whether it has said so; it must not have ended."""
    assert running.process.poll() is None, running.text()
    return words in running.text()


def sign_in(address: str, password: str) -> str:
    """The first page behind the form."""
    with requests.Session() as browser:
        form = browser.get(f"{address}/login/", timeout=60).text
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form))
        given = {"csrfmiddlewaretoken": token, "login": "admin", "password": password}
        answer = browser.post(f"{address}/login/", given, headers={"Referer": address}, timeout=60)
        assert answer.status_code == 200 and "Sign out" in answer.text
        return answer.text


def test_there_is_code_in_it_and_nothing_of_the_checkout(image: Image) -> None:
    there = {path.name for path in (image.root / image.folder[1:]).iterdir()}
    assert {"gwm", "templates", "static", "locale", "manage.py"} <= there
    assert not there & {".git", ".venv", "var", "tests", "tools", "docs", "pyproject.toml", "run"}
    assert [path.name for path in (image.root / image.folder[1:] / "deploy").rglob("*.*") if path.suffix != ".pyc"] == [
        "health.py"
    ]
    assert image.user == "10001" and image.command == ("python", "manage.py", "up")


def test_it_may_do_nothing_and_write_nowhere_else(image: Image, data: Path) -> None:
    script = "id -u; grep CapEff /proc/self/status; touch /opt/x /etc/x /x; touch /data/x /tmp/x && echo writes"
    code, words = ask(image, ONE, data, "sh", "-c", script)
    assert code == 0 and words.splitlines()[:2] == ["10001", "CapEff:\t0000000000000000"], words
    assert words.count("Read-only file system") == 3 and "writes" in words


def test_one_service_starts_works_stops_and_starts_again(image: Image, data: Path) -> None:
    port = free_port()
    environment = {"GWM_PORT": str(port), "GWM_BIND": "127.0.0.1"}
    address = f"http://127.0.0.1:{port}"
    code, words = ask(image, ONE, data, *(ONE.health or ()), **environment)
    assert code == 1 and "refused" in words
    with started(image, ONE, data, environment=environment) as service:
        eventually(lambda: said(service, "Ready: "), 300, "Ready")
        found = re.search(r"First account: admin, password: (\S+)", service.text())
        assert found
        assert ask(image, ONE, data, *(ONE.health or ()), **environment)[0] == 0
        eventually(lambda: "demo" in sign_in(address, found[1]), 120, "the demo cluster")
        code, words = ask(image, ONE, data, "python", "manage.py", "health", **environment)
        assert code == 0 and "demo: healthy" in words, words
        assert service.stop() == 0, service.text()
    with started(image, ONE, data, environment=environment) as service:
        eventually(lambda: said(service, "Ready: "), 300, "Ready")
        assert "First account" not in service.text()
        sign_in(address, found[1])
        service.kill()
    with started(image, ONE, data, environment=environment) as service:
        eventually(lambda: said(service, "Ready: "), 300, "Ready after it was killed")

        def is_well() -> bool:
            """Those that were killed are not missed."""
            return "Processes: 3 processes" in ask(image, ONE, data, "python", "manage.py", "health", **environment)[1]

        eventually(is_well, 120, "health")
        assert service.stop() == 0, service.text()


def test_the_parts_work_together(image: Image, data: Path) -> None:
    """As the compose file has them, one after another, but that they have the network and the servers of this host."""
    services = read_services(HERE / "compose-parts.yml", NAME, {"GWM_DATABASE_PASSWORD": "unused"})
    web, console = free_port(), free_port()
    with redis_server() as redis_url, postgresql() as database_url, ExitStack() as stack:
        here = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "GWM_PUBLIC_URL": f"http://127.0.0.1:{web}",
            "GWM_CONSOLE_URL": f"ws://127.0.0.1:{console}/console/ws",
            **{"GWM_BIND": "127.0.0.1", "GWM_PORT": str(web)},
            **{"GWM_CONSOLE_BIND": "127.0.0.1", "GWM_CONSOLE_PORT": str(console)},
        }
        running: dict[str, Running] = {}
        password = ""
        for service in in_order(services):
            if COMPLETED in [by.after.get(service.name) for by in services.values()]:
                code, words = ask(image, service, data, **here)
                found = re.search(r"First account: admin, password: (\S+)", words)
                assert code == 0 and found, words
                password = found[1]
            else:
                running[service.name] = stack.enter_context(started(image, service, data, environment=here))
        assert running.keys() == {"web", "worker", "beat", "console"}

        def is_ready() -> bool:
            assert {name: part.text() for name, part in running.items() if part.process.poll() is not None} == {}
            try:
                return requests.get(f"http://127.0.0.1:{web}/readyz", timeout=60).status_code == 200
            except requests.ConnectionError:
                return False

        eventually(is_ready, 300, "readyz")
        page = sign_in(f"http://127.0.0.1:{web}", password)
        assert "No cluster yet" in page
        for service in services.values():
            assert service.health is None or ask(image, service, data, *service.health, **here)[0] == 0
        code, words = ask(image, services["web"], data, "python", "manage.py", "health", **here)
        assert code == 0 and "Worker and beat: alive" in words, words
        refused = requests.get(f"http://127.0.0.1:{console}/console/ws", timeout=60)
        assert refused.status_code in (400, 403, 426)
        assert list_consoles(str(data / "console.sock")) == []
        assert not (data / "gwm.sqlite3").exists()
        for name, part in running.items():
            assert part.stop() in (0, 143), f"{name}: {part.text()}"
