"""The kinds of this app: machines and their templates."""

from clusters.kinds import PLACE_OF_MIRRORED, place_of_mirrored
from clusters.moved import find_row
from permissions.kinds import Kind, add_kind
from virtualmachines.models import MachineTemplate, VirtualMachine
from virtualmachines.selectors import get_vm, list_vms_with_all
from virtualmachines.template_selectors import (
    PLACE_OF_TEMPLATE,
    list_templates_with_all,
    pick_template,
    place_of_template,
)

add_kind(
    Kind(
        "vm",
        VirtualMachine,
        typed="CLUSTER/MACHINE",
        pattern=r"(?P<slug>[^/@]+)/(?P<name>[^/]+)",
        rows=list_vms_with_all,
        pick=lambda rows, slug, name: find_row(rows, "instance", slug, name),
        place=place_of_mirrored,
        needed=PLACE_OF_MIRRORED,
        named=lambda vm: str(vm.name),
        in_ganeti="instance",
        journal="audit",
        get=get_vm,
    )
)

add_kind(
    Kind(
        "template",
        MachineTemplate,
        typed="CLUSTER/TEMPLATE, -/TEMPLATE",
        pattern=r"(?P<slug>[^/@]+)/(?P<name>[^/]+)",
        rows=list_templates_with_all,
        pick=pick_template,
        place=place_of_template,
        needed=PLACE_OF_TEMPLATE,
        journal="audit",
    )
)
