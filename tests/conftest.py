"""What all tests share. Fixtures live in plugins beside the tests that need them most."""

pytest_plugins = [
    *["tests.features", "tests.processes.migrated", "tests.servers", "tests.collecting"],
    *["tests.fixtures.simulator", "tests.fixtures.undoing", "tests.browser.chromium", "tests.ganeti.plugin"],
]
