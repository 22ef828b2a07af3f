"""Which clusters are due, and handing each to the workers once."""

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from clusters.models import Cluster, Job, Schedule
from objectlog.models import OPEN_OUTCOMES, Entry
from operations.clock import left_ahead

# A message that no worker took in this time is taken for lost; should it come after all, it finds nothing to do.
QUEUED_S = 20.0
# How many clusters in trouble are tried at the same time: each may hold a worker's thread for a whole time-out.
IN_TROUBLE_AT_ONCE = 2


def select_due() -> QuerySet[Schedule]:
    """Clusters to be updated now, the longest overdue first: their time has come, or somebody asked for it."""
    now = timezone.now()
    due = (
        Q(next_sync_at__isnull=True)
        | Q(next_sync_at__lte=now)
        | Q(attempted_at__isnull=True)
        | (Q(sync_wanted_at__gt=F("attempted_at")) & ~left_ahead("sync_wanted_at"))
        | left_ahead("attempted_at")
    )
    return Schedule.objects.filter(due, _lapsed("leased_until", 0), _lapsed("sync_queued_at", QUEUED_S)).order_by(
        F("next_sync_at").asc(nulls_first=True)
    )


def select_to_follow() -> QuerySet[Schedule]:
    """Clusters that answer and have jobs or operations under way."""
    jobs = Job.objects.filter(cluster=OuterRef("pk")).exclude(status__in=Job.FINAL)
    entries = Entry.objects.filter(cluster_pk=OuterRef("pk"), outcome__in=OPEN_OUTCOMES)
    return Schedule.objects.filter(
        Exists(jobs) | Exists(entries),
        _lapsed("follow_leased_until", 0),
        _lapsed("follow_queued_at", QUEUED_S),
        failures=0,
        synced_at__isnull=False,
    )


def claim_due() -> list[int]:
    """Mark the due clusters as handed over and return their keys; nobody else gets the same ones."""
    _add_missing()
    due = list(select_due().values_list("pk", "failures"))
    if not due:
        return []
    now = timezone.now()
    under_way = ~_lapsed("leased_until", 0) | ~_lapsed("sync_queued_at", QUEUED_S)
    room = IN_TROUBLE_AT_ONCE - Schedule.objects.filter(under_way, failures__gt=0).count()
    claimed = []
    for pk, failures in due:
        if failures:
            if room <= 0:
                continue
            room -= 1
        mine = Schedule.objects.filter(_lapsed("sync_queued_at", QUEUED_S), pk=pk).update(sync_queued_at=now)
        claimed += [pk] * mine
    return claimed


def claim_to_follow() -> list[int]:
    """The same for the job follower."""
    now = timezone.now()
    claimed = []
    for pk in list(select_to_follow().values_list("pk", flat=True)):
        mine = Schedule.objects.filter(_lapsed("follow_queued_at", QUEUED_S), pk=pk).update(follow_queued_at=now)
        claimed += [pk] * mine
    return claimed


def bring_forward(cluster: Cluster, *, within_s: float = 0.0) -> None:
    """Have the next update in so many seconds at the latest; one in trouble is not tried more often for it."""
    then = timezone.now() + timedelta(seconds=within_s)
    Schedule.objects.filter(pk=cluster.pk, failures=0, next_sync_at__gt=then).update(next_sync_at=then)


def _add_missing() -> None:
    """A process of the release before, which knows no schedules, may add a cluster while this one is installed."""
    without = Cluster.objects.filter(schedule__isnull=True).values_list("pk", flat=True)
    Schedule.objects.bulk_create([Schedule(cluster_id=pk) for pk in without], ignore_conflicts=True)


def _lapsed(column: str, after_s: float) -> Q:
    """The column is empty, or its time lies so many seconds back, or cannot be right."""
    back = Q(**{f"{column}__lt": timezone.now() - timedelta(seconds=after_s)})
    return Q(**{f"{column}__isnull": True}) | back | left_ahead(column)
