"""Where a machine is made, and of what: nodes, group, allocator, OS, an export."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext_lazy

from clusters.tags import OUR_PREFIX, TOOLS_PREFIX
from objectlog.words import gettext as _
from virtualmachines.rules.facts import Facts
from virtualmachines.rules.sizes import Fault
from virtualmachines.spec import VMSpec

MIRRORED = "drbd"
#: options for who administers the cluster: they step over what it guards, or reach into its nodes
_FOR_ADMINS = {
    "ignore_ipolicy": gettext_lazy("Ignoring the policy"),
    "force_variant": gettext_lazy("An OS variant that is not listed"),
    "identify_defaults": gettext_lazy("Following defaults that are equal"),
    "file_storage_dir": gettext_lazy("A directory for disks"),
    "forthcoming": gettext_lazy("Reserving without creating"),
    "commit": gettext_lazy("Creating what was reserved"),
    "instance_communication": gettext_lazy("Communication with the node"),
}
_TROUBLE = {
    "offline": gettext_lazy("%s is offline."),
    "drained": gettext_lazy("%s is drained: nothing new is put there."),
    "not vm_capable": gettext_lazy("%s takes no machines."),
}
_TAG = re.compile(r"[\w.+*/:@-]{1,128}", re.ASCII)


def judge_placement(own: VMSpec, facts: Facts) -> Iterator[Fault]:
    """Nodes that are there and can take it, or an allocator. `own` is trimmed."""
    where = own.placement
    if where.primary and where.allocator:
        yield "placement.primary", _("Either choose nodes, or let the allocator choose.")
    if where.primary and where.primary == where.secondary:
        yield "placement.secondary", _("The secondary node must be another than the primary node.")
    for name in ("primary", "secondary"):
        yield from _judge_node(f"placement.{name}", getattr(where, name), facts)
    if own.disk_template == MIRRORED and where.primary and not where.secondary:
        yield "placement.secondary", _("Mirrored disks need a secondary node.")
    if where.secondary and (own.disk_template != MIRRORED or not where.primary):
        yield "placement.secondary", _("A secondary node is for mirrored disks, beside the primary node.")
    if not where.primary and not where.allocator and not facts.allocator:
        yield "placement.primary", _("This cluster has no default allocator: choose the node.")
    if where.group and facts.policies and where.group not in facts.policies:
        yield "placement.group", _("There is no node group called %s on this cluster.") % where.group
    elif where.group and where.primary in facts.nodes and facts.nodes[where.primary].group != where.group:
        yield "placement.group", _("The node is in another group.")


def _judge_node(field: str, name: str, facts: Facts) -> Iterator[Fault]:
    if not name or not facts.nodes:
        return
    node = facts.nodes.get(name)
    if node is None:
        yield field, _("There is no node called %s on this cluster.") % name
    elif node.trouble:
        yield field, str(_TROUBLE[node.trouble]) % name


def judge_system(own: VMSpec, facts: Facts) -> Iterator[Fault]:
    """The hypervisor, and the OS: it must be there, unless nothing is installed."""
    is_open = own.source is not None and not own.hypervisor
    if facts.hypervisors and own.hypervisor not in facts.hypervisors and not is_open:
        yield "hypervisor", _("This cluster runs these hypervisors: %s.") % ", ".join(facts.hypervisors)
    if own.source is not None:
        return
    options = own.options
    if not own.os and "os-image" not in own.osparams:
        yield "os", _("Choose an OS: Ganeti asks for one even where nothing is installed.")
    is_listed = not own.os or not facts.systems or own.os in facts.systems
    if not is_listed and not options.no_install and not options.force_variant:
        yield "os", _("%s is not installed on this cluster.") % own.os


def judge_options(own: VMSpec, facts: Facts, *, is_admin: bool) -> Iterator[Fault]:
    """What goes together, and who may say it."""
    options = own.options
    if options.ip_check and not options.name_check:
        yield "options.ip_check", _("The address is known from the name: have the name looked up as well.")
    if options.opportunistic_locking and (own.placement.primary or not (own.placement.allocator or facts.allocator)):
        yield "options.opportunistic_locking", _("This is for the allocator.")
    if options.no_install and own.source is not None:
        yield "options.no_install", _("What an export holds is installed already: its disks are taken as they are.")
    for name, label in _FOR_ADMINS.items():
        if getattr(options, name) and not is_admin:
            yield f"options.{name}", _("%s: for those who administer the cluster.") % label
    if not options.conflicts_check and not is_admin:
        yield "options.conflicts_check", _("Using an address twice: for those who administer the cluster.")
    for tag in sorted(own.tags):
        if not _TAG.fullmatch(tag):
            yield "tags", _("“%s” is no tag: letters, digits and . + * / : @ _ - only, at most 128 of them.") % tag
        elif tag.startswith(OUR_PREFIX):
            yield "tags", _("Tags that begin with %s are kept by this program.") % OUR_PREFIX
        elif tag.startswith(TOOLS_PREFIX) and not is_admin:
            yield "tags", _("Tags that begin with %s are for administrators of the cluster.") % TOOLS_PREFIX


def judge_source(own: VMSpec, facts: Facts, *, is_admin: bool, may_export: bool) -> Iterator[Fault]:
    """An export may be anybody's: making a machine of it needs the right to export."""
    if own.source is None:
        return
    if not may_export:
        yield "source.node", _("Making a machine from an export needs the right to export on the cluster.")
        return
    if not own.source.node:
        yield "source.node", _("Name the node that keeps the export.")
    elif facts.nodes and own.source.node not in facts.nodes:
        yield "source.node", _("There is no node called %s on this cluster.") % own.source.node
    if "/" in own.source.path and not is_admin:
        yield "source.path", _("Name the export. Directories are for those who administer the cluster.")
