"""The list of exports: when it is due, and what is kept of it."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from clusters.models import Cluster, ExportList, Job, Node, Schedule
from clusters.saying import say
from clusters.sync.readings import Readings
from rapi.errors import RapiError

_EVERY = timedelta(hours=1)
_CHANGING = frozenset({"OP_BACKUP_EXPORT", "OP_BACKUP_REMOVE"})


def take_turn(cluster: Cluster) -> bool:
    """Whether the list is due; of two that ask at once one is told so."""
    now, asked_at = timezone.now(), cluster.schedule.exports_at
    if asked_at is not None and asked_at > now - _EVERY:
        return False
    is_due = Q(exports_at__isnull=True) | Q(exports_at__lt=now - _EVERY)
    return bool(Schedule.objects.filter(is_due, pk=cluster.pk).update(exports_at=now))


def refresh_exports(cluster: Cluster, readings: Readings) -> None:
    """Read the list. What a node kept that does not answer now it keeps still; what can't be read stays as it was."""
    row, _is_new = ExportList.objects.get_or_create(cluster=cluster)
    try:
        found = {(each.name, each.node) for each in readings.read_exports()}
    except RapiError as error:
        row.error = say(error)
        row.save(update_fields=["error"])
        return
    nodes = Node.objects.filter(cluster=cluster, missing_since=None)
    silent = set(nodes.filter(Q(offline=True) | Q(answers=False)).values_list("name", flat=True))
    found |= {(name, node) for node, name in row.exports if node in silent}
    row.exports = [[node, name] for name, node in sorted(found)]
    row.error, row.read_at = "", timezone.now()
    row.save(update_fields=["exports", "error", "read_at"])


def note_exports(cluster: Cluster, ended: Iterable[Job]) -> None:
    """After jobs that make or remove exports, whoever asked for them, the list is due."""
    if any(isinstance(op, dict) and op.get("OP_ID") in _CHANGING for job in ended for op in job.opcodes):
        Schedule.objects.filter(pk=cluster.pk).update(exports_at=None)
