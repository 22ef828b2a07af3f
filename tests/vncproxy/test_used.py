"""Used tickets without Redis: remembered in a directory by all brokers of a host, and those that come after them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.processes.commands import ROOT, environment_of, wait_for
from tests.vncproxy.conftest import run_daemon
from tests.vncproxy.ends import KEY, Browser, ticket
from vncproxy.tickets import LONGEST_LIFETIME_S
from vncproxy.troubles import Trouble

pytestmark = [pytest.mark.standalone, pytest.mark.feature("F208")]
# One of several processes, each of which claims all tickets: it says which were its own.
_CLAIMING = """
import sys
from pathlib import Path
from twisted.internet import reactor
from vncproxy.used import FolderMemory
used, begin = FolderMemory(Path(sys.argv[1]), reactor), Path(sys.argv[2])
print("ready", flush=True)
while not begin.exists():
    pass
for number in range(3000):
    used.claim(str(number), 0.0).addCallback(lambda first: first and print(number))
"""


def test_of_processes_that_claim_at_once_one_alone_has_each_ticket(tmp_path: Path) -> None:
    words = [sys.executable, "-c", _CLAIMING, str(tmp_path / "used"), str(tmp_path / "begin")]
    started = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    (tmp_path / "begin").touch()
    with ThreadPoolExecutor() as hearing:
        said = [each for each, _errors in hearing.map(subprocess.Popen.communicate, started)]
    assert sorted(int(number) for each in said for number in each.split()) == list(range(3000))


def test_a_ticket_that_was_used_stays_so_when_the_proxy_begins_anew(tmp_path: Path, vnc: Callable[[], Any]) -> None:
    text = ticket(vnc().port)
    with run_daemon(tmp_path) as daemon:
        browser = Browser(daemon.port, text)
        browser.start()
        browser.close()
    left = next((tmp_path / "control.used").iterdir())
    old = left.with_name("0" * 64)
    old.touch()
    long_ago = time.time() - LONGEST_LIFETIME_S - 120
    os.utime(old, (long_ago, long_ago))
    with run_daemon(tmp_path) as daemon:
        assert Browser(daemon.port, text).wait_for_close()[0] == Trouble.USED.code
    assert list(left.parent.iterdir()) == [left], "what no ticket lives to see is forgotten"
    assert left.parent.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_remembered_there_is_no_console(tmp_path: Path, vnc: Callable[[], Any]) -> None:
    server = vnc()
    (tmp_path / "control.used").write_text("no directory")
    with run_daemon(tmp_path) as daemon:
        assert Browser(daemon.port, ticket(server.port)).wait_for_close()[0] == Trouble.MEMORY_DOWN.code
    assert server.connections == 0


def test_of_two_web_processes_one_alone_takes_a_ticket(tmp_path: Path, vnc: Callable[[], Any]) -> None:
    """As while a release changes: one more answers on the socket of the other."""
    environment = environment_of(tmp_path, GWM_CONSOLE_KEYS=KEY, GWM_CONSOLE_NODE_NETWORKS="127.0.0.0/8")
    started, ports = [], []
    try:
        for _process in range(2):
            with socket.create_server(("127.0.0.1", 0)) as listening:
                words = [sys.executable, "-m", "gwm.processes.web", "--fd", str(listening.fileno())]
                started.append(subprocess.Popen(words, cwd=ROOT, env=environment, pass_fds=[listening.fileno()]))
                ports.append(listening.getsockname()[1])
        wait_for(lambda: len(list(tmp_path.glob("console-*.sock"))) == 2, "two web processes")
        text = ticket(vnc().port)
        first = Browser(ports[0], text)
        first.start()
        assert Browser(ports[1], text).wait_for_close()[0] == Trouble.USED.code
        first.close()
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(180)
