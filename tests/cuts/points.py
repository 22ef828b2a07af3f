"""Where whoever carries out an operation can die or be cut off, and what is to be said of it then, and in the end."""

from __future__ import annotations

from dataclasses import dataclass

from objectlog.models import Outcome


@dataclass(frozen=True)
class Point:
    """A step. `dies_in`: the hook of the operation in which the process dies; `fault`: what befalls the call instead.

    `now` and `later` are the outcomes of the entry (None: there is none) before and after somebody looked into it,
    `jobs` how many jobs Ganeti has of it.
    """

    name: str
    now: Outcome | None
    later: Outcome | None
    jobs: int
    dies_in: str = ""
    fault: str = ""


POINTS = {
    point.name: point
    for point in (
        # in the first transaction, when all is judged, and what it takes is taken
        Point("claim", None, None, 0, dies_in="claim"),
        # the entry is written, nothing is sent
        Point("send", Outcome.SUBMITTING, Outcome.NOT_SUBMITTED, 0, dies_in="send"),
        # the line is cut before Ganeti has it, and before its answer is here
        Point("unsent", Outcome.UNKNOWN, Outcome.NOT_SUBMITTED, 0, fault="drop"),
        Point("unheard", Outcome.UNKNOWN, Outcome.SUCCEEDED, 1, fault="drop_after"),
        Point("refused", Outcome.REFUSED, Outcome.REFUSED, 0, fault="refuse"),
        # answered, and nothing of it is written down, or half of it
        Point("sent", Outcome.SUBMITTING, Outcome.SUCCEEDED, 1, dies_in="sent"),
        Point("accept", Outcome.SUBMITTING, Outcome.SUCCEEDED, 1, dies_in="accept"),
        # written down; who follows the job dies amid settling
        Point("settle", Outcome.SUBMITTED, Outcome.SUCCEEDED, 1, dies_in="settle"),
    )
}


@dataclass(frozen=True)
class Case:
    """An operation, and where it ends early; on a machine of its own."""

    key: str
    point: Point

    @property
    def machine(self) -> str:
        """Its name."""
        return f"{self.key.replace('.', '-')}-{self.point.name}.example.org"

    def __str__(self) -> str:
        return f"{self.key}-{self.point.name}"
