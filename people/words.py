"""What people type on the command line: somebody, and something of the kinds there are."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Model
from django.http import Http404

from clusters.moved import Moved
from operations.contract import SITE, Site
from permissions.access import VIEW
from permissions.kinds import KINDS, Kind
from permissions.models import User
from permissions.policy import access_of
from permissions.selectors import find_user

EVERYTHING = "everything"


def read_person(name: str) -> User:
    """By user name. CommandError."""
    found = find_user(name)
    if found is None:
        raise CommandError(f"There is no user “{name}”.")
    return found


def read_object(text: str, kinds: Iterable[Kind], user: User | None) -> Model:
    """What is called so and is of one of the kinds, among what `user` may see (None: all there is). CommandError."""
    try:
        return find_object(text, kinds, user)
    except LookupError as error:
        raise CommandError(str(error.args[0])) from error


def find_object(text: str, kinds: Iterable[Kind], user: User | None) -> Model:
    """The same. LookupError.

    What is there comes before what had the name once: of that one only the address now is told.
    """
    moved = ""
    for kind in kinds:
        where = kind.parse(text)
        if where is None:
            continue
        rows: Any = kind.model._default_manager.all() if user is None else kind.rows(user)
        try:
            found: Model = kind.pick(rows, **where)
        except Moved as elsewhere:
            moved = moved or str(elsewhere)
        except Http404:
            continue
        else:
            return found
    seen = f" that {user} may see" if user is not None else ""
    raise LookupError(moved or f"There is no {text}{seen}.")


def read_grantable(actor: User, text: str) -> Any:
    """CLUSTER, CLUSTER/MACHINE, @TEAM or "everything", among what the actor may see. CommandError."""
    if text == EVERYTHING:
        return SITE
    return read_object(text, [kind for kind in KINDS.values() if kind.grantable], actor)


def read_any(text: str) -> Model | None:
    """Whatever there is, for who runs the service; None is everything. CommandError."""
    return None if text == EVERYTHING else read_object(text, KINDS.values(), None)


def list_kinds_with_rights() -> list[Kind]:
    """The kinds of which something can be held, and explained: not people, nor what belongs to their accounts."""
    return [kind for kind in KINDS.values() if access_of(kind.model).every - {VIEW}]


def list_typed(kinds: Iterable[Kind]) -> str:
    """How objects of these kinds are typed."""
    return ", ".join(dict.fromkeys(kind.typed for kind in kinds))


def name_of(obj: Model | Site) -> str:
    """As it was typed, more or less."""
    return EVERYTHING if isinstance(obj, Site) else str(obj)
