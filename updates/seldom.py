"""What is read seldom, after an update: it changes seldom, or Ganeti asks all nodes for it."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from clusters.connection import client_for
from clusters.models import Cluster, Schedule
from clusters.sync.exports import refresh_exports, take_turn
from clusters.sync.readings import Readings
from rapi.errors import RapiError
from updates.report import Report

_OS_EVERY = timedelta(days=1)


def read_what_seldom_changes(cluster: Cluster, report: Report) -> None:
    """As far as it is due, and not in the first update."""
    if cluster.synced_at is None:
        return
    _list_operating_systems(cluster, report)
    _list_exports(cluster, report)


def _list_operating_systems(cluster: Cluster, report: Report) -> None:
    """Once a day: Ganeti runs a job for it. What fails is tried again in an hour."""
    now = timezone.now()
    is_old = Q(operating_systems_at__isnull=True) | Q(operating_systems_at__lt=now - _OS_EVERY)
    read_at = cluster.schedule.operating_systems_at
    if read_at is not None and read_at > now - _OS_EVERY:
        return
    row = Schedule.objects.filter(pk=cluster.pk)
    if not row.filter(is_old).update(operating_systems_at=now):
        return
    try:
        with client_for(cluster) as client:
            names = sorted(client.list_os())
    except RapiError:
        row.update(operating_systems_at=now - _OS_EVERY + timedelta(hours=1))
        return
    Cluster.objects.filter(pk=cluster.pk).exclude(operating_systems=names).update(operating_systems=names)
    report.rapi_calls += client.calls


def _list_exports(cluster: Cluster, report: Report) -> None:
    """Once an hour, and after each job that makes or removes one."""
    if not take_turn(cluster):
        return
    with client_for(cluster) as client:
        refresh_exports(cluster, Readings(client))
    report.rapi_calls += client.calls
