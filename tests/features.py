"""`pytest --features`: which rows of docs/features.md are proven by which passing tests, and which by none.

A test names its rows with `@pytest.mark.feature("F045")`. A row counts as proven when at least one test passed and
none failed. `--features-file FILE` adds the outcomes to a file, so that several runs can be summed up.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TABLE = Path(__file__).resolve().parent.parent / "docs" / "features.md"
_ROW = re.compile(r"^\| ([FG]\d{3}) \| (.+) \| (\w+) \|$")
_PROPERTY = "features"
#: the parts of the table that are built: each of their rows needs a passing test
DONE_PARTS = ("core", "safe", "grow", "vm", "people", "install")


@dataclass
class Feature:
    """A row of the table with the tests that ran for it."""

    id: str
    text: str
    part: str
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)

    @property
    def is_proven(self) -> bool:
        return bool(self.passed) and not self.failed


def read_table(path: Path = TABLE) -> dict[str, Feature]:
    """Read the rows of the features table, by id."""
    rows = (_ROW.match(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
    return {row[1]: Feature(row[1], row[2].split(" | ")[-1], row[3]) for row in rows if row}


def list_demanded(features: Iterable[Feature]) -> list[Feature]:
    """Return the rows of the parts that are done."""
    return [feature for feature in features if feature.part in DONE_PARTS]


def describe(features: Iterable[Feature]) -> Iterator[str]:
    """Yield the listing: proven rows with their tests, then rows of the parts that are done without a passing test."""
    features = list(features)
    for feature in features:
        if feature.passed or feature.failed:
            yield f"{feature.id} {feature.part:<8} {feature.text}"
            yield from (f"      passed  {test}" for test in sorted(feature.passed))
            yield from (f"      FAILED  {test}" for test in sorted(feature.failed))
    demanded = list_demanded(features)
    open_rows = [feature for feature in demanded if not feature.is_proven]
    yield ""
    proven = f"{len(demanded) - len(open_rows)} of {len(demanded)} rows are proven by passing tests."
    yield f"Parts {' and '.join(DONE_PARTS)}: {proven}"
    for feature in open_rows:
        reason = "a test fails" if feature.failed else "its tests were skipped" if feature.skipped else "no test"
        yield f"  without: {feature.id} ({reason}) {feature.text}"


def load_outcomes(path: Path) -> dict[str, Feature]:
    """Sum up what several runs added to a file."""
    features = read_table()
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        outcome = json.loads(line)
        getattr(features[outcome["feature"]], outcome["outcome"]).add(outcome["test"])
    return features


class FeatureListing:
    """Collects outcomes by row during one run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the worst outcome of a test's phases."""
        rows = dict(report.user_properties).get(_PROPERTY, ())
        for row in rows:
            key = (row, report.nodeid)
            if report.failed or (report.skipped and self.outcomes.get(key) != "failed"):
                self.outcomes[key] = report.outcome
            elif report.when == "call":
                self.outcomes.setdefault(key, "passed")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the listing, and add to the file when there is one."""
        if path := self.config.getoption("features_file"):
            lines = [
                json.dumps({"feature": row, "test": test, "outcome": outcome}) + "\n"
                for (row, test), outcome in self.outcomes.items()
            ]
            # in one piece: other runs add to the file at the same time
            with Path(path).open("ab", buffering=0) as stream:
                stream.write("".join(lines).encode())
        if self.config.getoption("features"):
            features = read_table()
            for (row, test), outcome in self.outcomes.items():
                getattr(features[row], outcome).add(test)
            terminalreporter.section("features")
            for line in describe(features.values()):
                terminalreporter.write_line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --features and --features-file."""
    group = parser.getgroup("features")
    group.addoption("--features", action="store_true", help="list the rows of docs/features.md and their tests")
    group.addoption("--features-file", metavar="FILE", help="add the outcomes by row to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Collect in the process that reports, not in xdist's workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FeatureListing(config), "feature-listing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hand the rows of each test to its reports; a row that does not exist is an error."""
    known = read_table()
    unknown: dict[str, list[str]] = defaultdict(list)
    for item in items:
        rows = sorted({row for mark in item.iter_markers("feature") for row in mark.args})
        for row in rows:
            if row not in known:
                unknown[row].append(item.nodeid)
        item.user_properties.append((_PROPERTY, rows))
    if unknown:
        raise pytest.UsageError(f"No such row in docs/features.md: {dict(unknown)}")
