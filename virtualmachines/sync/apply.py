"""Machines of one cluster, brought in step with what Ganeti says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clusters.models import Cluster, Node
from clusters.sync.rows import Plan, Values, Written, compare, complete, lock_writers, write_plan
from clusters.sync.snapshot import LiveState, Seen, Snapshot
from clusters.sync.unreadable import NEW, Doubts, note
from operations.clock import left_ahead
from rapi.shapes.instance import InstanceInfo, InstanceLive, Placement
from rapi.shapes.reading import Records
from virtualmachines.deleted import leave_out_deleted
from virtualmachines.models import VirtualMachine
from virtualmachines.sync.changed import note_parameters
from virtualmachines.sync.claims import COUNTED, counting_once
from virtualmachines.sync.columns import values_of_config, values_of_live
from virtualmachines.sync.reserved import Reserved
from virtualmachines.sync.tags import mirror_tags, tags_changed
from virtualmachines.sync.waiting import forget_stopped, note_waiting

# What is compared for every machine in every update.
_LIGHT = (
    "pk",
    "uuid",
    "name",
    "serial_no",
    "mtime",
    "admin_state",
    "primary_node_id",
    "secondary_node_id",
    "status",
    "memory_used_mib",
    "vcpus_used",
    "missing_since",
    "unreadable_since",
    "unreadable_why",
    "waiting_since",
)
# The rest of the configuration, loaded and compared only for machines whose record was read anew.
_HEAVY = (
    "ctime",
    "hypervisor",
    "os",
    "vcpus",
    "memory_mib",
    "memory_min_mib",
    "disk_mib",
    "disk_template",
    "network_port",
    "disks",
    "nics",
    "tags",
    "owner_tag",
    "search_text",
    "raw",
)
_LOAD_SINGLY = 500
# A row may say that it was changed so long before others can see it.
_WRITES_TAKE = timedelta(seconds=10)


@dataclass(frozen=True)
class Rows:
    """The machines of a cluster as they stand here. `reserved` are rows that wait for Ganeti to make the machine."""

    by_uuid: Mapping[str, dict[str, Any]]
    reserved: Reserved
    loaded_at: datetime

    def fingerprints(self) -> dict[str, Seen]:
        """For the reading: what is known of each machine that is not missing."""
        return {
            uuid: Seen(row["name"], row["serial_no"], row["mtime"], row["admin_state"])
            for uuid, row in self.by_uuid.items()
            if row["missing_since"] is None
        }


def load_machines(cluster: Cluster, which: Q = Q()) -> Rows:  # noqa: B008 (an empty condition)
    """The rows of all machines of a cluster, light enough for ten thousand, or of those that `which` selects."""
    loaded_at = timezone.now()
    by_uuid: dict[str, dict[str, Any]] = {}
    reserved: list[dict[str, Any]] = []
    for values in VirtualMachine.objects.filter(which, cluster=cluster).order_by("pk").values_list(*_LIGHT):
        row = dict(zip(_LIGHT, values, strict=True))
        if row["uuid"]:
            by_uuid[row["uuid"]] = row
        else:
            reserved.append(row)
    return Rows(by_uuid, Reserved.of(reserved), loaded_at)


def apply_machines(cluster: Cluster, snapshot: Snapshot, rows: Rows, now: datetime) -> Written:
    """Write what changed. `rows` were loaded before the reading; nodes are written already."""
    nodes = _node_keys(cluster)
    # those reserved too: by now their jobs may be at work
    written_since = load_machines(cluster, Q(changed_at__gte=rows.loaded_at - _WRITES_TAKE) | Q(uuid=""))
    rows = Rows({**rows.by_uuid, **written_since.by_uuid}, written_since.reserved, rows.loaded_at)
    configs = complete(VirtualMachine, cluster, snapshot.configs, InstanceInfo.parse)
    live = snapshot.live.machines or {}
    doubts = Doubts(snapshot.unreadable, "instance")
    plan = Plan()
    for uuid, seen in snapshot.machines.items():
        config = configs.get(uuid)
        wanted = _wanted(config, snapshot.placement.get(seen.name), live.get(uuid), nodes)
        row = rows.by_uuid.get(uuid) or (rows.reserved.find(config.name, config.ctime) if config is not None else None)
        wanted |= note(row or NEW, doubts.why(uuid, seen.name, is_listed=True), now)
        if row is not None:
            _plan_change(plan, row, uuid, wanted)
        elif config is not None and not rows.reserved.is_held(config.name):
            plan.new[uuid] = wanted
    # The lists were not read at the same moment: a machine that the nodes still name, and no other has its name, stays.
    doubtful = snapshot.placement.keys() - {seen.name for seen in snapshot.machines.values()}
    for uuid, row in rows.by_uuid.items():
        if uuid in snapshot.machines:
            continue
        if why := doubts.why(uuid, row["name"], is_listed=False):
            changes = note(row, why, now) | compare(row, values_of_live(live[uuid]) if uuid in live else {})
            if changes:
                plan.changed[row["pk"]] = changes
        elif row["missing_since"] is None and row["name"] not in doubtful:
            plan.changed[row["pk"]] = {"missing_since": now} | note(row, "", now)
    with counting_once(cluster, _sift_config(cluster, plan)):
        return _write(cluster, plan, read_from=snapshot.started_at, now=now)


def apply_machine_live(cluster: Cluster, live: LiveState, rows: Rows, now: datetime) -> Written:
    """The live state of machines alone, where their configuration can't be read."""
    plan = Plan()
    for uuid, each in (live.machines or {}).items():
        row = rows.by_uuid.get(uuid)
        if row is not None and row["missing_since"] is None and (changes := compare(row, values_of_live(each))):
            forget_stopped(row, changes)
            plan.changed[row["pk"]] = changes
    return write_plan(VirtualMachine, cluster, plan, read_from=live.started_at, now=now)


