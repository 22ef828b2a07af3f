"""Whose eyes the journal is for."""

from django.db.models import F, Q, QuerySet

from objectlog.models import Event
from objectlog.selectors import list_events
from permissions.kinds import KINDS
from permissions.models import User
from permissions.policy import among, can, can_somewhere, visible
from ui.listed import OfFew

# Of so many that somebody may read the keys are read; of more the newest are soon found among all.
MOST = 5000


def list_visible_events(user: User) -> QuerySet[Event]:
    """The events `user` may read: their own, those about what they are admin of; all of them if they may see all."""
    events = list_events()
    if can(user, "see_journal_of_all"):
        return events
    condition = Q(actor=user)
    for kind in KINDS.values():
        if kind.journal:
            theirs = visible(user, kind.journal, kind.model._default_manager.order_by()).values("pk")
            condition |= Q(target_kind=kind.name, target_pk__in=theirs)
    return events.filter(condition)


def read_few_visible_events(user: User) -> QuerySet[Event] | None:
    """The same by their keys, if they are few of all: no database finds the newest of few for all these reasons, but
    goes past all others until enough have come by. None if they are many, as with a right on a whole cluster. One query
    where that is not known beforehand."""
    if can(user, "see_journal_of_all") or can_somewhere(user, KINDS["cluster"].journal, KINDS["cluster"].model):
        return None
    rows = Event.objects.order_by().values_list("pk")  # an index tells these: to find that they are many takes little
    ways = [Q(actor=user)]
    for kind in reversed(KINDS.values()):  # machines first: where they are many, it is known without the jobs
        if kind.journal:
            theirs = visible(user, kind.journal, kind.model._default_manager.order_by()).values("pk")
            ways.append(Q(target_kind=kind.name) & Q(OfFew(F("target_pk"), theirs)))
    first, *others = (rows.filter(way) for way in ways)
    found = list(first.union(*others, all=True)[: MOST + 1])
    return list_events().filter(among({pk for (pk,) in found})) if len(found) <= MOST else None
