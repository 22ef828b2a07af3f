"""Reading the journal. Who may see which entry is decided above, where the objects are known."""

from django.db.models import QuerySet

from objectlog.models import OPEN_OUTCOMES, Entry, Outcome


def list_entries() -> QuerySet[Entry]:
    """All entries, newest first."""
    return Entry.objects.select_related("actor")


def list_entries_about(kind: str, pk: int) -> QuerySet[Entry]:
    """The entries about one object, newest first."""
    return list_entries().filter(target_kind=kind, target_pk=pk)


def list_open_entries(cluster_name: str) -> QuerySet[Entry]:
    """The entries of a cluster whose outcome may still change by itself."""
    return Entry.objects.filter(outcome__in=OPEN_OUTCOMES, cluster_name=cluster_name)


def list_unanswered_entries(cluster_name: str) -> QuerySet[Entry]:
    """Entries that were sent, or were about to be, and of which Ganeti's answer is not known."""
    return Entry.objects.filter(outcome__in=[Outcome.SUBMITTING, Outcome.UNKNOWN], cluster_name=cluster_name)
