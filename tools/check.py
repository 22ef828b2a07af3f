"""`./run test [WHICH]`: every gate this machine can pass, fast ones first, and at the end what it could not.

WHICH: `quick` looks at the sources only, `changed` adds the tests that a change can reach (tools/changed.py),
`fast` all but the longest tests on SQLite, `deploy` deploys to servers that boot, `container` builds the image and
starts it, `mariadb` and `postgresql17` ask these databases. Gates run side by side (tools/gates.py). Starts PostgreSQL
and Redis itself, throwaway, where their programs are installed. With `CI` set nothing may be left out: what is missing
fails. The last line counts tests; a gate without tests that fails counts as one failure.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.features import DONE_PARTS, list_demanded, load_outcomes  # noqa: E402
from tests.servers import shows  # noqa: E402
from tools.browser import LACKING, find_browser  # noqa: E402
from tools.changed import changed_since, read_sources  # noqa: E402
from tools.container import missing_for_containers  # noqa: E402
from tools.debian13 import missing_for_debian13, postgresql_of_debian13  # noqa: E402
from tools.gates import Gate, Outcome, run_gates  # noqa: E402
from tools.lab.prerequisites import missing_prerequisites  # noqa: E402
from tools.server import missing_for_servers  # noqa: E402
from tools.throwaway import mariadb, missing_for_mariadb, postgresql, redis_server  # noqa: E402

ON_MARIADB = (
    "tests/operations/test_pipeline.py",
    "tests/operations/test_locking.py",
    "tests/permissions/test_policy.py",
    "tests/updates/test_identity.py",
    "tests/pages/test_pages.py",
    "tests/gwm/test_database_versions.py",
)
_SERVERLESS = "not ganeti and not browser and not redis and not deploy and not container"
CORES = os.cpu_count() or 1
#: the cores of a gate that waits for processes, time-outs and machines half of its time
WAITS = 0.5


def list_gates(features_file: Path) -> list[Gate]:
    """Return all gates, fast ones first."""
    return [*list_quick_gates(), *list_test_gates(features_file)]


def list_quick_gates() -> list[Gate]:
    """Return the gates without tests: what looks at the sources."""
    python = [sys.executable, "-m"]
    tool = Path(sys.executable).parent
    return [
        Gate("Style: ruff check", [*python, "ruff", "check", "."]),
        Gate("Layout: ruff format", [*python, "ruff", "format", "--check", "."]),
        Gate("Scripts: oxlint", [str(tool / "oxlint"), "--deny-warnings"]),
        Gate("Templates: djlint", [*python, "djlint", "--lint", "--quiet", "templates"]),
        Gate("Lines: at most 120 characters", [*python, "tools.lines"]),
        Gate("Types: mypy --strict", [*python, "mypy"]),
        Gate("Directions of imports: import-linter", [str(tool / "lint-imports")]),
        Gate("Migrations are complete", [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]),
    ]


def pytest_command(features_file: Path, *arguments: str) -> list[str]:
    """Return the command that runs a selection of the tests."""
    return [sys.executable, "-m", "pytest", "-q", f"--features-file={features_file}", *arguments]


def spread(processes: int) -> list[str]:
    """Return the arguments that share tests out by file: what a file sets up for all its tests is set up once."""
    return ["-n", str(processes), "--dist", "loadfile"]


def files_with(*marks: str) -> list[str]:
    """Return the files of tests that show all these marks: nobody else has them, so the others need no look."""
    paths = (ROOT / "tests").rglob("test_*.py")
    return sorted(str(path.relative_to(ROOT)) for path in paths if all(shows(path, mark) for mark in marks))


def list_test_gates(features_file: Path, cores: int = CORES) -> list[Gate]:
    """Return the gates that run tests, those that take long first where others can run beside them."""
    every = min(4, cores)

    def gate(title: str, marks: str, *files: str, processes: int = 1, of_browser: bool = False, **options: Any) -> Gate:
        shared = spread(processes) if processes > 1 else []
        command = pytest_command(features_file, "-m", marks, *shared, *files)
        if of_browser:  # Chromium gives up the pages it is loading when an interface of a lab comes or goes
            command = apart(command)
        return Gate(title, command, has_tests=True, **{"is_fast": False, "cores": 1, **options})

    quick = f"{_SERVERLESS} and not standalone"
    return [
        gate(
            "Tests on SQLite and the simulator",
            f"{quick} and not long and not beside and not postgresql",
            processes=every + 1,  # some of its tests wait for time-outs
            cores=every,
            is_fast=True,
        ),
        # These need no quiet: they fill the pauses of all that follow, which wait for labs and for pages.
        gate(
            "Tests on PostgreSQL",
            f"{quick} and database and not alike",
            environment=with_postgresql,
            processes=every,
            fills=True,
        ),
        gate(
            "Many values in many pages",
            f"{quick} and (long or beside) and not postgresql",
            *sorted({*files_with("long"), *files_with("beside")}),
            processes=every,
            fills=True,
        ),
        # Those that wait for labs and for pages are the longest way to the end.
        gate(
            "Tests in a browser",
            "browser and not ganeti",
            *files_with("browser"),
            processes=min(2, every),  # pages wait for servers, and servers for pages
            lacking=lacking_browser,
            of_browser=True,
        ),
        gate(
            "Tests and contract on a real Ganeti",
            "ganeti and not browser",
            *files_with("ganeti"),
            processes=every,  # a lab for each process
            lacking=lambda: " ".join(missing_prerequisites()),
            cores=WAITS,
        ),
        gate(
            "Tests in a browser on a real Ganeti",
            "ganeti and browser",
            *files_with("ganeti", "browser"),
            lacking=lambda: lacking_browser() or " ".join(missing_prerequisites()),
            of_browser=True,
            cores=WAITS,
        ),
        gate(
            "Deployment to one server that boots",
            "deploy and onehost",
            *files_with("onehost"),
            lacking=missing_for_servers,
            cores=WAITS,
        ),
        gate(
            "Whole installations, started, killed and stopped",
            f"{_SERVERLESS} and standalone",
            *files_with("standalone"),
            processes=every,
            cores=WAITS,
        ),
        gate(
            "Tests over a real Redis, on PostgreSQL", "redis", *files_with("redis"), environment=with_redis, cores=WAITS
        ),
        gate(
            "Pipeline, policy, updates and pages on MariaDB",
            f"{quick} and database and not long and not postgresql",
            *ON_MARIADB,
            environment=with_mariadb,
            lacking=missing_for_mariadb,
        ),
    ]


def list_deploy_gates(features_file: Path) -> list[Gate]:
    """Return all that takes servers that boot, of which `./run test` runs a part: minutes of its own."""
    command = pytest_command(features_file, "-m", "deploy", *files_with("deploy"))
    lacking = missing_for_servers
    return [Gate("Deployment to servers that boot", command, has_tests=True, lacking=lacking, is_fast=False)]


def list_container_gates(features_file: Path) -> list[Gate]:
    """Return what takes an image that is built: minutes of its own, too."""
    command = pytest_command(features_file, "-m", "container", *files_with("container"))
    lacking = missing_for_containers
    return [Gate("The image for containers", command, has_tests=True, lacking=lacking, is_fast=False)]


def list_mariadb_gates(features_file: Path) -> list[Gate]:
    """Return all of MariaDB, which `./run test` asks a part of."""
    marks = f"{_SERVERLESS} and not standalone and not long and database and not alike and not postgresql"
    command = pytest_command(features_file, "-m", marks, *spread(CORES))
    needs: dict[str, Any] = {"environment": with_mariadb, "lacking": missing_for_mariadb}
    return [Gate("Tests on MariaDB", command, has_tests=True, is_fast=False, cores=CORES, **needs)]


def list_postgresql17_gates(features_file: Path) -> list[Gate]:
    """Return what `./run test` asks of PostgreSQL 15, asked of Debian 13's."""
    marks = f"{_SERVERLESS} and not standalone and database and not alike"
    command = pytest_command(features_file, "-m", marks, *spread(CORES))
    needs: dict[str, Any] = {"environment": with_postgresql17, "lacking": missing_for_debian13}
    return [Gate("Tests on PostgreSQL 17", command, has_tests=True, is_fast=False, cores=CORES, **needs)]


