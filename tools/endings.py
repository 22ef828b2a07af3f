"""Being told to end, for programs that have something to take down first."""

from __future__ import annotations

import signal

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_in_order() -> None:
    """From now on a signal to end leaves this program by SystemExit, so that every `finally` runs."""

    def leave(number: int, _: object) -> None:
        ignore_endings()  # who is impatient must not cut short what takes things down
        raise SystemExit(128 + number)

    for each in ENDINGS:
        signal.signal(each, leave)


def ignore_endings() -> None:
    """From now on a signal to end does nothing: what is left to do is to take down."""
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
