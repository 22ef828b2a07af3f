"""Machines that somebody asked for. The app that keeps what was asked for is above this one, and tells it here."""

from collections.abc import Callable
from dataclasses import dataclass

from objectlog.models import Entry
from operations.contract import Actor
from permissions.models import User
from virtualmachines.spec import VMSpec


@dataclass(frozen=True)
class Asked:
    """What the form of a new machine is filled in with, and what is done with the entry of its creation.

    `answer` raises what the pipeline raises.
    """

    number: str
    cluster: str
    spec: VMSpec
    owner: str
    answer: Callable[[Actor, Entry], None]


Finder = Callable[[User, str], Asked | None]
_FINDERS: list[Finder] = []


def find_with(finder: Finder) -> None:
    """Where requests are found that wait for an answer, by who decides on them and by their numbers."""
    _FINDERS.append(finder)


def find_asked(user: User, number: str) -> Asked | None:
    """The request with this number, if it waits for `user` to decide."""
    return next((found for finder in _FINDERS if (found := finder(user, number)) is not None), None) if number else None
