"""What many machines that are judged together share is read once: of their cluster, and what somebody may there."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_read: ContextVar[dict[Hashable, Any] | None] = ContextVar("read", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """While it lasts, and no longer: for one answer, never for what is done. Within another it is that one."""
    if _read.get() is not None:
        yield
        return
    before = _read.set({})
    try:
        yield
    finally:
        _read.reset(before)


def judges_many() -> bool:
    """Whether many are judged, each after those before it, and nothing is done."""
    return _read.get() is not None


def read_once(what: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives; while many are judged what it gave for the first of them."""
    kept = _read.get()
    if kept is None:
        return read()
    if what not in kept:
        kept[what] = read()
    found: T = kept[what]
    return found
