"""Rows of the virtualmachines app."""

from virtualmachines.models.count import CountCheck, MachineCount
from virtualmachines.models.grants import VMGroupGrant, VMUserGrant
from virtualmachines.models.tag import MachineTag
from virtualmachines.models.template import MachineTemplate, TemplateGroupGrant, TemplateUserGrant
from virtualmachines.models.text import MachineText
from virtualmachines.models.vm import VirtualMachine, is_left_of_creation

__all__ = [
    "CountCheck",
    "MachineCount",
    "MachineTag",
    "MachineTemplate",
    "MachineText",
    "TemplateGroupGrant",
    "TemplateUserGrant",
    "VMGroupGrant",
    "VMUserGrant",
    "VirtualMachine",
    "is_left_of_creation",
]
