"""Reading the journal. Who may see which event is decided above, where the objects are known."""

from django.db.models import QuerySet

from objectlog.models import Entry, Event, Outcome


def list_events() -> QuerySet[Event]:
    """All events, newest first; in what is not yet sealed the seal is empty."""
    return Event.objects.defer("said", "previous")


def list_unanswered_entries(cluster_pk: int) -> QuerySet[Entry]:
    """Entries that were sent, or were about to be, and of which Ganeti's answer is not known."""
    return Entry.objects.filter(outcome__in=[Outcome.SUBMITTING, Outcome.UNKNOWN], cluster_pk=cluster_pk)
