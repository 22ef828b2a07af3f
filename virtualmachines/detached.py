"""Disks that were detached here. Ganeti lists none that has no machine, and its API tells nothing of them: the journal
does."""

import re
from dataclasses import dataclass

from clusters.models import Cluster
from objectlog.messages import read
from objectlog.models import Entry, Event, Outcome
from objectlog.words import moment

_DETACH, _ATTACH = "vm.detach-disk", "vm.attach-disk"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOOKED_AT = 100  # of the newest that were detached or attached


@dataclass(frozen=True)
class Detached:
    """A disk without a machine: by which uuid Ganeti knows it, and what it was."""

    uuid: str
    words: str


def list_detached(cluster: Cluster) -> list[Detached]:
    """What was detached on the cluster and not attached since, the newest first. For who administers it."""
    steps = Event.objects.filter(verb__in=(_DETACH, _ATTACH), outcome=Outcome.SUCCEEDED, cluster_pk=cluster.pk)
    newest = steps.order_by("-at", "-pk").values_list("entry_uuid", flat=True)[:_LOOKED_AT]
    uuids = [uuid for uuid in newest if uuid is not None]
    found: dict[str, Detached | None] = {}
    for entry in Entry.objects.filter(uuid__in=uuids).order_by("-finished_at", "-pk"):
        if entry.verb == _ATTACH:
            found.setdefault(str(entry.params.get("uuid")), None)
        elif disk := _read(entry):
            found.setdefault(disk.uuid, disk)
    return [disk for disk in found.values() if disk is not None]


def _read(entry: Entry) -> Detached | None:
    before = read(entry.changes[0].get("before")) if entry.changes else ""
    uuid = _UUID.search(before)
    if uuid is None:
        return None
    size = before[: uuid.start()].rstrip(", ")
    return Detached(uuid[0], ", ".join((size, entry.target_name, str(moment(entry.finished_at or entry.created_at)))))
