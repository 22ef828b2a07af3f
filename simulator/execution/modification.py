"""Changing instances: parameters, disks, NICs, tags."""

from collections.abc import Callable
from typing import Any

from simulator.errors import ExecError, PrereqError, TagError
from simulator.execution.allocation import make_nic
from simulator.execution.base import Execution, Op, executes
from simulator.execution.creation import sync_disks
from simulator.execution.params import (
    NIC_PARAMETERS,
    check_beparams,
    check_hvparams,
    override,
)
from simulator.execution.storage import check_conversion, convert
from simulator.job import Steps
from simulator.model import Disk, Instance
from simulator.opcodes import MAX_TAG_LENGTH, TAG_PATTERN
from simulator.sizes import parse_size, show_size

Changes = list[list[Any]]
CHANGE_KEYS = (
    "nics", "disks", "disk_template", "hvparams", "beparams", "os_name", "osparams", "osparams_private", "offline",
    "runtime_mem", "pnode", "instance_communication",
)  # fmt: skip


@executes("INSTANCE_SET_PARAMS")
def modify(execution: Execution, op: Op) -> Steps:
    if not any(op.get(key) or op.get(key) is False for key in CHANGE_KEYS):
        raise PrereqError("No changes submitted", "wrong_input")
    cluster = execution.cluster
    instance = execution.instance(op)
    check_hvparams(cluster, instance.hypervisor, op["hvparams"])
    beparams = check_beparams(op["beparams"])
    check_offline(instance, op.get("offline"))
    check_memory(execution, instance, beparams, op)
    if op.get("disk_template"):
        check_conversion(execution, instance, op)
    check_disks(execution, instance, op)
    yield 0.5
    changes: Changes = []
    if op.get("pnode"):
        instance.primary = cluster.node(op["pnode"]).name
    if op.get("runtime_mem"):
        instance.memory_in_use = op["runtime_mem"]
        changes.append(["runtime_memory", op["runtime_mem"]])
    yield from change_disks(execution, op, instance, changes)
    if op.get("disk_template"):
        yield from convert(execution, instance, op)
        changes.append(["disk_template", op["disk_template"]])
    for change in op["nics"]:
        change_nic(execution, instance, change, changes)
    changes += [[f"hv/{name}", value] for name, value in op["hvparams"].items()]
    changes += [[f"be/{name}", value] for name, value in beparams.items()]
    changes += [[f"os/{name}", value] for name, value in op["osparams"].items()]
    instance.hvparams = override(instance.hvparams, op["hvparams"])
    instance.beparams = override(instance.beparams, beparams)
    instance.osparams = override(instance.osparams, op["osparams"])
    instance.os = op.get("os_name") or instance.os
    if op.get("offline") is not None:
        instance.admin_state = "offline" if op["offline"] else "down"
        changes.append(["admin_state", instance.admin_state])
    cluster.bump(instance)
    yield 0.2
    return changes


def check_offline(instance: Instance, offline: bool | None) -> None:
    if offline is None or instance.admin_state != "up":
        return
    text = f"Instance '{instance.name}' is marked to be up, can't change to"
    if offline:
        raise PrereqError(f"{text} offline without being down first", "wrong_state")
    raise PrereqError(f"{text} online (down) without being offline first", "wrong_state")


def check_memory(execution: Execution, instance: Instance, beparams: dict[str, Any], op: Op) -> None:
    cluster = execution.cluster
    wanted = beparams.get("maxmem")
    if not wanted or wanted == "default" or op.get("force"):
        return
    node = cluster.nodes[instance.primary]
    room = cluster.free_memory(node) + (cluster.memory_of(instance) if instance.runs_on else 0)
    if int(wanted) > room:
        text = f"This change will prevent the instance from starting, due to {int(wanted) - room} MB of memory missing"
        raise PrereqError(f"{text} on its primary node", "insufficient_resources")


def check_disks(execution: Execution, instance: Instance, op: Op) -> None:
    for action, _, params in (normal(change) for change in op["disks"]):
        if action == "add" and not instance.disks:
            raise PrereqError("Must specify disk type on diskless instance", "wrong_input")
        if action in ("remove", "detach") and instance.runs_on and not op.get("hotplug"):
            text = f"Instance '{instance.name}' is marked to be up, can't {action} volume from a running instance"
            raise PrereqError(f"{text} without using hotplug", "wrong_state")
        if action == "attach" and detached_disk(execution, params) is None:
            raise PrereqError(f"No disk was found with this UUID: {params.get('uuid')}", "wrong_input")
        if action == "modify" and "size" in params:
            raise PrereqError("Disk size change not possible, use grow-disk", "wrong_input")


def detached_disk(execution: Execution, params: dict[str, Any]) -> Disk | None:
    """By its uuid or name, as Ganeti finds it."""
    for disk in execution.cluster.detached.values():
        if disk.uuid == params.get("uuid") or (disk.name and disk.name == params.get("name")):
            return disk
    return None


