"""`./run` and `fab dev deploy`: the virtual environment and what is installed into it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.up.running import ROOT, clean_environment

pytestmark = pytest.mark.standalone
PRETENDED_PIP = """\
import os, sys
with open(os.environ["PIP_CALLS"], "a") as stream:
    stream.write(" ".join(sys.argv[1:]) + "\\n")
sys.exit(int(os.environ.get("PIP_CODE", "0")))
"""


class Place:
    """A virtual environment that is the one of the tests, with a pip that only writes down what it was asked."""

    def __init__(self, directory: Path) -> None:
        self.venv = directory / "venv"
        (self.venv / "bin").mkdir(parents=True)
        python = self.venv / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        pip = directory / "modules" / "pip"
        pip.mkdir(parents=True)
        (pip / "__init__.py").touch()
        (pip / "__main__.py").write_text(PRETENDED_PIP)
        self.calls_file = directory / "calls"
        self.data = directory / "data"
        self.environment = clean_environment(
            GWM_VENV=str(self.venv),
            GWM_DATA_DIR=str(self.data),
            PYTHONPATH=str(directory / "modules"),
            PIP_CALLS=str(self.calls_file),
        )

    def call(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd="/", env={**self.environment, **environment}, capture_output=True, text=True, timeout=120
        )

    @property
    def pip_calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


RUN = str(ROOT / "run")


@pytest.mark.feature("F286")
def test_packages_are_installed_by_hash_and_only_when_the_list_changed(place: Place) -> None:
    assert place.call(RUN, "manage", "version").returncode == 0
    assert len(place.pip_calls) == 1
    assert "--require-hashes" in place.pip_calls[0]
    assert place.pip_calls[0].endswith(str(ROOT / "requirements.txt"))
    assert place.call(RUN, "manage", "version").returncode == 0
    assert len(place.pip_calls) == 1
    (place.venv / ".installed").write_text("of another list\n")
    assert place.call(RUN, "manage", "version").returncode == 0
    assert len(place.pip_calls) == 2


def test_a_failed_installation_is_said_and_tried_again(place: Place) -> None:
    failed = place.call(RUN, "manage", "version", PIP_CODE="1")
    assert failed.returncode == 1
    assert "pip could not install them" in failed.stderr
    assert place.call(RUN, "manage", "version").returncode == 0
    assert len(place.pip_calls) == 2


def test_without_a_suitable_python_it_says_what_to_install(place: Place, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "cat"):
        (tools / name).symlink_to(f"/bin/{name}")
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    script = tmp_path / "run"
    script.write_text((ROOT / "run").read_text().replace("/usr/bin/python3", "/nonexistent/python3"))
    failed = place.call("/bin/sh", str(script), PATH=str(tools), GWM_VENV=str(tmp_path / "other"))
    assert failed.returncode == 1
    assert "Python 3.11 or newer is needed" in failed.stderr
    assert "apt install python3" in failed.stderr


@pytest.mark.feature("F287")
def test_fab_dev_deploy_does_the_same_in_place(place: Place) -> None:
    fab = [str(Path(sys.executable).with_name("fab")), "--search-root", str(ROOT)]
    alone = place.call(*fab, "deploy")
    assert alone.returncode == 1
    assert "fab dev deploy" in alone.stderr
    done = place.call(*fab, "dev", "deploy")
    assert done.returncode == 0, done.stderr
    assert len(place.pip_calls) == 1
    assert "First account: admin, password:" in done.stdout
    assert "./run starts it" in done.stdout
    assert (place.data / "gwm.sqlite3").exists()
    assert (place.data / "secrets.env").stat().st_mode & 0o077 == 0
    again = place.call(*fab, "dev", "deploy")
    assert again.returncode == 0
    assert "First account" not in again.stdout
