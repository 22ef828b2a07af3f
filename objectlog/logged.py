"""What a line of the log is about, known for as long as that goes on: the request, the entry, the task."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NONE: Mapping[str, object] = MappingProxyType({})
_IDS: ContextVar[Mapping[str, object]] = ContextVar("logged_with", default=_NONE)


@contextmanager
def logged_with(**ids: object) -> Iterator[None]:
    """Lines that are logged meanwhile have these, and those of what this is a part of. What can be called is asked when
    a line is logged; None is left out."""
    before = _IDS.set({**_IDS.get(), **ids})
    try:
        yield
    finally:
        _IDS.reset(before)


def read_ids() -> dict[str, str | int]:
    """What the line that is logged now is about."""
    found = {name: value() if callable(value) else value for name, value in _IDS.get().items()}
    return {name: value if isinstance(value, int) else str(value) for name, value in found.items() if value is not None}