def normal(change: list[Any]) -> tuple[str, Any, dict[str, Any]]:
    """[action, index, params]; the older form has the index or the action, and params."""
    if len(change) == 3:
        return change[0], change[1], change[2]
    first, params = change
    if first in ("add", "remove"):
        return first, -1, params
    return "modify", first, params


def position(items: list[Any], index: Any, what: str) -> int:
    """Find by number (negative counts from the end), name or uuid."""
    if isinstance(index, str) and not index.lstrip("-").isdigit():
        for number, item in enumerate(items):
            if index in (item.name, item.uuid):
                return number
        raise PrereqError(f"Cannot find {what} with identifier {index}", "unknown_entity")
    number = int(index)
    if number >= len(items) or number < -1:
        raise ExecError(f"Got {what} index {number}, but there are only {len(items)}")
    return number if number >= 0 else len(items) - 1


def change_disks(execution: Execution, op: Op, instance: Instance, changes: Changes) -> Steps:
    for action, index, params in (normal(change) for change in op["disks"]):
        if action == "add":
            disk = Disk(parse_size(params["size"]), name=params.get("name"), mode=params.get("mode", "rw"))
            number = len(instance.disks) if str(index) == "-1" else int(index)
            execution.log(f"* disk {number}, size {show_size(disk.size)}")
            instance.disks.insert(number, disk)
            changes.append([f"disk/{number}", f"add:size={disk.size},mode={disk.mode}"])
            yield from sync_disks(execution, instance)
            continue
        if action == "attach":
            attached = detached_disk(execution, params)
            if attached is not None:
                del execution.cluster.detached[attached.uuid]
                instance.disks.append(attached)
                changes.append([f"disk/{len(instance.disks) - 1}", f"attach:size={attached.size},mode={attached.mode}"])
            continue
        number = position(instance.disks, index, "disk")
        if action in ("remove", "detach"):
            gone = instance.disks.pop(number)
            if action == "detach":
                execution.cluster.detached[gone.uuid] = gone
            changes.append([f"disk/{number}", action])
        elif action == "modify":
            disk = instance.disks[number]
            for name in ("mode", "name"):
                if name in params:
                    setattr(disk, name, None if params[name] == "none" else params[name])
                    changes.append([f"disk.{name}/{number}", params[name]])
    return None


def change_nic(execution: Execution, instance: Instance, change: list[Any], changes: Changes) -> None:
    cluster = execution.cluster
    action, index, params = normal(change)
    if action == "add":
        number = len(instance.nics) if str(index) == "-1" else int(index)
        nic = make_nic(execution, number, params, cluster.nodes[instance.primary])
        instance.nics.insert(number, nic)
        merged = nic.params = dict(cluster.merged_nicparams(nic.params))
        shown = f"mac={nic.mac},ip={nic.ip},mode={merged['mode']},link={merged['link']},network={params.get('network')}"
        changes.append([f"nic.{number}", f"add:{shown}"])
        return
    number = position(instance.nics, index, "NIC")
    if action == "remove":
        del instance.nics[number]
        changes.append([f"NIC/{number}", "remove"])
        return
    nic = instance.nics[number]
    for name in ("name", "ip", "mac"):
        if name in params:
            setattr(nic, name, None if params[name] == "none" else params[name])
            changes.append([f"nic.{name}/{number}", params[name]])
    given = {name: params[name] for name in NIC_PARAMETERS if name in params}
    # A card that is touched keeps today's defaults as its own.
    merged = nic.params = dict(cluster.merged_nicparams(override(nic.params, given)))
    if given:
        changes += [[f"nic.{name}/{number}", merged[name]] for name in ("link", "mode", "vlan")]


# tags


def tagged(execution: Execution, op: Op) -> tuple[list[str], Callable[[], None]]:
    """The tags an opcode is about, and what to call after changing them."""
    cluster = execution.cluster
    if op["kind"] == "cluster":
        return cluster.tags, cluster.touch
    find: dict[str, Callable[[str], Any]] = {
        "instance": cluster.instance,
        "node": cluster.node,
        "nodegroup": cluster.group,
        "network": cluster.network,
    }
    record = find[op["kind"]](op["name"])
    return record.tags, lambda: cluster.bump(record)


@executes("TAGS_SET")
def set_tags(execution: Execution, op: Op) -> Steps:
    for tag in op["tags"]:
        if len(tag) > MAX_TAG_LENGTH:
            raise TagError(f"Tag too long (maximum {MAX_TAG_LENGTH} characters)")
        if not TAG_PATTERN.match(tag):
            raise TagError("Tag contains invalid characters")
    tags, changed = tagged(execution, op)
    yield 0.3
    tags.extend(tag for tag in op["tags"] if tag not in tags)
    changed()
    return None


@executes("TAGS_DEL")
def delete_tags(execution: Execution, op: Op) -> Steps:
    tags, changed = tagged(execution, op)
    missing = sorted(set(op["tags"]) - set(tags))
    if missing:
        shown = ", ".join(f"'{tag}'" for tag in missing)
        raise PrereqError(f"Tag(s) {shown} not found", "unknown_entity")
    yield 0.3
    tags[:] = [tag for tag in tags if tag not in op["tags"]]
    changed()
    return None
