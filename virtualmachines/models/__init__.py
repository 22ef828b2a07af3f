"""Rows of the virtualmachines app."""

from virtualmachines.models.grants import VMGroupGrant, VMUserGrant
from virtualmachines.models.tag import MachineTag
from virtualmachines.models.vm import VirtualMachine

__all__ = ["MachineTag", "VMGroupGrant", "VMUserGrant", "VirtualMachine"]
