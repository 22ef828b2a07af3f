"""In which order what runs begins anew: on this machine, with a systemctl that only writes down what it is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deploy.handover import begin_anew
from deploy.host import Host, HostError

SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$0.told"
case "$*" in list-units*) cat "$0.runs";; *"$(cat "$0.broken")"*) exit 1;; esac
"""


class Here(Host):
    """Runs commands here, in the way of the other."""

    def __init__(self, folder: Path, runs: str, broken: str = "nothing") -> None:
        self._program = folder / "systemctl"
        self._program.write_text(SYSTEMCTL)
        self._program.chmod(0o755)
        (folder / "systemctl.runs").write_text(runs)
        (folder / "systemctl.broken").write_text(broken)

    def run(self, command: str) -> str:
        path = f"{self._program.parent}:{os.environ['PATH']}"
        done = subprocess.run(["sh", "-c", command], env={"PATH": path}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(command)
        return done.stdout.strip()

    def ask(self, command: str) -> bool:
        try:
            self.run(command)
        except HostError:
            return False
        return True

    @property
    def told(self) -> list[str]:
        """All but the question what runs."""
        lines = self._program.with_suffix(".told").read_text().splitlines()
        return [line for line in lines if not line.startswith("list-units")]


ALL = ("gwm-web@1.service", "gwm-worker.service", "gwm-beat.service")
TWO = "gwm-web@1.service loaded active running x\ngwm-web@2.service loaded active running x\n"
END = "start gwm-web@1.service gwm-worker.service gwm-beat.service"


def test_web_processes_go_one_after_another_beside_one_more(tmp_path: Path) -> None:
    host = Here(tmp_path, TWO)
    begin_anew(host, ALL)
    assert host.told == [
        "enable --now gwm.target",
        "restart --no-block gwm-worker.service gwm-beat.service",
        "restart gwm-web@meanwhile.service",
        "restart gwm-web@1.service",
        "restart gwm-web@2.service",
        "stop gwm-web@meanwhile.service",
        END,
    ]


def test_where_nothing_runs_all_of_it_begins(tmp_path: Path) -> None:
    host = Here(tmp_path, "")
    begin_anew(host, ALL)
    assert host.told[-1] == END and not any("meanwhile" in line for line in host.told)


@pytest.mark.parametrize("broken", ["restart gwm-web@meanwhile", "restart gwm-web@1"])
def test_one_that_does_not_begin_leaves_the_others_as_they_are(tmp_path: Path, broken: str) -> None:
    host = Here(tmp_path, TWO, broken)
    with pytest.raises(HostError, match=broken):
        begin_anew(host, ALL)
    assert "restart gwm-web@2.service" not in host.told
    assert host.told[-1] == "stop gwm-web@meanwhile.service", "it does not try again and again"


def test_a_host_without_web_processes_begins_the_others_anew(tmp_path: Path) -> None:
    host = Here(tmp_path, "")
    begin_anew(host, ["gwm-beat.service"])
    assert host.told == [
        "enable --now gwm.target",
        "restart --no-block gwm-beat.service",
        "start gwm-beat.service",
    ]
