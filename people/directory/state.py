"""Whether the directory answered when it was asked last: for the page "Health"."""

from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.utils import timezone

_KEPT_AS = "gwm:directory"
_RENEWED = "gwm:directory-renewed"
_NOT_BEFORE_S = 60


@dataclass(frozen=True)
class State:
    """What came of asking it, and when; `problem` is empty if it answered."""

    at: datetime
    problem: str = ""
    is_check: bool = False


def read_state() -> State | None:
    """What is known; None if it was not asked yet."""
    found: State | None = cache.get(_KEPT_AS)
    return found


def note_answer() -> None:
    """It answered. Written once a minute, and at once if it did not answer before; what a check found stays."""
    before = read_state()
    if before is not None and before.is_check and before.problem:
        return
    if before is None or before.problem or cache.add(_RENEWED, "", _NOT_BEFORE_S):
        cache.set(_KEPT_AS, State(timezone.now()), None)


def note_no_answer(problem: str) -> None:
    """It did not, or would not."""
    cache.set(_KEPT_AS, State(timezone.now(), problem), None)


def note_check(problem: str) -> None:
    """A check came to its end, with this to say, if anything."""
    cache.set(_KEPT_AS, State(timezone.now(), problem, is_check=bool(problem)), None)
