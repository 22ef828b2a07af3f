"""Machines that somebody asked for. The app that keeps what was asked for is above this one, and tells it here."""

from collections.abc import Callable
from dataclasses import dataclass

from objectlog.models import OPEN_OUTCOMES, Entry
from permissions.models import User
from virtualmachines.spec import VMSpec


@dataclass(frozen=True)
class Asked:
    """What the form of a new machine is filled in with, and what is done with the entry of its creation.

    `answer` is called in the transaction in which the creation is known to have succeeded.
    """

    number: str
    cluster: str
    spec: VMSpec
    owner: str
    answer: Callable[[Entry], None]


Finder = Callable[[User, str], Asked | None]
_FINDERS: list[Finder] = []


def find_with(finder: Finder) -> None:
    """Where requests are found that wait for an answer, by who decides on them and by their numbers."""
    _FINDERS.append(finder)


def find_asked(user: User, number: str) -> Asked | None:
    """The request with this number, if it waits for `user` to decide."""
    return next((found for finder in _FINDERS if (found := finder(user, number)) is not None), None) if number else None


def is_being_made(number: str) -> bool:
    """Whether a creation for the request with this number is under way."""
    return Entry.objects.filter(verb="vm.create", outcome__in=OPEN_OUTCOMES, params__asked=number).exists()


def answer_asked(entry: Entry) -> None:
    """The machine of this creation is there: the request that it was made for is answered, by who made it.

    Of several machines the first answers. If it was decided meanwhile, or is not theirs to decide any more, nothing is
    done about it.
    """
    number = str(entry.params.get("asked") or "")
    asked = find_asked(entry.actor, number) if number and entry.actor is not None else None
    if asked is not None:
        asked.answer(entry)
