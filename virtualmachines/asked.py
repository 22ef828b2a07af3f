"""Machines that somebody asked for. The app that keeps what was asked for is above this one, and tells it here."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from objectlog.models import OPEN_OUTCOMES, Entry
from objectlog.words import gettext as _
from operations.contract import Refusal
from permissions.models import User
from quotas.selectors import find_claim_of_request
from quotas.services import claim_request
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


def claim_asked(user: User, number: str, by: UUID) -> None:
    """Let one creation, or one plan of several, be under way for the request with this number. Raises Refusal.

    In the transaction that writes the creation's entry: until that has ended nobody else can claim it.
    """
    before = find_claim_of_request(number)
    if before == by:
        return
    if find_asked(user, number) is None:
        raise Refusal(_("Request %s is decided already, or not yours to decide.") % number[:20])
    if is_being_made(number) or not claim_request(int(number), by, instead_of=before):
        raise Refusal(_("A machine is being created for request %s already.") % number)


def answer_asked(entry: Entry) -> None:
    """The machine of this creation is there: the request that it was made for is answered, by who made it.

    Of several machines the first answers. If it was decided meanwhile, or is not theirs to decide any more, nothing is
    done about it.
    """
    number = str(entry.params.get("asked") or "")
    asked = find_asked(entry.actor, number) if number and entry.actor is not None else None
    if asked is not None:
        asked.answer(entry)
