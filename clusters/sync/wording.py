"""What a job does, in words: from its opcodes, or from Ganeti's summary of them."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from rapi.shapes.job import JobInfo, Opcode, split_summary
from rapi.text import clean_text

_TITLE_LENGTH = 255

# OP_ID without its prefix: words with the object's name in them.
_TITLES: dict[str, str] = {
    "INSTANCE_CREATE": gettext_noop("Create {}"),
    "INSTANCE_REINSTALL": gettext_noop("Reinstall {}"),
    "INSTANCE_REMOVE": gettext_noop("Remove {}"),
    "INSTANCE_RENAME": gettext_noop("Rename {}"),
    "INSTANCE_STARTUP": gettext_noop("Start {}"),
    "INSTANCE_SHUTDOWN": gettext_noop("Shut down {}"),
    "INSTANCE_REBOOT": gettext_noop("Reboot {}"),
    "INSTANCE_REPLACE_DISKS": gettext_noop("Replace disks of {}"),
    "INSTANCE_FAILOVER": gettext_noop("Fail over {}"),
    "INSTANCE_MIGRATE": gettext_noop("Migrate {}"),
    "INSTANCE_MOVE": gettext_noop("Move {}"),
    "INSTANCE_CONSOLE": gettext_noop("Console of {}"),
    "INSTANCE_ACTIVATE_DISKS": gettext_noop("Activate disks of {}"),
    "INSTANCE_DEACTIVATE_DISKS": gettext_noop("Deactivate disks of {}"),
    "INSTANCE_RECREATE_DISKS": gettext_noop("Recreate disks of {}"),
    "INSTANCE_QUERY_DATA": gettext_noop("Inspect {}"),
    "INSTANCE_SET_PARAMS": gettext_noop("Modify {}"),
    "INSTANCE_GROW_DISK": gettext_noop("Grow a disk of {}"),
    "INSTANCE_CHANGE_GROUP": gettext_noop("Change the group of {}"),
    "INSTANCE_MULTI_ALLOC": gettext_noop("Create machines"),
    "BACKUP_PREPARE": gettext_noop("Prepare an export of {}"),
    "BACKUP_EXPORT": gettext_noop("Export {}"),
    "BACKUP_REMOVE": gettext_noop("Remove the export of {}"),
    "NODE_ADD": gettext_noop("Add node {}"),
    "NODE_REMOVE": gettext_noop("Remove node {}"),
    "NODE_SET_PARAMS": gettext_noop("Modify node {}"),
    "NODE_POWERCYCLE": gettext_noop("Power-cycle node {}"),
    "NODE_EVACUATE": gettext_noop("Evacuate node {}"),
    "NODE_MIGRATE": gettext_noop("Migrate machines off {}"),
    "NODE_QUERY_STORAGE": gettext_noop("Query storage of {}"),
    "NODE_MODIFY_STORAGE": gettext_noop("Modify storage of node {}"),
    "REPAIR_NODE_STORAGE": gettext_noop("Repair storage of node {}"),
    "OOB_COMMAND": gettext_noop("Out-of-band command on {}"),
    "GROUP_ADD": gettext_noop("Add node group {}"),
    "GROUP_REMOVE": gettext_noop("Remove node group {}"),
    "GROUP_RENAME": gettext_noop("Rename node group {}"),
    "GROUP_SET_PARAMS": gettext_noop("Modify node group {}"),
    "GROUP_ASSIGN_NODES": gettext_noop("Assign nodes to {}"),
    "GROUP_EVACUATE": gettext_noop("Evacuate node group {}"),
    "GROUP_VERIFY_DISKS": gettext_noop("Verify disks of {}"),
    "NETWORK_ADD": gettext_noop("Add network {}"),
    "NETWORK_REMOVE": gettext_noop("Remove network {}"),
    "NETWORK_RENAME": gettext_noop("Rename network {}"),
    "NETWORK_SET_PARAMS": gettext_noop("Modify network {}"),
    "NETWORK_CONNECT": gettext_noop("Connect network {}"),
    "NETWORK_DISCONNECT": gettext_noop("Disconnect network {}"),
    "CLUSTER_SET_PARAMS": gettext_noop("Modify the cluster"),
    "CLUSTER_REDIST_CONF": gettext_noop("Redistribute the configuration"),
    "CLUSTER_VERIFY": gettext_noop("Verify the cluster"),
    "CLUSTER_VERIFY_CONFIG": gettext_noop("Verify the configuration"),
    "CLUSTER_VERIFY_GROUP": gettext_noop("Verify node group {}"),
    "CLUSTER_VERIFY_DISKS": gettext_noop("Verify disks"),
    "CLUSTER_REPAIR_DISK_SIZES": gettext_noop("Repair disk sizes"),
    "CLUSTER_RENAME": gettext_noop("Rename the cluster to {}"),
    "CLUSTER_RENEW_CRYPTO": gettext_noop("Renew the cluster's keys"),
    "CLUSTER_ACTIVATE_MASTER_IP": gettext_noop("Activate the master's address"),
    "CLUSTER_DEACTIVATE_MASTER_IP": gettext_noop("Deactivate the master's address"),
    "OS_DIAGNOSE": gettext_noop("List operating systems"),
    "TAGS_SET": gettext_noop("Set tags on {}"),
    "TAGS_DEL": gettext_noop("Remove tags from {}"),
    "TEST_DELAY": gettext_noop("Wait (test)"),
}

# What stands in a title for an object that its opcode does not name; other titles do without.
_UNNAMED = {
    "INSTANCE_QUERY_DATA": gettext_noop("all machines"),
    "CLUSTER_RENAME": gettext_noop("another name"),
    "OOB_COMMAND": gettext_noop("nodes"),
    "NODE_QUERY_STORAGE": gettext_noop("nodes"),
    "NODE_MIGRATE": gettext_noop("a node"),
    "GROUP_ASSIGN_NODES": gettext_noop("a node group"),
    "GROUP_VERIFY_DISKS": gettext_noop("a node group"),
}
_UNNAMED_BY_PREFIX = (
    ("INSTANCE_", gettext_noop("a machine")),
    ("BACKUP_", gettext_noop("a machine")),
    ("TAGS_", gettext_noop("the cluster")),
)
_TAGGED = {
    "instance": gettext_noop("a machine"),
    "node": gettext_noop("a node"),
    "nodegroup": gettext_noop("a node group"),
    "network": gettext_noop("a network"),
}
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
            if not first or len(found) == 1:
                return first
            return _("%(first)s and %(number)s more") % {"first": first, "number": len(found) - 1}
    return _name_or_nothing(split_summary(opcode.summary)[1].split(",")[0].strip(), names)


def _name_or_nothing(value: str, names: Mapping[str, str]) -> str:
    return names.get(value, "") if is_uuid(value) else value


def _fill_in(opcode: Opcode, template: str, name: str) -> str:
    """The title of one step. Without a name it says what kind of thing it is about, or nothing of it."""
    if name or "{}" not in template:
        return _(template).format(name)
    unnamed = _UNNAMED.get(opcode.name) or next(
        (words for prefix, words in _UNNAMED_BY_PREFIX if opcode.name.startswith(prefix)), ""
    )
    if opcode.name.startswith("TAGS_"):
        unnamed = _TAGGED.get(str(opcode.params.get("kind")), unnamed)
    return _(template).format(_(unnamed) if unnamed else "").strip()


def title_of(job: JobInfo, names: Mapping[str, str]) -> str:
    """The job in words: "Start web1.example.org", "Modify web1.example.org and 2 more steps"; a dry run is a check.

    `names` are the names of node groups by uuid, since Ganeti's own jobs name groups so.
    """
    if not job.opcodes:
        return _("Job %s") % job.id
    first = job.opcodes[0]
    name = name_object(first, names)
    known = _TITLES.get(first.name)
    if known is None:
        words = first.name.replace("_", " ").capitalize() or _("Job %s") % job.id
        title = f"{words} {name}".strip()
    else:
        title = _fill_in(first, known, name)
    more = len(job.opcodes) - 1
    if more:
        title = ngettext("%(title)s and %(number)s more step", "%(title)s and %(number)s more steps", more) % {
            "title": title,
            "number": more,
        }
    if any(opcode.params.get("dry_run") is True for opcode in job.opcodes):
        title = _("Check: %s") % title
    return clean_text(title, _TITLE_LENGTH)


def is_uuid(text: str) -> bool:
    """Whether this is written like an identity of Ganeti's."""
    return _UUID.fullmatch(text) is not None
