"""What was deleted here: its URL says so to who may know, and its row is not made anew."""

from datetime import datetime

from django.http import Http404
from django.utils.translation import gettext as _

from clusters.models import Cluster
from clusters.moved import current_cluster
from clusters.sync.rows import Plan
from objectlog.models import Entry, Outcome
from permissions.models import User
from permissions.policy import can

DELETE = "vm.delete"


class Deleted(Http404):
    """It was deleted, by this entry of the journal. Answered by `gwm.redirects`; 404 where nobody does."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(_("%s was deleted.") % entry.target_name)
        self.entry = entry


def explain_gone(user: User, slug: str, name: str) -> Deleted | None:
    """What became of it, for who deleted it and for who may read the whole journal."""
    cluster = current_cluster(slug)
    if cluster is None:
        return None
    entries = Entry.objects.all() if can(user, "see_journal_of_all") else Entry.objects.filter(actor=user)
    found = entries.filter(cluster_pk=cluster.pk, verb=DELETE, outcome=Outcome.SUCCEEDED, target_kind="vm")
    by_uuid, by_name = (
        found.filter(**which).order_by("-pk") for which in ({"target_uuid": name}, {"target_name": name})
    )
    entry = by_uuid.first() or by_name.first()
    return Deleted(entry) if entry is not None else None


def leave_out_deleted(cluster: Cluster, plan: Plan, read_from: datetime) -> None:
    """Take from the plan what was deleted since the reading began that it rests on. Under the lock of writers."""
    if not plan.new:
        return
    deleted = Entry.objects.filter(
        cluster_pk=cluster.pk, verb=DELETE, outcome=Outcome.SUCCEEDED, finished_at__gte=read_from
    )
    for uuid in deleted.values_list("target_uuid", flat=True):
        plan.new.pop(uuid, None)
