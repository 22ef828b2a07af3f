"""The units of systemd and the site of nginx, as the programs that read them see them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.servers import find_program
from tests.up.running import ROOT, write_certificate

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())
SITE = ROOT / "deploy" / "nginx" / "ganeti-web-manager"


def words_of(unit: Path) -> str:
    return unit.read_text(encoding="utf-8")


def test_the_web_process_of_production_is_that_of_up() -> None:
    web = words_of(ROOT / "deploy" / "systemd" / "gwm-web@.service")
    assert re.search(r"^ExecStart=\S+/python -m gwm.processes.web$", web, re.MULTILINE)
    assert "Sockets=gwm-web.socket" in web
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