def apply_some(
    cluster: Cluster,
    uuids: set[str],
    found: Records[InstanceInfo],
    live: Mapping[str, InstanceLive],
    *,
    read_from: datetime,
    now: datetime,
) -> Written:
    """For the job follower: these machines were asked for, with their nodes, and this came back.

    `uuids` are those asked for by uuid; one that did not come back is missing. The rows are compared and written in
    one transaction, and say that they were read now even where nothing differs: an older reading by an update, whether
    it was written in between or is written later, does not stay.
    """
    with transaction.atomic():
        lock_writers(cluster)
        written = _apply_some(cluster, uuids, found, live, read_from=read_from, now=now)
        rows = VirtualMachine.objects.filter(Q(uuid__in=found.good) | Q(uuid__in=uuids), cluster=cluster)
        older = Q(read_at__isnull=True) | Q(read_at__lt=read_from) | left_ahead("read_at")
        rows.filter(older).update(read_at=read_from)
    return written


def _apply_some(
    cluster: Cluster,
    uuids: set[str],
    found: Records[InstanceInfo],
    live: Mapping[str, InstanceLive],
    *,
    read_from: datetime,
    now: datetime,
) -> Written:
    nodes = _node_keys(cluster)
    configs = complete(VirtualMachine, cluster, found, InstanceInfo.parse)
    doubts = Doubts(found.bad, "instance")
    rows = load_machines(cluster, Q(uuid__in=uuids | configs.keys()) | Q(uuid=""))
    plan = Plan()
    for uuid, config in configs.items():
        place = Placement(config.primary_node, config.secondary_nodes)
        wanted = _wanted(config, place, live.get(uuid), nodes)
        row = rows.by_uuid.get(uuid) or rows.reserved.find(config.name, config.ctime)
        if row is not None:
            _plan_change(plan, row, uuid, wanted)
        elif not rows.reserved.is_held(config.name):
            plan.new[uuid] = wanted
    for uuid in uuids - configs.keys():
        row = rows.by_uuid.get(uuid)
        if row is None or row["missing_since"] is not None:
            continue
        if why := doubts.why(uuid, row["name"], is_listed=False):
            plan.changed[row["pk"]] = note(row, why, now)
        else:
            plan.changed[row["pk"]] = {"missing_since": now}
    with counting_once(cluster, _sift_config(cluster, plan)):
        return _write(cluster, plan, read_from=read_from, now=now, even_busy=True)


def _write(cluster: Cluster, plan: Plan, *, read_from: datetime, now: datetime, even_busy: bool = False) -> Written:
    """The plan, and the rows of tags if any tag changes, in one transaction."""
    changed = tags_changed(plan)
    if not changed and not plan.new:
        return write_plan(VirtualMachine, cluster, plan, read_from=read_from, now=now, even_busy=even_busy)
    with transaction.atomic():
        lock_writers(cluster)
        leave_out_deleted(cluster, plan, read_from)
        written = write_plan(VirtualMachine, cluster, plan, read_from=read_from, now=now, even_busy=even_busy)
        for which in changed:
            mirror_tags(cluster, which)
    return written


def _node_keys(cluster: Cluster) -> dict[str, int]:
    found = Node.objects.filter(cluster=cluster, missing_since__isnull=True).order_by("pk")
    return dict(found.values_list("name", "pk"))


def _wanted(
    config: InstanceInfo | None, place: Placement | None, live: InstanceLive | None, nodes: Mapping[str, int]
) -> Values:
    values: Values = values_of_config(config) if config is not None else {}
    if place is not None:
        values["primary_node_id"] = nodes.get(place.primary or "")
        values["secondary_node_id"] = nodes.get(place.secondaries[0]) if place.secondaries else None
    if live is not None:
        values |= values_of_live(live)
    return values


def _plan_change(plan: Plan, row: dict[str, Any], uuid: str, wanted: Values) -> None:
    light = {column: value for column, value in wanted.items() if column in row}
    heavy = {column: value for column, value in wanted.items() if column not in row}
    changes = compare(row, light)
    if row["missing_since"] is not None:
        changes["missing_since"] = None
    if row["uuid"] != uuid:
        changes["uuid"] = uuid
    forget_stopped(row, changes)
    if changes or heavy:
        plan.changed[row["pk"]] = changes | heavy


def _sift_config(cluster: Cluster, plan: Plan) -> set[UUID]:
    """Leave out of the plan the columns whose values the row has already.

    The operations under way on machines of which quotas count something else then.
    """
    loaded = [pk for pk, values in plan.changed.items() if "raw" in values]
    busy: set[UUID] = set()
    if not loaded:
        return busy
    rows = VirtualMachine.objects.filter(cluster=cluster).order_by()
    if len(loaded) <= _LOAD_SINGLY:
        rows = rows.filter(pk__in=loaded)
    for row in rows.values("pk", "status", "mtime", "waiting", "busy_entry", *_HEAVY):
        values = plan.changed.get(row["pk"])
        if values is None or "raw" not in values:
            continue
        note_waiting(cluster, row, values)
        note_parameters(row, values)
        for column in _HEAVY:
            if row[column] == values[column]:
                del values[column]
        if row["busy_entry"] is not None and not COUNTED.isdisjoint(values):
            busy.add(row["busy_entry"])
        if not values:
            del plan.changed[row["pk"]]
    return busy
