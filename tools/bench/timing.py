"""Timing that a busy machine does not spoil: several runs in turns, and their medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

# An action as slow as this needs no repetition to be told apart, and a table that takes an hour is never made.
LONG_S = 5.0


def median_times_s(
    actions: Mapping[str, Callable[[], object]], *, runs: int = 5, budget_s: float = 40.0, long_s: float = LONG_S
) -> dict[str, float]:
    """Median wall time of every action, in seconds.

    The actions take turns, so that a slow minute of the machine hits all of them alike and their ratios stay true. The
    first round warms up and does not count, except for actions that take longer than ``long_s``: those run this once.
    After ``budget_s`` no further round begins, but two always count.
    """
    taken: dict[str, list[float]] = {name: [] for name in actions}

    def run(name: str) -> float:
        began = time.perf_counter()
        actions[name]()
        return time.perf_counter() - began

    first = {name: run(name) for name in actions}
    long = {name: took for name, took in first.items() if took > long_s}
    end = time.monotonic() + budget_s
    for done in range(runs):
        if done >= 2 and time.monotonic() > end:
            break
        for name in actions:
            if name not in long:
                taken[name].append(run(name))
    return long | {name: statistics.median(times) for name, times in taken.items() if times}
