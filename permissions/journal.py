"""Whose eyes the journal is for."""

from django.db.models import Q, QuerySet

from objectlog.models import Event
from objectlog.selectors import list_events
from permissions.kinds import KINDS
from permissions.models import User
from permissions.policy import can, visible


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
