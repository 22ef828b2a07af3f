"""Reading the journal. Who may see which event is decided above, where the objects are known."""

import json
from ipaddress import ip_address

from django.db.models import Q, QuerySet

from objectlog.canonical import VERSION
from objectlog.models import Entry, Event, Outcome


def list_events() -> QuerySet[Event]:
    """All events, newest first; in what is not yet sealed the seal is empty."""
    return Event.objects.defer("said", "previous")


def by_way(via: str) -> Q:
    """Which events came about by a way. It stands in the canonical text alone: nothing else of it can look like that,
    with what the keys before and after are, as a mark inside a value is written otherwise."""
    return Q(text__contains=f'"version":{VERSION},"via":{_written(via)},"words":')


def by_origin(address: str) -> Q:
    """Which events were asked for from an address, or from one that begins so."""
    try:
        whole = _written(str(ip_address(address)))
    except ValueError:
        return Q(text__contains=f'"from":{_written(address.lower())[:-1]}')  # whatever comes before the closing mark
    return Q(text__contains=f'"from":{whole},"job_ids":')


def _written(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def list_unanswered_entries(cluster_pk: int) -> QuerySet[Entry]:
    """Entries that were sent, or were about to be, and of which Ganeti's answer is not known."""
    return Entry.objects.filter(outcome__in=[Outcome.SUBMITTING, Outcome.UNKNOWN], cluster_pk=cluster_pk)
