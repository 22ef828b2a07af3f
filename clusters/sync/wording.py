"""What a job does, in words: from its opcodes, or from Ganeti's summary of them."""

import re
from collections.abc import Mapping

from rapi.shapes.job import JobInfo, Opcode, split_summary
from rapi.text import clean_text

_TITLE_LENGTH = 255

# OP_ID without its prefix: words with the object's name in them.
_TITLES: dict[str, str] = {
    "INSTANCE_CREATE": "Create {}",
    "INSTANCE_REINSTALL": "Reinstall {}",
    "INSTANCE_REMOVE": "Remove {}",
    "INSTANCE_RENAME": "Rename {}",
    "INSTANCE_STARTUP": "Start {}",
    "INSTANCE_SHUTDOWN": "Shut down {}",
    "INSTANCE_REBOOT": "Reboot {}",
    "INSTANCE_REPLACE_DISKS": "Replace disks of {}",
    "INSTANCE_FAILOVER": "Fail over {}",
    "INSTANCE_MIGRATE": "Migrate {}",
    "INSTANCE_MOVE": "Move {}",
    "INSTANCE_CONSOLE": "Console of {}",
    "INSTANCE_ACTIVATE_DISKS": "Activate disks of {}",
    "INSTANCE_DEACTIVATE_DISKS": "Deactivate disks of {}",
    "INSTANCE_RECREATE_DISKS": "Recreate disks of {}",
    "INSTANCE_QUERY_DATA": "Inspect {}",
    "INSTANCE_SET_PARAMS": "Modify {}",
    "INSTANCE_GROW_DISK": "Grow a disk of {}",
    "INSTANCE_CHANGE_GROUP": "Change the group of {}",
    "INSTANCE_MULTI_ALLOC": "Create machines",
    "BACKUP_PREPARE": "Prepare an export of {}",
    "BACKUP_EXPORT": "Export {}",
    "BACKUP_REMOVE": "Remove the export of {}",
    "NODE_ADD": "Add node {}",
    "NODE_REMOVE": "Remove node {}",
    "NODE_SET_PARAMS": "Modify node {}",
    "NODE_POWERCYCLE": "Power-cycle node {}",
    "NODE_EVACUATE": "Evacuate node {}",
    "NODE_MIGRATE": "Migrate machines off {}",
    "NODE_QUERY_STORAGE": "Query storage of {}",
    "NODE_MODIFY_STORAGE": "Modify storage of node {}",
    "REPAIR_NODE_STORAGE": "Repair storage of node {}",
    "OOB_COMMAND": "Out-of-band command on {}",
    "GROUP_ADD": "Add node group {}",
    "GROUP_REMOVE": "Remove node group {}",
    "GROUP_RENAME": "Rename node group {}",
    "GROUP_SET_PARAMS": "Modify node group {}",
    "GROUP_ASSIGN_NODES": "Assign nodes to {}",
    "GROUP_EVACUATE": "Evacuate node group {}",
    "GROUP_VERIFY_DISKS": "Verify disks of {}",
    "NETWORK_ADD": "Add network {}",
    "NETWORK_REMOVE": "Remove network {}",
    "NETWORK_RENAME": "Rename network {}",
    "NETWORK_SET_PARAMS": "Modify network {}",
    "NETWORK_CONNECT": "Connect network {}",
    "NETWORK_DISCONNECT": "Disconnect network {}",
    "CLUSTER_SET_PARAMS": "Modify the cluster",
    "CLUSTER_REDIST_CONF": "Redistribute the configuration",
    "CLUSTER_VERIFY": "Verify the cluster",
    "CLUSTER_VERIFY_CONFIG": "Verify the configuration",
    "CLUSTER_VERIFY_GROUP": "Verify node group {}",
    "CLUSTER_VERIFY_DISKS": "Verify disks",
    "CLUSTER_REPAIR_DISK_SIZES": "Repair disk sizes",
    "CLUSTER_RENAME": "Rename the cluster to {}",
    "CLUSTER_RENEW_CRYPTO": "Renew the cluster's keys",
    "CLUSTER_ACTIVATE_MASTER_IP": "Activate the master's address",
    "CLUSTER_DEACTIVATE_MASTER_IP": "Deactivate the master's address",
    "OS_DIAGNOSE": "List operating systems",
    "TAGS_SET": "Set tags on {}",
    "TAGS_DEL": "Remove tags from {}",
    "TEST_DELAY": "Wait (test)",
}

# What stands in a title for an object that its opcode does not name; other titles do without.
_UNNAMED = {
    "INSTANCE_QUERY_DATA": "all machines",
    "CLUSTER_RENAME": "another name",
    "OOB_COMMAND": "nodes",
    "NODE_QUERY_STORAGE": "nodes",
    "NODE_MIGRATE": "a node",
    "GROUP_ASSIGN_NODES": "a node group",
    "GROUP_VERIFY_DISKS": "a node group",
}
_UNNAMED_BY_PREFIX = (("INSTANCE_", "a machine"), ("BACKUP_", "a machine"), ("TAGS_", "the cluster"))
_TAGGED = {"instance": "a machine", "node": "a node", "nodegroup": "a node group", "network": "a network"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def name_object(opcode: Opcode, names: Mapping[str, str]) -> str:
    """The name of the object an opcode is about, "web1 and 2 more" for several; empty if it names none.

    `names` are those of what opcodes may name by uuid; a uuid that it lacks is no name.
    """
    params = opcode.params
    for key in ("instance_name", "node_name", "group_name", "network_name", "name", "instances", "node_names"):
        value = params.get(key)
        found = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str) and each]
        if found:
            first = _name_or_nothing(found[0], names)
            return f"{first} and {len(found) - 1} more" if first and len(found) > 1 else first
    return _name_or_nothing(split_summary(opcode.summary)[1].split(",")[0].strip(), names)


def _name_or_nothing(value: str, names: Mapping[str, str]) -> str:
    return names.get(value, "") if is_uuid(value) else value


def _fill_in(opcode: Opcode, template: str, name: str) -> str:
    """The title of one step. Without a name it says what kind of thing it is about, or nothing of it."""
    if name or "{}" not in template:
        return template.format(name)
    unnamed = _UNNAMED.get(opcode.name) or next(
        (words for prefix, words in _UNNAMED_BY_PREFIX if opcode.name.startswith(prefix)), ""
    )
    if opcode.name.startswith("TAGS_"):
        unnamed = _TAGGED.get(str(opcode.params.get("kind")), unnamed)
    return template.format(unnamed).strip()


def title_of(job: JobInfo, names: Mapping[str, str]) -> str:
    """The job in words: "Start web1.example.org", "Modify web1.example.org and 2 more steps".

    `names` are the names of node groups by uuid, since Ganeti's own jobs name groups so.
    """
    if not job.opcodes:
        return f"Job {job.id}"
    first = job.opcodes[0]
    name = name_object(first, names)
    known = _TITLES.get(first.name)
    if known is None:
        words = first.name.replace("_", " ").capitalize() or f"Job {job.id}"
        title = f"{words} {name}".strip()
    else:
        title = _fill_in(first, known, name)
    more = len(job.opcodes) - 1
    if more:
        title += f" and {more} more step{'s' if more > 1 else ''}"
    return clean_text(title, _TITLE_LENGTH)


def is_uuid(text: str) -> bool:
    """Whether this is written like an identity of Ganeti's."""
    return _UUID.fullmatch(text) is not None
