"""One Chromium for all tests of a process that need a browser, which run last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools.browser import LACKING, find_browser

FLAGS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"],
    *["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    "--in-process-gpu",  # a process less to talk to: a tenth of the time
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Playwright's event loop stays with the thread to the session's end; Django's ORM refuses to work beside it."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium as Debian packages it."""
    program = find_browser()
    if program is None:
        pytest.fail(f"A browser is demanded (GWM_TEST_COMPLETE). {LACKING}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()
