"""What of a running machine's settings waits for its restart.

Ganeti does not tell what a guest was started with. So it is noted when an update sees the settings of a running
machine change, whoever changed them, and forgotten when the machine is seen not to run, or a job is seen that restarted
it, whoever sent it. Not known is what was changed before this program first read the machine, and a restart past
Ganeti that no update sees (its process killed and started on the node).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from django.db.models import F

from clusters.models import Cluster, Job, JobStatus, JobTarget
from rapi.shapes.fields import listing, mapping
from virtualmachines.models import VirtualMachine

Waiting = dict[str, Any]
RUNNING = frozenset({"running", "ERROR_up"})
# Of the backend parameters these alone concern the guest; of a hypervisor's all but how it is migrated.
_BACKEND = ("maxmem", "minmem", "vcpus")
_AT_ONCE = frozenset(
    {
        "migration_bandwidth",
        "migration_caps",
        "migration_downtime",
        "migration_mode",
        "migration_port",
        "kvm_path",
        "xen_cmd",
        "reboot_behavior",
    }
)
_DEVICES = {"disks": "disk.uuids", "nics": "nic.uuids"}
_OF_NICS = ("nic.macs", "nic.modes", "nic.links", "nic.networks")
# Jobs that start a machine anew. A migration carries the guest over as it runs.
_RESTARTS = frozenset({"OP_INSTANCE_STARTUP", "OP_INSTANCE_FAILOVER", "OP_INSTANCE_REINSTALL", "OP_INSTANCE_MOVE"})
_REBOOT, _CHANGE, _EXPORT = "OP_INSTANCE_REBOOT", "OP_INSTANCE_SET_PARAMS", "OP_BACKUP_EXPORT"
_KEEPS_SETTINGS = "soft"


def merge_waiting(waiting: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> Waiting:
    """What waits once `old` has become `new`: the values with which the guest runs, by the path of the setting."""
    found = dict(waiting)
    before, after = _settings(old), _settings(new)
    # A parameter that only one of them has came or went with a release of Ganeti: nobody has changed it.
    for path in before.keys() & after.keys():
        runs_with = found.get(path, before[path])
        if before[path] == after[path]:
            continue
        if runs_with == after[path]:
            found.pop(path, None)
        else:
            found[path] = runs_with
    return found


def _settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    """By path, what a guest has from its start on."""
    found = {f"hvparams.{name}": value for name, value in mapping(raw.get("hvparams")).items() if name not in _AT_ONCE}
    backend = mapping(raw.get("beparams"))
    found |= {f"beparams.{name}": backend[name] for name in _BACKEND if name in backend}
    found["disks"] = listing(raw.get("disk.uuids"))
    found["nics"] = [listing(raw.get("nic.uuids")), *(listing(raw.get(name)) for name in _OF_NICS), _list_vlans(raw)]
    return found


def _list_vlans(raw: Mapping[str, Any]) -> list[Any]:
    """Of each card. Ganeti tells those of Open vSwitch; of a bridge that knows VLANs, the card's own parameters do."""
    own = [mapping(each).get("vlan") for each in listing(raw.get("custom_nicparams"))]
    return [told or mine or None for told, mine in zip_longest(listing(raw.get("nic.vlans")), own)]


def note_waiting(cluster: Cluster, row: Mapping[str, Any], values: dict[str, Any]) -> None:
    """Add to what an update writes of a row what waits by it. `row` is as it stands, `values` is what differs."""
    if row["status"] not in RUNNING or values.get("status", row["status"]) not in RUNNING or "raw" not in values:
        return
    if not row["raw"].get("uuid"):
        return  # it was never read before
    waiting = merge_waiting(row["waiting"] or {}, row["raw"], values["raw"])
    if waiting.keys() & _DEVICES.keys() and _was_hotplugged(cluster, row["pk"]):
        waiting = {path: value for path, value in waiting.items() if path in row["waiting"] or path not in _DEVICES}
    if waiting != row["waiting"]:
        values["waiting"] = waiting
        since = datetime.fromtimestamp(values.get("mtime", row["mtime"]) or 0, UTC)
        values["waiting_since"] = since if waiting else None


def forget_stopped(row: Mapping[str, Any], changes: dict[str, Any]) -> None:
    """A machine that does not run waits for nothing."""
    if row["waiting_since"] is not None and changes.get("status", "running") not in RUNNING:
        changes |= {"waiting": {}, "waiting_since": None}


def forget_restarted(cluster: Cluster, jobs: Iterable[Job]) -> int:
    """What waited when one of these jobs restarted the machine waits no more; rows written."""
    restarts = {job.pk: job for job in jobs if job.status == JobStatus.SUCCESS and job.ended_at and _restarts(job)}
    if not restarts:
        return 0
    written = 0
    targets = JobTarget.objects.filter(job__in=restarts, kind="instance", target_pk__isnull=False)
    for job, key in targets.values_list("job", "target_pk"):
        ended = restarts[job].ended_at
        rows = VirtualMachine.objects.filter(cluster=cluster, pk__in=[key], waiting_since__lte=ended)
        written += rows.update(waiting={}, waiting_since=None, changed_at=F("changed_at"))
    return written


def _restarts(job: Job) -> bool:
    return any(_is_restart(step) for step in job.opcodes if isinstance(step, dict))


def _is_restart(step: Mapping[str, Any]) -> bool:
    """An export shuts the machine down while its disks are taken, if it is not told to leave it running."""
    opcode = step.get("OP_ID")
    if opcode == _REBOOT:
        return step.get("reboot_type") != _KEEPS_SETTINGS
    return opcode in _RESTARTS or (opcode == _EXPORT and step.get("shutdown") is not False)


def _was_hotplugged(cluster: Cluster, pk: int) -> bool:
    """Whether the last change of it that Ganeti made was made in the running guest, too."""
    about = JobTarget.objects.filter(kind="instance", target_pk=pk).values("job")
    for opcodes in Job.objects.filter(cluster=cluster, pk__in=about).order_by("-ganeti_id").values_list("opcodes")[:5]:
        for step in opcodes[0]:
            if isinstance(step, dict) and step.get("OP_ID") == _CHANGE:
                return bool(step.get("hotplug") or step.get("hotplug_if_possible"))
    return False
