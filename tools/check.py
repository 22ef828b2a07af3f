"""`./run test [fast]`: every gate this machine can pass, fast ones first, and at the end what it could not.

Starts PostgreSQL and Redis itself, throwaway, where their programs are installed. With `CI` set nothing may be left
out: what is missing fails. The last line counts tests; a gate without tests that fails counts as one failure.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.features import DONE_PARTS, list_demanded, load_outcomes  # noqa: E402
from tools.lab.prerequisites import missing_prerequisites  # noqa: E402
from tools.throwaway import Unavailable, postgresql, redis_server  # noqa: E402

_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)\b")
_CLOSING = re.compile(r"\b(\d+ (passed|failed|skipped|errors?|xfailed|xpassed)|no tests ran)\b.* in [\d.]+s")
_SERVERLESS = "not ganeti and not browser and not redis"
NO_TESTS = 5
_AS = {"error": "failed", "errors": "failed", "xfailed": "passed", "xpassed": "failed"}


@dataclass
class Gate:
    """One stage: a title, a command, what it needs around it, whether `fast` runs it."""

    title: str
    command: list[str]
    is_fast: bool = True
    environment: Callable[[], AbstractContextManager[dict[str, str]]] | None = None
    lacking: Callable[[], str] = lambda: ""
    has_tests: bool = False


@dataclass
class Outcome:
    """How a gate went."""

    gate: Gate
    state: str  # passed, failed, left out
    seconds: float = 0.0
    reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def list_gates(features_file: Path) -> list[Gate]:
    """Return all gates, fast ones first."""
    python = [sys.executable, "-m"]
    tool = Path(sys.executable).parent

    # by file: what a file sets up for all its tests is set up once
    spread = ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]

    def tests(*arguments: str) -> list[str]:
        return [*python, "pytest", "-q", f"--features-file={features_file}", *arguments]

    return [
        Gate("Style: ruff check", [*python, "ruff", "check", "."]),
        Gate("Layout: ruff format", [*python, "ruff", "format", "--check", "."]),
        Gate("Scripts: oxlint", [str(tool / "oxlint"), "--deny-warnings"]),
        Gate("Templates: djlint", [*python, "djlint", "--lint", "--quiet", "templates"]),
        Gate("Types: mypy --strict", [*python, "mypy"]),
        Gate("Directions of imports: import-linter", [str(tool / "lint-imports")]),
        Gate("Migrations are complete", [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]),
        Gate(
            "Tests on SQLite and the simulator",
            tests("-m", f"{_SERVERLESS} and not standalone", *spread),
            has_tests=True,
        ),
        Gate(
            "Whole installations, started, killed and stopped",
            tests("-m", f"{_SERVERLESS} and standalone", *spread),
            is_fast=False,
            has_tests=True,
        ),
        Gate(
            "Tests on PostgreSQL",
            tests("-m", f"{_SERVERLESS} and database and not standalone", *spread),
            is_fast=False,
            environment=with_postgresql,
            has_tests=True,
        ),
        Gate(
            "Tests over a real Redis, on PostgreSQL",
            tests("-m", "redis"),
            is_fast=False,
            environment=with_redis,
            has_tests=True,
        ),
        Gate(
            "Tests and contract on a real Ganeti",
            tests("-m", "ganeti and not browser", *spread),  # a lab for each process
            is_fast=False,
            lacking=lambda: " ".join(missing_prerequisites()),
            has_tests=True,
        ),
        Gate(
            "Tests in a browser",
            tests("-m", "browser"),
            is_fast=False,
            lacking=lacking_browser,
            has_tests=True,
        ),
    ]


@contextmanager
def with_postgresql() -> Iterator[dict[str, str]]:
    """Give tests a PostgreSQL of their own."""
    with postgresql() as url:
        yield {"GWM_TEST_DATABASE_URL": url}


@contextmanager
def with_redis() -> Iterator[dict[str, str]]:
    """Give tests a Redis and a PostgreSQL of their own."""
    with redis_server() as redis_url, postgresql() as database_url:
        yield {"GWM_TEST_REDIS_URL": redis_url, "GWM_TEST_DATABASE_URL": database_url}


def lacking_browser() -> str:
    """Say what keeps browser tests from running."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return "" if found else "Chromium is not installed (Debian: apt install chromium)."


