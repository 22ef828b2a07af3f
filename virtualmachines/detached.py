"""Disks that have no machine. Ganeti lists none, and its API tells nothing of them: the journal does of those that were
detached here."""

import re
from dataclasses import dataclass

from clusters.models import Cluster
from objectlog.messages import read
from objectlog.models import Entry, Event, Outcome
from objectlog.words import moment
from ui.templatetags.units import mib

_DETACH, _ATTACH = "vm.detach-disk", "vm.attach-disk"
# What is typed on the master to see the uuids of all.
COMMAND = (
    """python3 -c 'import json; c = json.load(open("/var/lib/ganeti/config.data")); """
    """print(*set(c["disks"]).difference(*(vm["disks"] for vm in c["instances"].values())))'"""
)
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
    uuid, size_mib = entry.params.get("uuid"), entry.params.get("size_mib")
    if not uuid:
        return _read_words(entry)
    return _found(entry, str(uuid), mib(size_mib) if size_mib is not None else "")


def _read_words(entry: Entry) -> Detached | None:
    """As the release before wrote it: in words alone."""
    before = read(entry.changes[0].get("before")) if entry.changes else ""
    uuid = _UUID.search(before)
    return _found(entry, uuid[0], before[: uuid.start()].rstrip(", ")) if uuid is not None else None


def _found(entry: Entry, uuid: str, size: str) -> Detached:
    told = (size, entry.target_name, str(moment(entry.finished_at or entry.created_at)))
    return Detached(uuid, ", ".join(filter(None, told)))
