"""Gates of `./run test`: running them side by side as far as there are cores, each one's output whole."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired

from tools.throwaway import Unavailable

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS = 5
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)\b")
_CLOSING = re.compile(r"\b(\d+ (passed|failed|skipped|errors?|xfailed|xpassed)|no tests ran)\b.* in [\d.]+s")
_AS = {"error": "failed", "errors": "failed", "xfailed": "passed", "xpassed": "failed"}
#: how long a gate may take to take down what it brought up
STOP_TIMEOUT_S = 60
#: how far what fills pauses steps back behind the others
NICE = 10

Say = Callable[[str], None]


@dataclass
class Gate:
    """One stage: a title, a command, what it needs around it, and what it leaves of the machine to others."""

    title: str
    command: list[str]
    is_fast: bool = True
    environment: Callable[[], AbstractContextManager[dict[str, str]]] | None = None
    lacking: Callable[[], str] = lambda: ""
    has_tests: bool = False
    #: how many cores it keeps busy
    cores: float = 1
    #: it takes what the others leave idle, whatever they are, with less of a claim to it than they have
    fills: bool = False


@dataclass
class Outcome:
    """How a gate went."""

    gate: Gate
    state: str  # passed, failed, left out
    seconds: float = 0.0
    #: of the command and all the processes it started and waited for
    cpu_seconds: float = 0.0
    reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)


class Transcript:
    """What gates say, in the order of the gates: the first that is not through is heard live, the others after it."""

    def __init__(self, gates: int, write: Say) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._kept: list[list[str]] = [[] for _ in range(gates)]
        self._closed = [False] * gates
        self._front = 0

    def say(self, number: int, text: str) -> None:
        """Take in a piece of the output of a gate."""
        with self._lock:
            if number == self._front:
                self._write(text)
            else:
                self._kept[number].append(text)

    def close(self, number: int) -> None:
        """A gate has ended: whoever is next is heard."""
        with self._lock:
            self._closed[number] = True
            while self._front < len(self._closed) and self._closed[self._front]:
                self._front += 1
                if self._front < len(self._kept):
                    self._write("".join(self._kept[self._front]))
                    self._kept[self._front].clear()


class Stopping:
    """The processes of the gates that run, so that all are stopped when the person stops the run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Popen[str]] = set()
        self._is_over = False

    def add(self, process: Popen[str]) -> None:
        """Stop this one too, at once if the run is over already."""
        with self._lock:
            self._running.add(process)
            if self._is_over:
                process.send_signal(signal.SIGINT)

    def remove(self, process: Popen[str]) -> None:
        """It has ended by itself."""
        with self._lock:
            self._running.discard(process)

    def stop_all(self) -> None:
        """Have tests take down what they brought up; who does not end in time is killed."""
        with self._lock:
            self._is_over = True
            running = list(self._running)
        for process in running:
            process.send_signal(signal.SIGINT)
        for process in running:
            try:
                process.wait(STOP_TIMEOUT_S)
            except TimeoutExpired:
                process.kill()


