"""What can be done to machines, and to their templates."""

from operations.contract import AnyOperation
from operations.table import register
from virtualmachines.operations.cdrom import EjectCd, InsertCd
from virtualmachines.operations.console import OpenConsole
from virtualmachines.operations.creating import Create
from virtualmachines.operations.deleting import Delete
from virtualmachines.operations.disks import AttachDisk, ConvertDisks, DetachDisk, GrowDisk
from virtualmachines.operations.exporting import Export, ExportAndRemove
from virtualmachines.operations.forget import Discard, ForgetMachine
from virtualmachines.operations.modifying import Modify
from virtualmachines.operations.moving import CleanUpMigration, FailOver, Migrate
from virtualmachines.operations.noting import EditNotes
from virtualmachines.operations.offline import SetOffline, SetOnline
from virtualmachines.operations.owning import SetOwner, WriteOwnerTag
from virtualmachines.operations.power import ApplySettings, Reboot, Shutdown, ShutdownNow, Start
from virtualmachines.operations.protecting import Protect, Unprotect
from virtualmachines.operations.reconciling import AcceptMachine, Adopt
from virtualmachines.operations.reinstalling import Reinstall
from virtualmachines.operations.rename import Rename
from virtualmachines.operations.replacing import ReplaceDisks
from virtualmachines.operations.sizing import SetSizes
from virtualmachines.operations.storage import ActivateDisks, DeactivateDisks, RecreateDisks
from virtualmachines.operations.tagging import AddTags, RemoveTags
from virtualmachines.operations.templates import CopyTemplate, CreateTemplate, DeleteTemplate, EditTemplate

VM_OPERATIONS: tuple[AnyOperation, ...] = (
    Start(),
    Shutdown(),
    ShutdownNow(),
    Reboot(),
    ApplySettings(),
    OpenConsole(),
    Modify(),
    EditNotes(),
    GrowDisk(),
    DetachDisk(),
    AttachDisk(),
    ConvertDisks(),
    InsertCd(),
    EjectCd(),
    Rename(),
    Migrate(),
    FailOver(),
    CleanUpMigration(),
    ReplaceDisks(),
    Export(),
    ExportAndRemove(),
    Protect(),
    Unprotect(),
    AddTags(),
    RemoveTags(),
    SetOwner(),
    Adopt(),
    AcceptMachine(),
    SetOffline(),
    SetOnline(),
    ActivateDisks(),
    DeactivateDisks(),
    RecreateDisks(),
    Reinstall(),
    Delete(),
    ForgetMachine(),
    Discard(),
)

# In no menu: what is done by itself, and asked for where it was not enough.
_ELSEWHERE: tuple[AnyOperation, ...] = (WriteOwnerTag(),)

TEMPLATE_OPERATIONS: tuple[AnyOperation, ...] = (EditTemplate(), CopyTemplate(), DeleteTemplate())

# What can be done to many machines at once, from their list.
BULK = (
    "vm.start",
    "vm.shutdown",
    "vm.reboot",
    "vm.shutdown-now",
    "vm.apply-settings",
    "vm.migrate",
    "vm.failover",
    "vm.modify",
    "vm.add-tags",
    "vm.remove-tags",
    "vm.set-owner",
    "vm.protect",
    "vm.unprotect",
    "vm.set-offline",
    "vm.set-online",
    "vm.activate-disks",
    "vm.deactivate-disks",
    "vm.delete",
)

# The same from the pages of reconciliation.
RECONCILING = ("vm.set-owner", "vm.adopt", "vm.write-owner-tag", "vm.accept", "vm.forget")


def list_reconciling() -> list[AnyOperation]:
    """The operations that bring machines here and in Ganeti together."""
    return [operation for operation in (*VM_OPERATIONS, *_ELSEWHERE) if operation.key in RECONCILING]


def list_bulk() -> list[AnyOperation]:
    """The operations that can be done to many machines at once."""
    return [operation for operation in VM_OPERATIONS if operation.key in BULK]


register(*VM_OPERATIONS, *_ELSEWHERE, Create(), SetSizes(), CreateTemplate(), *TEMPLATE_OPERATIONS)