def run_gate(gate: Gate, complete: bool) -> Outcome:
    """Run one gate, showing its output as it comes."""
    print(f"\n=== {gate.title} ===", flush=True)
    started = time.monotonic()
    try:
        if reason := gate.lacking():
            raise Unavailable(reason)
        if gate.environment is None:
            outcome = run_command(gate, {}, complete)
        else:
            with gate.environment() as environment:
                outcome = run_command(gate, environment, complete)
    except Unavailable as error:
        print(f"Not possible here: {error}", flush=True)
        outcome = Outcome(gate, "failed" if complete else "left out", reason=str(error))
    outcome.seconds = time.monotonic() - started
    return outcome


def run_command(gate: Gate, environment: dict[str, str], complete: bool) -> Outcome:
    """Run a gate's command; count what pytest counted."""
    counts: dict[str, int] = {}
    with Popen(
        gate.command,
        cwd=ROOT,
        env=environment_for(environment, complete),
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                if gate.has_tests and _CLOSING.search(line):
                    counts = {}
                    for number, word in _COUNTS.findall(line):
                        counts[_AS.get(word, word)] = counts.get(_AS.get(word, word), 0) + int(number)
        except (KeyboardInterrupt, SystemExit):
            process.send_signal(signal.SIGINT)  # so that tests take down what they brought up
            try:
                process.wait(60)
            except TimeoutExpired:
                process.kill()
            raise
    code = process.returncode
    if gate.has_tests and code == NO_TESTS:
        return Outcome(gate, "failed" if complete else "left out", reason="there are no such tests")
    return Outcome(gate, "passed" if code == 0 else "failed", counts=counts, reason="" if code == 0 else f"exit {code}")


def environment_for(added: dict[str, str], complete: bool) -> dict[str, str]:
    """Return the environment of a gate: the developer's own settings stay out of it."""
    foreign = {"DATABASE_URL", "REDIS_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {
        **kept,
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"GWM_TEST_COMPLETE": "1"} if complete else {}),
        **added,
    }


def summarise(
    outcomes: list[Outcome], skipped_gates: list[Gate], features_file: Path, demands_rows: bool = False
) -> int:
    """Print what ran, what could not, which rows stay without a passing test, and the closing line.

    With `demands_rows` rows without a passing test count as one failure.
    """
    print("\n=== Summary ===")
    for outcome in outcomes:
        counted = ", ".join(f"{number} {word}" for word, number in outcome.counts.items())
        detail = "; ".join(part for part in (counted, outcome.reason) if part)
        print(
            f"{outcome.state:<8} {outcome.seconds:6.1f} s  {outcome.gate.title}{'  (' + detail + ')' if detail else ''}"
        )
    if skipped_gates:
        print("Not asked for: " + "; ".join(gate.title for gate in skipped_gates))
    demanded = list_demanded(load_outcomes(features_file).values())
    unproven = [feature.id for feature in demanded if not feature.is_proven]
    proven = f"{len(demanded) - len(unproven)} of {len(demanded)} rows proven by the tests that ran."
    print(f"Features, parts {' and '.join(DONE_PARTS)}: {proven}")
    if unproven:
        print("  not proven here: " + " ".join(unproven))
    totals = {
        word: sum(outcome.counts.get(word, 0) for outcome in outcomes) for word in ("passed", "failed", "skipped")
    }
    for outcome in outcomes:
        if outcome.state == "failed" and not outcome.counts.get("failed"):
            totals["failed"] += 1
        elif outcome.state == "left out":
            totals["skipped"] += 1
        elif not outcome.gate.has_tests:
            totals["passed"] += 1
    lacks_rows = demands_rows and bool(unproven)
    totals["failed"] += lacks_rows
    print(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if lacks_rows or any(outcome.state == "failed" for outcome in outcomes) else 0


def main() -> int:
    """Run all gates, or the fast ones, and return the exit code."""
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__)
    parser.add_argument("which", nargs="?", choices=["all", "fast"], default="all")
    parser.add_argument("--only", metavar="WORD", help="only gates with this word in their title")
    options = parser.parse_args()
    complete = os.environ.get("CI", "").lower() in {"1", "true", "yes"} and options.which == "all"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    with tempfile.TemporaryDirectory(prefix="gwm-check-") as directory:
        os.environ["GWM_DATA_DIR"] = directory
        features_file = Path(directory) / "features.jsonl"
        gates = list_gates(features_file)
        chosen = [gate for gate in gates if gate.is_fast or options.which == "all"]
        if options.only:
            chosen = [gate for gate in chosen if options.only.lower() in gate.title.lower()]
        outcomes = [run_gate(gate, complete) for gate in chosen]
        demands_rows = complete and not options.only
        return summarise(outcomes, [gate for gate in gates if gate not in chosen], features_file, demands_rows)


if __name__ == "__main__":
    sys.exit(main())
