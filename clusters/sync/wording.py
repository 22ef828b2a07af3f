"""What a job does, in words: from its opcodes, or from Ganeti's summary of them."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext_noop

from objectlog.words import gettext as _
from objectlog.words import joined, ngettext
from rapi.shapes.job import JobInfo, Opcode, split_summary
from rapi.text import clean_text

_TITLE_LENGTH = 255

# OP_ID without its prefix: words with the object's name in them.
_TITLES: dict[str, str] = {
    "INSTANCE_CREATE": gettext_noop("Create %s"),
    "INSTANCE_REINSTALL": gettext_noop("Reinstall %s"),
    "INSTANCE_REMOVE": gettext_noop("Delete %s"),
    "INSTANCE_RENAME": gettext_noop("Rename %s"),
    "INSTANCE_STARTUP": gettext_noop("Start %s"),
    "INSTANCE_SHUTDOWN": gettext_noop("Shut down %s"),
    "INSTANCE_REBOOT": gettext_noop("Reboot %s"),
    "INSTANCE_REPLACE_DISKS": gettext_noop("Replace disks of %s"),
    "INSTANCE_FAILOVER": gettext_noop("Fail over %s"),
    "INSTANCE_MIGRATE": gettext_noop("Migrate %s"),
    "INSTANCE_MOVE": gettext_noop("Move %s"),
    "INSTANCE_CONSOLE": gettext_noop("Console of %s"),
    "INSTANCE_ACTIVATE_DISKS": gettext_noop("Activate disks of %s"),
    "INSTANCE_DEACTIVATE_DISKS": gettext_noop("Deactivate disks of %s"),
    "INSTANCE_RECREATE_DISKS": gettext_noop("Recreate disks of %s"),
    "INSTANCE_QUERY_DATA": gettext_noop("Inspect %s"),
    "INSTANCE_SET_PARAMS": gettext_noop("Modify %s"),
    "INSTANCE_GROW_DISK": gettext_noop("Grow a disk of %s"),
    "INSTANCE_CHANGE_GROUP": gettext_noop("Change the group of %s"),
    "INSTANCE_MULTI_ALLOC": gettext_noop("Create machines"),
    "BACKUP_PREPARE": gettext_noop("Prepare an export of %s"),
    "BACKUP_EXPORT": gettext_noop("Export %s"),
    "BACKUP_REMOVE": gettext_noop("Remove the export of %s"),
    "NODE_ADD": gettext_noop("Add node %s"),
    "NODE_REMOVE": gettext_noop("Remove node %s"),
    "NODE_SET_PARAMS": gettext_noop("Modify node %s"),
    "NODE_POWERCYCLE": gettext_noop("Power-cycle node %s"),
    "NODE_EVACUATE": gettext_noop("Evacuate node %s"),
    "NODE_MIGRATE": gettext_noop("Migrate machines off %s"),
    "NODE_QUERY_STORAGE": gettext_noop("Query storage of %s"),
    "NODE_MODIFY_STORAGE": gettext_noop("Modify storage of node %s"),
    "REPAIR_NODE_STORAGE": gettext_noop("Repair storage of node %s"),
    "OOB_COMMAND": gettext_noop("Out-of-band command on %s"),
    "GROUP_ADD": gettext_noop("Add node group %s"),
    "GROUP_REMOVE": gettext_noop("Remove node group %s"),
    "GROUP_RENAME": gettext_noop("Rename node group %s"),
    "GROUP_SET_PARAMS": gettext_noop("Modify node group %s"),
    "GROUP_ASSIGN_NODES": gettext_noop("Assign nodes to %s"),
    "GROUP_EVACUATE": gettext_noop("Evacuate node group %s"),
    "GROUP_VERIFY_DISKS": gettext_noop("Verify disks of %s"),
    "NETWORK_ADD": gettext_noop("Add network %s"),
    "NETWORK_REMOVE": gettext_noop("Remove network %s"),
    "NETWORK_RENAME": gettext_noop("Rename network %s"),
    "NETWORK_SET_PARAMS": gettext_noop("Modify network %s"),
    "NETWORK_CONNECT": gettext_noop("Connect network %s"),
    "NETWORK_DISCONNECT": gettext_noop("Disconnect network %s"),
    "CLUSTER_SET_PARAMS": gettext_noop("Modify the cluster"),
    "CLUSTER_REDIST_CONF": gettext_noop("Redistribute the configuration"),
    "CLUSTER_VERIFY": gettext_noop("Verify the cluster"),
    "CLUSTER_VERIFY_CONFIG": gettext_noop("Verify the configuration"),
    "CLUSTER_VERIFY_GROUP": gettext_noop("Verify node group %s"),
    "CLUSTER_VERIFY_DISKS": gettext_noop("Verify disks"),
    "CLUSTER_REPAIR_DISK_SIZES": gettext_noop("Repair disk sizes"),
    "CLUSTER_RENAME": gettext_noop("Rename the cluster to %s"),
    "CLUSTER_RENEW_CRYPTO": gettext_noop("Renew the cluster's keys"),
    "CLUSTER_ACTIVATE_MASTER_IP": gettext_noop("Activate the master's address"),
    "CLUSTER_DEACTIVATE_MASTER_IP": gettext_noop("Deactivate the master's address"),
    "OS_DIAGNOSE": gettext_noop("List operating systems"),
    "TAGS_SET": gettext_noop("Set tags on %s"),
    "TAGS_DEL": gettext_noop("Remove tags from %s"),
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
    if "%s" not in template:
        return _(template)
    if name:
        return _(template) % name
    unnamed = _UNNAMED.get(opcode.name) or next(
        (words for prefix, words in _UNNAMED_BY_PREFIX if opcode.name.startswith(prefix)), ""
    )
    if opcode.name.startswith("TAGS_"):
        unnamed = _TAGGED.get(str(opcode.params.get("kind")), unnamed)
    return _(template) % _(unnamed) if unnamed else _(template.removesuffix(" %s"))


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
        title = joined(" ", [words, name])
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
