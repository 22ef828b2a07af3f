"""Rows of the virtualmachines app."""

from virtualmachines.models.grants import VMGroupGrant, VMUserGrant
from virtualmachines.models.vm import VirtualMachine

__all__ = ["VMGroupGrant", "VMUserGrant", "VirtualMachine"]
