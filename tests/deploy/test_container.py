"""The files of deploy/container by what they say: nothing of it is built here (tests/deploy/test_image.py does)."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from gwm.env import TABLE
from gwm.processes.listening import CannotStart, open_listening_socket, take_socket
from tools.compose import COMPLETED, HEALTHY, ComposeError, Service, in_order, read_services

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "deploy" / "container"
CONTAINERFILE = (HERE / "Containerfile").read_text(encoding="utf-8")
pytestmark = pytest.mark.feature("F288")


def instructions(word: str) -> list[str]:
    whole = CONTAINERFILE.replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in whole.splitlines() if line.startswith(f"{word} ")]


def services(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((HERE / name).read_text(encoding="utf-8"))["services"])


OURS = [
    (file, name, about)
    for file in ("compose.yml", "compose-parts.yml")
    for name, about in services(file).items()
    if about["image"] == "ganeti-web-manager"
]


def test_an_image_is_made_of_code_alone() -> None:
    """What is not named stays outside: data directories, keys, tests, the checkout's history."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    named = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert rules[0] == "*" and {rule for rule in rules[1:] if not rule.startswith("!")} == {
        "**/__pycache__",
        "**/*.pyc",
    }
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["packages"]
    assert named == {
        *(package for package in packages if package != "deploy"),
        *("locale", "static", "templates", "manage.py", "requirements.txt", "LICENSE", "deploy/container/health.py"),
    }
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_what_an_image_runs_needs_no_file_that_it_lacks() -> None:
    """The product names no path of a folder that stays outside."""
    outside = [path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    inside = {line.removeprefix("!").partition("/")[0] for line in lines if line.startswith("!")}
    folders = [name for name in outside if name not in inside | {"var"}]
    pattern = re.compile(rf'BASE_DIR / "({"|".join(folders)})"')
    packages = [name for name in inside if (ROOT / name / "__init__.py").exists() and name != "deploy"]
    found = {path: pattern.findall(path.read_text()) for name in packages for path in (ROOT / name).rglob("*.py")}
    assert {path.name: names for path, names in found.items() if names} == {}


def test_it_is_built_from_pinned_packages_and_runs_as_a_user_of_its_own() -> None:
    assert instructions("FROM") == ["docker.io/library/debian:12 AS bare", "bare AS built", "bare"]
    assert "--require-hashes" in CONTAINERFILE and "--only-binary :all:" in CONTAINERFILE
    (user,) = instructions("USER")
    assert int(user) >= 1000 and f"--uid {user} " in CONTAINERFILE
    assert instructions("VOLUME") == ["/data"]
    assert instructions("CMD") == ['["python", "manage.py", "up"]']
    assert "ADD " not in CONTAINERFILE
    (environment,) = instructions("ENV")
    given = dict(pair.split("=", 1) for pair in environment.split())
    assert {name for name in given if name.startswith("GWM_")} <= TABLE.keys()
    assert not any(TABLE[name].secret for name in given if name in TABLE)
    assert given["DJANGO_SETTINGS_MODULE"] == "gwm.settings"


@pytest.mark.parametrize(("file", "name", "about"), OURS, ids=[f"{file}:{name}" for file, name, _ in OURS])
def test_each_part_can_do_as_little_as_possible(file: str, name: str, about: dict[str, Any]) -> None:
    assert about["read_only"] is True
    assert about["tmpfs"] == ["/tmp"]  # noqa: S108 - within
    assert about["volumes"] == ["data:/data"]
    assert about["cap_drop"] == ["ALL"]
    assert about["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in about.get("ports", []))
    assert set(about["environment"]) <= TABLE.keys()
    assert (HERE / about["build"]["context"]).resolve() == ROOT
    assert (ROOT / about["build"]["dockerfile"]).samefile(HERE / "Containerfile")


def test_who_gives_signs_of_life_has_a_name_that_stays() -> None:
    """gwm/signs.py knows processes by it: one that was killed would be missed for a day under its former one."""
    names = {f"{file}:{name}": about.get("hostname", "") for file, name, about in OURS}
    assert {where for where, hostname in names.items() if not hostname} == {
        "compose-parts.yml:prepare",
        "compose-parts.yml:console",
    }
    assert len({hostname for hostname in names.values() if hostname}) == 4


def test_no_file_has_a_secret_and_none_is_left_empty() -> None:
    """But the address of Redis, which nobody else reaches, and which has none."""
    seen = set()
    for file in ("compose.yml", "compose-parts.yml"):
        for about in services(file).values():
            for key, value in about.get("environment", {}).items():
                if "PASSWORD" in key or (key in TABLE and TABLE[key].secret and key != "REDIS_URL"):
                    assert re.search(
                        r"^(postgres://gwm:)?\$\{GWM_DATABASE_PASSWORD:\?[^}]+\}(@database/gwm)?$", value
                    ), key
                    seen.add(key)
    assert seen == {"DATABASE_URL", "POSTGRES_PASSWORD"}


def test_the_parts_run_what_the_units_of_systemd_run() -> None:
    parts = services("compose-parts.yml")
    units = {"web": "gwm-web@", "worker": "gwm-worker", "beat": "gwm-beat", "prepare": "gwm-prepare"}
    for part, unit in units.items():
        text = (ROOT / "deploy" / "systemd" / f"{unit}.service").read_text(encoding="utf-8")
        (started,) = re.findall(r"^ExecStart=\S+/bin/(.*)$", text, re.MULTILINE)
        assert " ".join(parts[part]["command"]) == started, part
    assert parts["console"]["command"][-1].endswith("exec python -m vncproxy --control /data/console.sock")
    assert parts["web"]["healthcheck"]["test"] == services("compose.yml")["gwm"]["healthcheck"]["test"]
    asks = " ".join(instructions("HEALTHCHECK"))
    assert asks.endswith('CMD ["python", "deploy/container/health.py"]')


class Answer(BaseHTTPRequestHandler):
    """Well, or not, as the path of the server says."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def health(port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", str(HERE / "health.py")]
    return subprocess.run(command, env={"GWM_PORT": str(port)}, capture_output=True, text=True)


def test_the_check_of_health_tells_well_from_unwell_and_from_nobody() -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        assert health(server.server_port).returncode == 0
        Answer.status = 503
        unwell = health(server.server_port)
        assert unwell.returncode == 1 and "503" in unwell.stderr
        server.shutdown()
    nobody = health(server.server_port)
    assert nobody.returncode == 1 and "refused" in nobody.stderr and "Traceback" not in nobody.stderr


def test_the_web_process_takes_the_socket_it_is_handed_or_opens_its_own() -> None:
    with open_listening_socket("127.0.0.1", 0) as handed:
        assert take_socket(handed.fileno(), "127.0.0.1", 0) == handed.fileno()
        port = handed.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} on 127.0.0.1 is in use"):
            take_socket(9999, "127.0.0.1", port)
    with socket.socket() as mute, (HERE / "health.py").open() as file:
        for descriptor in (mute.fileno(), file.fileno(), 9999):
            taken = take_socket(descriptor, "127.0.0.1", 0)
            assert taken != descriptor
            with socket.socket(fileno=taken) as own:
                assert own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        mute.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)  # still open: it was not ours to close


def test_all_that_a_compose_file_says_is_started_or_an_engines() -> None:
    """tools/compose.py reads it for the tests that start it, and refuses what it does not know."""
    for file in ("compose.yml", "compose-parts.yml"):
        written = services(file)
        read = read_services(HERE / file, "ganeti-web-manager", {"GWM_DATABASE_PASSWORD": "of-tests"})
        assert next(service.name for service in in_order(read)) in ("gwm", "prepare")
        for service in read.values():
            assert "${" not in " ".join(service.environment.values())
            for name, condition in service.after.items():
                must_be = written[name]
                if condition == HEALTHY:
                    assert must_be["healthcheck"]["test"], name
                else:
                    assert condition == COMPLETED and must_be["restart"] == "no", name


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{image: x, privileged: true, pid: host}", "nobody has tried privileged, pid"),
        ("{image: x, security_opt: [seccomp=unconfined]}", "nobody has tried seccomp=unconfined"),
        ("{image: x, environment: {A: '${B:?choose}'}}", "'B' must be given"),
        ("{image: x, healthcheck: {test: [CMD-SHELL, 'true']}}", "a check of health by CMD-SHELL"),
        ("{image: x, depends_on: {a: {condition: service_started}}}", "a wait for each other"),
    ],
)
def test_what_nobody_has_tried_is_refused(tmp_path: Path, written: str, words: str) -> None:
    (tmp_path / "compose.yml").write_text(f"services:\n  a: {written}\n  b: {{image: other, privileged: true}}\n")
    with pytest.raises(ComposeError, match=re.escape(words)):
        list(in_order(read_services(tmp_path / "compose.yml", "x", {})))


def test_what_is_written_is_what_is_started(tmp_path: Path) -> None:
    """Nothing of it is assumed: a root that may be written to is one in the tests, too."""
    written = (
        "user: '7', cap_drop: [NET_RAW], tmpfs: [/run], volumes: ['a:/b'], stop_grace_period: 2m, environment: {A: 1}"
    )
    (tmp_path / "compose.yml").write_text(
        f"services:\n  a: {{image: x, read_only: false, {written}}}\n  b: {{image: x}}\n"
    )
    read = read_services(tmp_path / "compose.yml", "x", {})
    assert read["b"] == Service("b", (), {}, "", (), {}, 10.0, {}, ())
    confined_by = ("--tmpfs=/run:mode=1777", "--drop-capability=CAP_NET_RAW", "--user=7")
    assert read["a"] == Service("a", (), {"A": "1"}, "", (), {}, 120.0, {"/b": "a"}, confined_by)
