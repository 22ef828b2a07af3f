"""Reading some machines again: those that a job touches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from clusters.models import Cluster
from clusters.sync.readings import Readings
from rapi.shapes.instance import INSTANCE_CONFIG_FIELDS, INSTANCE_LIVE_FIELDS, InstanceInfo, InstanceLive
from rapi.shapes.reading import Records, read_records
from virtualmachines.models import VirtualMachine
from virtualmachines.sync.apply import apply_some

# `pnode` and `snodes` cost a scan of all machines each: little for a few rows.
_FIELDS = (
    *INSTANCE_CONFIG_FIELDS,
    "pnode",
    "snodes",
    *(each for each in INSTANCE_LIVE_FIELDS if each not in INSTANCE_CONFIG_FIELDS),
)
_AT_ONCE = 50


def refresh_machines(cluster: Cluster, readings: Readings, names: Iterable[str], *, uuids: Iterable[str] = ()) -> int:
    """Read the machines of these names and uuids and write what changed; rows written. Raises RapiError."""
    rows, by_name, by_uuid = 0, sorted(names), sorted(uuids)
    for start in range(0, max(len(by_name), len(by_uuid)), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        rows += write_machines(cluster, read_machines(cluster, readings, by_name[some], by_uuid[some]))
    return rows


@dataclass(frozen=True)
class Reading:
    """What Ganeti said of some machines; `uuids` are those that were asked for by uuid."""

    read_from: datetime
    uuids: set[str]
    configs: Records[InstanceInfo]
    live: Mapping[str, InstanceLive]


def read_machines(cluster: Cluster, readings: Readings, names: list[str], tied: list[str]) -> Reading:
    """Ask for the machines of these names and uuids. Raises RapiError."""
    known = VirtualMachine.objects.filter(cluster=cluster, missing_since__isnull=True).exclude(uuid="")
    # after a rename the row still has the old name, or has the new one already: ask by uuid, and by name for new ones
    uuids = set(known.filter(Q(name__in=names) | Q(uuid__in=tied)).values_list("uuid", flat=True))
    read_from = timezone.now()
    answer = readings.guard.query("instance", _FIELDS, _any_uuid_or_name(uuids, names))
    found = read_records("instance", lambda record: InstanceInfo.parse(_without_live(record)), answer.records)
    live = read_records("instance", InstanceLive.parse, answer.records)
    configs = Records(found.good, (*found.bad, *answer.bad), answer.left_out)
    return Reading(read_from, uuids, configs, live.good)


def write_machines(cluster: Cluster, reading: Reading) -> int:
    """Write what differs; rows written."""
    now = timezone.now()
    written = apply_some(cluster, reading.uuids, reading.configs, reading.live, read_from=reading.read_from, now=now)
    return written.rows


def _any_uuid_or_name(uuids: Iterable[str], names: Iterable[str]) -> list[Any]:
    """A filter that does not fail when one is gone: with a uuid among them Ganeti does not look names up."""
    terms = [["=", "uuid", uuid] for uuid in sorted(uuids)] + [["=", "name", name] for name in names]
    return ["|", ["=", "uuid", "none"], *terms]


def _without_live(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in _NOT_CONFIG}


_NOT_CONFIG = frozenset({"status", "oper_ram", "oper_vcpus"})
