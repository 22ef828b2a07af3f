"""Who is ended while it begins leaves no control socket behind, whichever moment it is."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.commands import ROOT, environment_of
from vncproxy.client import list_control_sockets

pytestmark = pytest.mark.standalone
# SIGTERM comes as the reactor starts: before, when it is not caught yet, or after.
_ENDED = """
import os, runpy, signal, sys
from twisted.internet import reactor
moment, program = sys.argv[1:3]
reactor.addSystemEventTrigger(moment, "startup", os.kill, os.getpid(), signal.SIGTERM)
sys.argv[1:3] = []
runpy.run_module(program, run_name="__main__", alter_sys=True)
"""


def run(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    """A program until its end; LISTENING stands for a listening socket that is handed over."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return subprocess.run(
            [sys.executable, *(word.replace("LISTENING", str(listening.fileno())) for word in words)],
            cwd=ROOT,
            env=environment_of(data),
            pass_fds=[listening.fileno()],
            timeout=180,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.parametrize(
    ("program", "moment", "code"),
    [
        ("vncproxy", "before", -signal.SIGTERM),
        ("vncproxy", "after", 0),
        ("gwm.processes.web", "before", -signal.SIGTERM),
    ],
)
def test_who_is_ended_while_it_begins_leaves_no_socket(program: str, moment: str, code: int, tmp_path: Path) -> None:
    control = tmp_path / "console.sock"
    words = ("--port", "0", "--control", str(control)) if program == "vncproxy" else ("--fd", "LISTENING")
    ended = run("-c", _ENDED, moment, program, *words, data=tmp_path)
    assert ended.returncode == code, ended.stderr
    assert list_control_sockets(str(control)) == []
    assert ("Consoles at" in ended.stdout) == (program == "vncproxy" and code == 0)


def test_who_finds_its_control_socket_taken_says_so_and_ends(tmp_path: Path) -> None:
    control = tmp_path / "console.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(control))
        other.listen()
        ended = run("-m", "vncproxy", "--port", "0", "--control", str(control), data=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "") and "Address already in use" in ended.stderr
