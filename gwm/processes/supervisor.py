"""Start processes, keep them running, end them all.

A child that ends is started again, at once at first and ever more slowly while it keeps failing. A stop asks politely
(TERM), waits, then kills. Children are tied to this process (tied.py), so that even its SIGKILL leaves none behind.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from gwm.env import BASE_DIR
from gwm.processes.ready import NOTIFY_SOCKET, READY_FD

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 30.0
PATIENCE_S = 10.0
SOCKET_FD = 3
_READY_PIPE = 4
_LONGEST_LINE = 16_384


@dataclass(frozen=True)
class Program:
    """What to run: a name for the log, a command, what is added to the environment, whether it gets the socket.

    It tells that it is ready on a pipe (gwm.processes.ready) or by its first line of output.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    takes_socket: bool = False
    ready_by_output: bool = False


class _Incarnation(ProcessProtocol):
    """One life of a child: passes its lines on and tells when it is ready and when it ended."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.rest: dict[int, bytes] = {1: b"", 2: b""}

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Split output into lines; the pipe of its own says that it is ready."""
        if childFD == _READY_PIPE:
            self.child.became_ready()
            return
        *lines, rest = (self.rest[childFD] + data).split(b"\n")
        self.rest[childFD] = rest[:_LONGEST_LINE]
        for line in lines:
            self.child.hear(line.decode("utf-8", "replace"), is_output=childFD == 1)

    def processExited(self, reason: Failure) -> None:
        """Start anew; processEnded would wait for grandchildren that still hold the pipe."""
        for rest in self.rest.values():
            if rest:
                self.child.say(rest.decode("utf-8", "replace"))
        self.child.ended(reason)


class Child:
    """A program that is kept running."""

    def __init__(self, supervisor: Supervisor, program: Program) -> None:
        self.supervisor = supervisor
        self.program = program
        self.ready: Deferred[str] = Deferred()
        self.transport: Any = None
        self.pause_s = FIRST_PAUSE_S
        self.is_announced = False
        self.started_at = 0.0
        self.restart: IDelayedCall | None = None

    @property
    def is_running(self) -> bool:
        return self.transport is not None

    def start(self) -> None:
        """Start one incarnation."""
        self.restart = None
        self.is_announced = False
        self.started_at = self.supervisor.reactor.seconds()
        descriptors: dict[int, int | str] = {0: self.supervisor.null_fd, 1: "r", 2: "r"}
        environment = {**os.environ, **self.program.environment, "PYTHONUNBUFFERED": "1"}
        environment.pop(NOTIFY_SOCKET, None)  # that all are ready is not for one of them to say
        if self.program.takes_socket:
            descriptors[SOCKET_FD] = self.supervisor.socket_fd
        if not self.program.ready_by_output:
            descriptors[_READY_PIPE] = "r"
            environment[READY_FD] = str(_READY_PIPE)
        wrapper = str(Path(__file__).with_name("tied.py"))
        command = [sys.executable, "-S", "-E", wrapper, str(os.getpid()), *self.program.command]
        self.transport = self.supervisor.reactor.spawnProcess(
            _Incarnation(self), sys.executable, command, env=environment, path=str(BASE_DIR), childFDs=descriptors
        )

    def hear(self, line: str, *, is_output: bool) -> None:
        """Take a line; the first may be meant for us, the others are printed."""
        if is_output and self.program.ready_by_output and not self.is_announced:
            self.is_announced = True
            self.became_ready(line)
        elif line.strip():
            self.say(line)

    def say(self, line: str) -> None:
        """Print a line of its output under its name."""
        self.supervisor.say(f"{self.program.name:<7}| {line.rstrip()}")

    def became_ready(self, announcement: str = "") -> None:
        """Note that it does its work, and what it said about it."""
        if not self.ready.called:
            self.ready.callback(announcement)

    def ended(self, reason: Failure) -> None:
        """Plan the next start, unless everything is to end."""
        self.transport = None
        if self.supervisor.is_stopping:
            self.supervisor.note_end()
            return
        lived_s = self.supervisor.reactor.seconds() - self.started_at
        if lived_s > STEADY_AFTER_S:
            self.pause_s = FIRST_PAUSE_S
        self.supervisor.say(
            f"up     | {self.program.name} ended ({describe_end(reason)}); it starts again in {self.pause_s:g} s"
        )
        self.restart = self.supervisor.reactor.callLater(self.pause_s, self.start)
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child, and a KILL to all of its group."""
        if self.restart is not None and self.restart.active():
            self.restart.cancel()
        if self.transport is None:
            return
        try:
            if number == signal.SIGKILL:
                os.killpg(self.transport.pid, number)
            else:
                self.transport.signalProcess(number)
        except (ProcessExitedAlready, ProcessLookupError):
            pass


class Supervisor:
    """All children of one `manage.py up`."""

    def __init__(self, reactor: Any, socket_fd: int, say: Callable[[str], None]) -> None:
        self.reactor = reactor
        self.socket_fd = socket_fd
        self.say = say
        self.null_fd = os.open(os.devnull, os.O_RDONLY)
        self.children: list[Child] = []
        self.is_stopping = False
        self._all_ended: Deferred[None] = Deferred()
        self._killer: IDelayedCall | None = None
        self._stop_asked_at = 0.0

    def start(self, program: Program) -> Child:
        """Start a program and keep it running."""
        child = Child(self, program)
        self.children.append(child)
        child.start()
        return child

    def stop(self) -> Deferred[None]:
        """End all children: TERM, after ten seconds KILL."""
        self.is_stopping = True
        self._stop_asked_at = self.reactor.seconds()
        self._killer = self.reactor.callLater(PATIENCE_S, self._signal_all, signal.SIGKILL)
        self._signal_all(signal.SIGTERM)
        self.note_end()
        return self._all_ended

    def hurry(self) -> None:
        """Kill at once what a stop waits for; a signal that comes twice in one second was meant once."""
        if self.reactor.seconds() - self._stop_asked_at > 1:
            self._signal_all(signal.SIGKILL)

    def note_end(self) -> None:
        """Finish the stop when no child is left."""
        if any(child.is_running for child in self.children) or self._all_ended.called:
            return
        if self._killer is not None and self._killer.active():
            self._killer.cancel()
        self._all_ended.callback(None)

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self.children:
            child.signal(number)


def describe_end(reason: Failure) -> str:
    """Say in words how a process ended."""
    code, number = getattr(reason.value, "exitCode", None), getattr(reason.value, "signal", None)
    if number is not None:
        return f"killed by {signal.Signals(number).name}"
    return f"exit code {code}"
