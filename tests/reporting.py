"""What a worker tells the process that sums a run up: of a test that went well its outcome, and nothing else.

By itself it tells of each test that it begins, that it was set up, that it passed, that it was taken down and that it
ended: five messages, which two processes pack, send, unpack and throw away.
"""

import pytest
from _pytest.runner import runtestprotocol


def pytest_configure(config: pytest.Config) -> None:
    """In workers only: where tests run in one process, nothing is sent."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(), "outcomes")


class Outcomes:
    """Runs a test as pytest does, and reports what somebody reads."""

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """The report of the test itself, and of its surroundings what went wrong or was skipped."""
        for report in runtestprotocol(item, log=False, nextitem=nextitem):
            if report.when == "call" or not report.passed:
                item.ihook.pytest_runtest_logreport(report=report)
        return True