def write_now(text: str) -> None:
    """Print without an end of line, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def run_gates(gates: Sequence[Gate], complete: bool, cores: int, write: Say = write_now) -> list[Outcome]:
    """Run gates in their order, as many at a time as `cores` can bear."""
    transcript, stopping = Transcript(len(gates), write), Stopping()
    ended: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()
    outcomes: dict[int, Outcome] = {}
    waiting, running = list(range(len(gates))), dict[int, threading.Thread]()

    def run(number: int) -> None:
        def say(text: str) -> None:
            transcript.say(number, text)

        outcome = Outcome(gates[number], "failed", reason="it could not be run")
        try:
            outcome = run_gate(gates[number], complete, say, stopping)
        finally:
            transcript.close(number)
            ended.put((number, outcome))

    try:
        while waiting or running:
            for number in choose(gates, waiting, list(running), cores):
                waiting.remove(number)
                running[number] = threading.Thread(target=run, args=[number], name=gates[number].title)
                running[number].start()
            number, outcomes[number] = ended.get()
            running.pop(number).join()
    except (KeyboardInterrupt, SystemExit):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is impatient is heard by the tests themselves
        stopping.stop_all()
        raise
    return [outcomes[number] for number in range(len(gates))]


def choose(gates: Sequence[Gate], waiting: Sequence[int], running: Sequence[int], cores: int) -> list[int]:
    """Which of the waiting gates begin now: in their order, none before one that waits longer.

    What fills the others' pauses begins beside them, but beside none that keeps all cores busy; one at a time as long
    as the others are enough for all cores, and another as soon as they are not: a gate pauses by itself, too.
    """
    begin: list[int] = []
    for number in waiting:
        gate = gates[number]
        if gate.fills and cores > 1:
            continue
        taken = sum(gates[other].cores for other in (*running, *begin) if cores == 1 or not gates[other].fills)
        if taken and taken + min(gate.cores, cores) > cores:
            break
        begin.append(number)
    if cores > 1:
        begin += choose_fillers(gates, [each for each in waiting if each not in begin], [*running, *begin], cores)
    return sorted(begin, key=list(waiting).index)


def choose_fillers(gates: Sequence[Gate], waiting: Sequence[int], running: Sequence[int], cores: int) -> list[int]:
    """Which of those that fill pauses begin beside what runs."""
    begin: list[int] = []
    others = [gates[number] for number in running if not gates[number].fills]
    left = [gates[number] for number in waiting if not gates[number].fills]
    if any(other.cores >= cores for other in (*others, *left)):
        return begin
    room = 2 if sum(other.cores for other in others) + 1 <= cores else 1
    for number in waiting:
        if gates[number].fills and sum(gates[other].fills for other in (*running, *begin)) < room:
            begin.append(number)
    return begin


def run_gate(gate: Gate, complete: bool, say: Say = write_now, stopping: Stopping | None = None) -> Outcome:
    """Run one gate, saying its output as it comes."""
    say(f"\n=== {gate.title} ===\n")
    started = time.monotonic()
    try:
        if reason := gate.lacking():
            raise Unavailable(reason)
        with gate.environment() if gate.environment else nullcontext({}) as environment:
            outcome = run_command(gate, environment, complete, say, stopping or Stopping())
    except Unavailable as error:
        say(f"Not possible here: {error}\n")
        outcome = Outcome(gate, "failed" if complete else "left out", reason=str(error))
    except OSError as error:
        say(f"It could not be run: {error}\n")
        outcome = Outcome(gate, "failed", reason=str(error))
    outcome.seconds = time.monotonic() - started
    return outcome


def run_command(gate: Gate, environment: dict[str, str], complete: bool, say: Say, stopping: Stopping) -> Outcome:
    """Run a gate's command; count what pytest counted."""
    counts: dict[str, int] = {}
    with Popen(
        ["nice", "-n", str(NICE), *gate.command] if gate.fills else gate.command,
        cwd=ROOT,
        env=environment_for(environment, complete),
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        stopping.add(process)
        for line in process.stdout:
            say(line)
            if gate.has_tests and _CLOSING.search(line):
                counts = {}
                for number, word in _COUNTS.findall(line):
                    counts[_AS.get(word, word)] = counts.get(_AS.get(word, word), 0) + int(number)
        cpu_seconds = cpu_seconds_at_end(process.pid)
    stopping.remove(process)
    code = process.returncode
    if gate.has_tests and code == NO_TESTS:
        return Outcome(gate, "failed" if complete else "left out", reason="there are no such tests")
    outcome = Outcome(gate, "passed" if code == 0 else "failed", counts=counts, cpu_seconds=cpu_seconds)
    outcome.reason = "" if code == 0 else f"exit {code}"
    return outcome


def cpu_seconds_at_end(pid: int) -> float:
    """Wait until a process has ended, and say what it used; whoever waits for it afterwards still finds it."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (ChildProcessError, FileNotFoundError):
        return 0.0  # the run is being stopped, which has waited for it already
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def environment_for(added: dict[str, str], complete: bool) -> dict[str, str]:
    """Return the environment of a gate: the developer's own settings stay out of it."""
    foreign = {"DATABASE_URL", "REDIS_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {
        **kept,
        **({"GWM_TEST_COMPLETE": "1"} if complete else {}),
        **added,
    }
