"""Python does not look for garbage among what pytest collects: thousands of tests that stay to the end.

Later it looks for it seldom: looking each 700 objects, as it does by itself, takes time that no test has use of.
"""

import gc
from collections.abc import Generator

import pytest

SELDOM = 1_000_000  # objects


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without looking for garbage, and leave them out of every later look."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(SELDOM)
        gc.enable()