def apart(command: list[str]) -> list[str]:
    """The same command with a network of its own, where this machine can have labs; elsewhere nothing comes or goes."""
    if missing_prerequisites():
        return command
    begin = 'mount -t sysfs sysfs /sys && ip link set lo up && exec "$@"'  # /sys shows the network it was mounted in
    return ["unshare", "--net", "--mount", "--", "sh", "-c", begin, "sh", *command]


def list_gates_of_change(features_file: Path, revision: str) -> list[Gate]:
    """Return what looks at the sources, and the tests that the change since a revision can reach, on SQLite."""
    sources, changed = read_sources(ROOT), changed_since(ROOT, revision)
    reached = sources.reached(changed) if changed else []
    print(f"{len(changed)} files changed since {revision}; they can reach {len(reached)} files of tests.")
    for mark in ("redis", "ganeti", "browser"):
        if found := [path for path in reached if f"mark.{mark}" in sources.texts[path] or f"tests/{mark}/" in path]:
            print(f"Not run here, as they need more ({mark}): {' '.join(found)}")
    processes = min(4, CORES)
    command = pytest_command(features_file, "-m", _SERVERLESS, *spread(processes), *reached)
    tests = Gate("Tests that the change can reach", command, has_tests=True, cores=processes)
    return [*list_quick_gates(), *([tests] if reached else [])]


