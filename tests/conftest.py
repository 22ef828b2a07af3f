"""What all tests share. Fixtures live in plugins beside the tests that need them most."""

from hypothesis import settings

# How long an example takes depends on how busy the machine is.
settings.register_profile("however busy", deadline=None)
settings.load_profile("however busy")

pytest_plugins = [
    *["tests.features", "tests.processes.migrated", "tests.servers", "tests.collecting", "tests.reporting"],
    *["tests.fixtures.numbering", "tests.fixtures.simulator", "tests.fixtures.undoing"],
    *["tests.browser.chromium", "tests.ganeti.plugin"],
]
