"""Room for the frames of what one request, or one task, calls.

CPython keeps the frames of calls in chunks of 16 KiB (Python/pystate.c, `push_chunk`). A call that crosses the end of
one takes a chunk from the operating system, and its return gives it back: where a page's loops happen to stand at such
an end, that is a third of the processor time of the page. A call whose own frame is large gets a chunk that is the next
power of two, and what it calls stands in the rest of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# In values of 8 bytes: 144 of 256 KiB, so that 112 KiB are left. Nothing is written to what is not used of it.
_STACK_VALUES = 18_000


def call_with_room(function: Callable[[Any], Any], argument: Any) -> Any:
    """What the function returns."""
    return function(argument)


call_with_room.__code__ = call_with_room.__code__.replace(co_stacksize=_STACK_VALUES)
