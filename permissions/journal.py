"""Whose eyes the journal is for."""

from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from objectlog.models import Event
from objectlog.selectors import list_events
from permissions.kinds import KINDS
from permissions.models import User
from permissions.policy import among, can, can_somewhere, count_read_ahead, means_visible, read_ahead

# Of so many that somebody may read the keys are read; of more the newest are soon found among all.
MOST = 5000
# Of so many objects it is looked among the newest first.
MANY = 500


def list_visible_events(user: User) -> QuerySet[Event]:
    """The events `user` may read: their own, those about what they are admin of; all of them if they may see all."""
    events = list_events()
    return events if can(user, "see_journal_of_all") else events.filter(reduce(or_, ways_to_read(user)))


def read_few_visible_events(user: User) -> QuerySet[Event] | None:
    """The same by their keys, if they are few of all: no database finds the newest of few for all these reasons, but
    goes past all others until enough have come by. None if they are many, as with a right on a whole cluster. One query
    where that is not known beforehand."""
    if can(user, "see_journal_of_all") or can_somewhere(user, KINDS["cluster"].journal, KINDS["cluster"].model):
        return None
    rows = Event.objects.order_by().values_list("pk")  # an index tells these: to find that they are many takes little
    first, *others = (rows.filter(way) for way in ways_to_read(user, looked_up=True))
    found = list(first.union(*others, all=True)[: MOST + 1])
    return list_events().filter(among({pk for (pk,) in found})) if len(found) <= MOST else None


def reads_of_many(user: User) -> bool:
    """Whether, as far as that was read ahead, somebody may read what was done to so many objects that events about them
    come by often."""
    return any(kind.journal and count_read_ahead(user, kind.journal, kind.model) > MANY for kind in KINDS.values())


def ways_to_read(user: User, *, looked_up: bool = False) -> list[Q]:
    """Why somebody may read an event; what nothing can be held of is left out."""
    # Machines first: where they are many, it is known without the jobs.
    kinds = [kind for kind in reversed(KINDS.values()) if kind.journal]
    read_ahead(user, [(kind.journal, kind.model) for kind in kinds])
    ways = [Q(actor=user)]
    for kind in kinds:
        about = means_visible(user, kind.journal, kind.model, "target_pk", looked_up=looked_up)
        ways += [Q(target_kind=kind.name) & about] if about is not None else []
    return ways
