"""Reading the journal. Who may see which entry is decided above, where the objects are known."""

from django.db.models import QuerySet

from objectlog.models import Entry, Outcome


def list_entries() -> QuerySet[Entry]:
    """All entries, newest first."""
    return Entry.objects.select_related("actor")


def list_unanswered_entries(cluster_pk: int) -> QuerySet[Entry]:
    """Entries that were sent, or were about to be, and of which Ganeti's answer is not known."""
    return Entry.objects.filter(outcome__in=[Outcome.SUBMITTING, Outcome.UNKNOWN], cluster_pk=cluster_pk)
