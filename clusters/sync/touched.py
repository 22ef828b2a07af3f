"""Which objects a job touches, as its opcodes name them, or Ganeti's summary of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clusters.models import Job
from clusters.sync.wording import is_uuid
from rapi.shapes.job import JobInfo, split_summary
from rapi.text import clean_text

MOST_TARGETS = 100
_NAME_LENGTH = 255

# Parameters of opcodes that name an object.
_KINDS: dict[str, str] = {
    "instance_name": "instance",
    "instances": "instance",
    "node_name": "node",
    "node_names": "node",
    "nodes": "node",
    "target_node": "node",
    "remote_node": "node",
    "group_name": "group",
    "network_name": "network",
}
_TAG_KINDS = {"instance": "instance", "node": "node", "nodegroup": "group", "network": "network"}
_BY_PREFIX = (("INSTANCE_", "instance"), ("BACKUP_", "instance"), ("NODE_", "node"), ("GROUP_", "group"))
# Opcodes that make an object, and of which kind.
_MAKERS = {"INSTANCE_CREATE": "instance", "NODE_ADD": "node", "GROUP_ADD": "group", "NETWORK_ADD": "network"}
_MINOR_NODES = frozenset({"target_node", "remote_node"})


@dataclass(frozen=True)
class Touched:
    """An object as a job names it.

    `uuid`: Ganeti itself says which one. `is_made`: the job makes it, so what had this name before is not meant.
    `was`: the job renames it from this name. `is_doubtful`: the job means two objects by one name, one after the other.
    """

    kind: str
    name: str
    uuid: str = ""
    is_made: bool = False
    was: str = ""
    is_doubtful: bool = False


# An opcode as this module reads it: its name without OP_, its parameters, Ganeti's summary of it.
Step = tuple[str, Mapping[str, Any], str]


def steps_of(info: JobInfo) -> list[Step]:
    """The opcodes of Ganeti's record."""
    return [(opcode.name, opcode.params, opcode.summary) for opcode in info.opcodes]


def steps_of_row(job: Job) -> list[Step]:
    """The opcodes as our row keeps them."""
    steps: list[Step] = []
    for position, opcode in enumerate(job.opcodes):
        if isinstance(opcode, dict):
            name = str(opcode.get("OP_ID", "")).removeprefix("OP_")
            summary = str(job.summary[position]) if position < len(job.summary) else name
            steps.append((name, {key: value for key, value in opcode.items() if key != "OP_ID"}, summary))
    return steps


def touched_by(steps: Iterable[Step]) -> list[Touched]:
    """The objects, each once; at most MOST_TARGETS."""
    found: dict[tuple[str, str], Touched] = {}
    for step in steps:
        for each in _touched_by_step(step):
            name = clean_text(each.name, _NAME_LENGTH)
            before = found.get((each.kind, name))
            if before is None:
                found[each.kind, name] = replace(each, name=name)
            elif (each.is_made and not before.is_made) or (each.uuid and before.uuid not in ("", each.uuid)):
                found[each.kind, name] = replace(before, uuid="", is_doubtful=True)
            elif each.uuid and not before.is_doubtful:
                found[each.kind, name] = replace(before, uuid=each.uuid)
    return list(found.values())[:MOST_TARGETS]


def _touched_by_step(step: Step) -> list[Touched]:
    found: list[Touched] = []
    opcode, params, summary = step
    is_check = params.get("dry_run") is True  # it makes nothing, and gives no new name
    makes = "" if params.get("readd") or is_check else _MAKERS.get(opcode, "")
    for key, kind in _KINDS.items():
        value = params.get(key)
        if isinstance(value, str) and value and not (key in _MINOR_NODES and is_uuid(value)):
            uuid = params.get(key.replace("_name", "_uuid")) if key.endswith("_name") else None
            found.append(Touched(kind, value, uuid if isinstance(uuid, str) else "", is_made=kind == makes))
        elif isinstance(value, list):
            found += [Touched(kind, each) for each in value if isinstance(each, str) and each]
            found += [
                Touched("instance", name, is_made=True)
                for each in value
                if isinstance(each, dict) and isinstance(name := each.get("instance_name"), str)
            ]
    if opcode.startswith("TAGS_") and params.get("kind") in _TAG_KINDS:
        name = params.get("name")
        if isinstance(name, str) and name:
            found.append(Touched(_TAG_KINDS[params["kind"]], name))
    if (
        opcode.endswith("_RENAME")
        and found
        and not is_check
        and isinstance(new_name := params.get("new_name"), str)
        and new_name
    ):
        found.append(Touched(found[0].kind, new_name, was=found[0].name))
    if not found:
        named = split_summary(summary)[1]
        kind = next((kind for prefix, kind in _BY_PREFIX if opcode.startswith(prefix)), "")
        if kind and named and not params:
            found += [Touched(kind, each.strip(), is_made=bool(makes)) for each in named.split(",") if each.strip()]
    if not found and opcode.startswith(("CLUSTER_", "TAGS_")):
        found.append(Touched("cluster", "cluster"))
    return found
