"""Waiting on conditions that no locator can express, and on pages in rest, which only a reload renews."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
#: Everything that is waited for comes by itself; this only ends a test of what hangs, however busy the machine is.
PATIENCE_S = 180.0
PATIENCE_MS = 1000 * PATIENCE_S


def wait_for(
    page: Any, condition: Callable[[], T], what: str, *, every_ms: int = 100, timeout_s: float = PATIENCE_S
) -> T:
    """The condition's value as soon as it is true; between two looks the browser's events go on."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"in vain for {timeout_s:.0f} s: {what}")
        page.wait_for_timeout(every_ms)
    return value


def wait_for_script(page: Any, script: str) -> None:
    """Until a script's value is true; `wait_for_function` is refused by the content policy from the second look on."""
    wait_for(page, lambda: page.evaluate(script), script)


def reload_until(
    page: Any, place: Any, pattern: str = "", *, gone: bool = False, timeout_s: float = PATIENCE_S
) -> None:
    """Load the page anew, as a person does, until a place on it is there, with such a text (or is gone).

    Not right after a click that leads to another page: wait for something of that page first.
    """

    def seen() -> bool:
        page.reload()
        texts = place.all_inner_texts()
        return any(re.search(pattern, text) for text in texts) != gone

    wait_for(page, seen, f"{place} {'gone' if gone else pattern}", every_ms=1000, timeout_s=timeout_s)
