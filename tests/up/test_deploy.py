"""The units of systemd and the site of nginx, as the programs that read them see them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import find_program
from tests.up.running import ROOT, clean_environment, eventually, write_certificate
from tests.vncproxy.ends import KEY, Browser, ToyVnc, ticket
from tools.throwaway import free_port
from vncproxy.client import list_consoles, list_control_sockets

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SITE = ROOT / "deploy" / "nginx" / "ganeti-web-manager"


def words_of(unit: Path) -> str:
    return unit.read_text(encoding="utf-8")


def test_the_web_process_of_production_is_that_of_up() -> None:
    web = words_of(ROOT / "deploy" / "systemd" / "gwm-web@.service")
    begun = re.search(r"^ExecStart=\S+/python -m gwm.processes.web --grace (\d+)$", web, re.MULTILINE)
    end = re.search(r"^TimeoutStopSec=(\d+)$", web, re.MULTILINE)
    assert begun and end and int(begun[1]) < int(end[1]), "what was asked is answered before systemd kills"
    assert "Sockets=gwm-web.socket" in web
    assert "Type=notify" in web, "the one before goes when this one answers, and no sooner"
    assert "gunicorn" not in "".join(words_of(path) for path in [*UNITS, *ROOT.glob("**/requirements.txt")])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_whoever_listens_may_open_many_files(unit: Path) -> None:
    if re.search(r"^ExecStart=.*(/run|gwm\.processes\.web|vncproxy)\b", words_of(unit), re.MULTILINE):
        assert re.search(r"^LimitNOFILE=65536$", words_of(unit), re.MULTILINE)


@pytest.mark.program("systemd-analyze", "systemd")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    program = find_program("systemd-analyze")
    assert program
    paths = []
    for unit in UNITS:
        name = unit.name.replace("@.", "@1.")
        # The programs are installed where the units say, not here.
        (tmp_path / name).write_text(re.sub(r"=/(var|opt)/\S+/(run|python|celery)\b", "=/bin/true", words_of(unit)))
        paths.append(str(tmp_path / name))
    checked = subprocess.run([program, "verify", *paths], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def read_unit(name: str) -> dict[str, list[str]]:
    """What a unit says, by its keys."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^([A-Za-z]+)=(.*)$", words_of(ROOT / "deploy" / "systemd" / name), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.feature("F290")
def test_the_console_proxy_runs_alone_by_its_unit(tmp_path: Path) -> None:
    """As on a host of its own: with nothing there but the code, the unit and the settings of consoles."""
    unit = read_unit("gwm-console.service")
    assert all(path.startswith("-") for path in unit["EnvironmentFile"]), "what another host has is not demanded"
    data, port = tmp_path / "data", free_port()
    data.mkdir()
    command = [word.replace("/var/lib/ganeti-web-manager", str(data)) for word in shlex.split(unit["ExecStart"][0])]
    assert command[0] == f"{data}/.venv/bin/python"
    given = dict(word.split("=", 1) for line in unit["Environment"] for word in shlex.split(line))
    given |= {"GWM_DATA_DIR": str(data), "GWM_CONSOLE_PORT": str(port), "GWM_CONSOLE_KEYS": KEY}
    given |= {"GWM_CONSOLE_NODE_NETWORKS": "127.0.0.0/8", "GWM_PUBLIC_URL": "https://gwm.example.org/gwm"}
    assert unit["WorkingDirectory"] == ["/opt/ganeti-web-manager"]
    machine = ToyVnc()
    log = (tmp_path / "log").open("wb")
    proxy = subprocess.Popen([sys.executable, *command[1:]], cwd=ROOT, env=clean_environment(**given), stderr=log)
    try:
        eventually(lambda: list_control_sockets(str(data / "console.sock")), what="the control socket")
        browser = Browser(port, ticket(machine.port, key=KEY), origin="https://gwm.example.org", timeout_s=60)
        assert browser.start()[:2] == (64, 48)
        assert [each.vm for each in list_consoles(str(data / "console.sock"))] == ["prod/web1"]
        browser.vanish()
    finally:
        machine.close()
        proxy.terminate()
        assert proxy.wait(60) == 0, (tmp_path / "log").read_text()
        log.close()


@pytest.mark.program("nginx", "nginx-light")
def test_nginx_understands_its_site(tmp_path: Path) -> None:
    program = find_program("nginx")
    assert program
    certificate, key = write_certificate(tmp_path)
    site = re.sub(r"(ssl_certificate +)\S+;", rf"\1{certificate};", words_of(SITE))
    site = re.sub(r"(ssl_certificate_key +)\S+;", rf"\1{key};", site)
    (tmp_path / "site").write_text(site)
    main = f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; include {tmp_path}/site; }}\n"
    (tmp_path / "nginx.conf").write_text(main)
    checked = subprocess.run(
        [program, "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