@contextmanager
def with_postgresql() -> Iterator[dict[str, str]]:
    """Give tests a PostgreSQL of their own."""
    with postgresql() as url:
        yield {"GWM_TEST_DATABASE_URL": url}


@contextmanager
def with_mariadb() -> Iterator[dict[str, str]]:
    """Give tests a MariaDB of their own."""
    with mariadb() as url:
        yield {"GWM_TEST_DATABASE_URL": url}


@contextmanager
def with_postgresql17() -> Iterator[dict[str, str]]:
    """Give tests the PostgreSQL of Debian 13."""
    with postgresql_of_debian13() as url:
        yield {"GWM_TEST_DATABASE_URL": url}


@contextmanager
def with_redis() -> Iterator[dict[str, str]]:
    """Give tests a Redis and a PostgreSQL of their own."""
    with redis_server() as redis_url, postgresql() as database_url:
        yield {"GWM_TEST_REDIS_URL": redis_url, "GWM_TEST_DATABASE_URL": database_url}


def lacking_browser() -> str:
    """Say what keeps browser tests from running."""
    return "" if find_browser() else LACKING


def share_what_is_made(migrated: Path) -> None:
    """Let all processes of all gates make once what each can use: a migrated database, and compiled sources."""
    migrated.mkdir()
    os.environ["GWM_TEST_MIGRATED"] = str(migrated)
    # Tests whose assertions pytest rewrote count as compiled, too: half of what it takes to collect them.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


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
        took = f"{outcome.seconds:6.1f} s, {outcome.cpu_seconds:6.1f} s of CPU"
        print(f"{outcome.state:<8} {took}  {outcome.gate.title}{'  (' + detail + ')' if detail else ''}")
    if skipped_gates:
        print("Not asked for: " + "; ".join(gate.title for gate in skipped_gates))
    demanded = list_demanded(load_outcomes(features_file).values())
    unproven = [feature.id for feature in demanded if not feature.is_proven]
    if demands_rows or any(outcome.gate.has_tests for outcome in outcomes):
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
    alone = {
        "deploy": list_deploy_gates,
        "container": list_container_gates,
        "mariadb": list_mariadb_gates,
        "postgresql17": list_postgresql17_gates,
    }
    parser.add_argument("which", nargs="?", choices=["all", "fast", "changed", "quick", *alone], default="all")
    parser.add_argument("revision", nargs="?", default="main", help="what `changed` compares with (main)")
    parser.add_argument("--only", metavar="WORD", help="only gates with this word in their title")
    parser.add_argument("--one-by-one", action="store_true", help="no two gates at a time")
    options = parser.parse_args()
    complete = os.environ.get("CI", "").lower() in {"1", "true", "yes"} and options.which == "all"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    with tempfile.TemporaryDirectory(prefix="gwm-check-") as directory:
        os.environ["GWM_DATA_DIR"] = directory
        share_what_is_made(Path(directory) / "migrated")
        features_file = Path(directory) / "features.jsonl"
        if options.which == "changed":
            gates = list_gates_of_change(features_file, options.revision)
        else:
            gates = list_gates(features_file)
        chosen = [gate for gate in gates if gate.is_fast or options.which == "all"]
        if options.which == "quick":
            chosen = list_quick_gates()
        if options.which in alone:
            chosen = alone[options.which](features_file)
        if options.only:
            chosen = [gate for gate in chosen if options.only.lower() in gate.title.lower()]
        outcomes = run_gates(chosen, complete, 1 if options.one_by_one else CORES)
        demands_rows = complete and not options.only
        titles = {gate.title for gate in chosen}
        return summarise(outcomes, [gate for gate in gates if gate.title not in titles], features_file, demands_rows)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
