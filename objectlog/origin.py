"""From which address something is asked for, known for as long as its request is answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ADDRESS: ContextVar[str] = ContextVar("address", default="")


@contextmanager
def asked_from(address: str) -> Iterator[None]:
    """What is written into the journal meanwhile says so."""
    before = _ADDRESS.set(address)
    try:
        yield
    finally:
        _ADDRESS.reset(before)


def find_origin() -> str:
    """The address; empty for what no request asks for: the command line, workers, updates."""
    return _ADDRESS.get()
