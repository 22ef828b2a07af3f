"""What all tests share. Fixtures live in plugins beside the tests that need them most."""

import os

from hypothesis import settings

# How long an example takes depends on how busy the machine is. A complete run tries three times as many.
examples = 100 if os.environ.get("GWM_TEST_COMPLETE") else 30
settings.register_profile("however busy", deadline=None, max_examples=examples)
settings.load_profile("however busy")

pytest_plugins = [
    *["tests.features", "tests.processes.migrated", "tests.servers", "tests.collecting", "tests.reporting"],
    *["tests.fixtures.numbering", "tests.fixtures.simulator", "tests.fixtures.undoing"],
    *["tests.browser.chromium", "tests.ganeti.plugin"],
]
