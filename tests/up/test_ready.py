"""What a child of the supervisor does when it is loaded."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gwm.processes.ready import NOTIFY_SOCKET, READY_FD
from tests.up.running import ROOT

CHILD = """
import gc
from gwm.processes.ready import tell_ready

assert gc.get_freeze_count() == 0
tell_ready()
assert gc.get_freeze_count() > 1000 and gc.get_threshold()[0] > 5000
tell_ready()
"""


def test_it_says_so_once_and_leaves_what_is_loaded_alone() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told:
        # a process of its own: what is kept out of upkeep in this one is what was collected of tests
        subprocess.run(
            [sys.executable, "-c", CHILD], cwd=ROOT, env={READY_FD: str(writing)}, pass_fds=[writing], check=True
        )
        os.close(writing)
        assert told.read() == b"ready\n", "once, and the pipe is closed"


def test_it_tells_systemd_once(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.setblocking(False)
        environment = {NOTIFY_SOCKET: str(tmp_path / "notify")}
        subprocess.run([sys.executable, "-c", CHILD], cwd=ROOT, env=environment, check=True)
        assert told.recv(100) == b"READY=1"
        with pytest.raises(BlockingIOError):
            told.recv(100)


@pytest.mark.parametrize("name", ["absent", "file", "x" * 200])
def test_who_can_not_be_told_keeps_nobody_from_work(tmp_path: Path, name: str) -> None:
    """An engine names a socket to all that runs in it, as whoever."""
    (tmp_path / "file").touch()
    environment = {NOTIFY_SOCKET: str(tmp_path / name)}
    done = subprocess.run([sys.executable, "-c", CHILD], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.startswith(f"Cannot tell {tmp_path / name} that it is ready: ")
