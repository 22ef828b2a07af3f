"""Forms of the virtualmachines app; loaded with it, so that operations find theirs."""

from virtualmachines.forms.actions import RebootForm, RenameForm, ShutdownForm
from virtualmachines.forms.cdrom import InsertCdForm
from virtualmachines.forms.disks import AttachDiskForm, ConvertDisksForm, DetachDiskForm, GrowDiskForm
from virtualmachines.forms.lifecycle import MachineTagsForm, ReinstallForm
from virtualmachines.forms.many import ManySettingsForm
from virtualmachines.forms.modifying import ModifyForm
from virtualmachines.forms.moving import CleanUpMigrationForm, FailoverForm, MigrateForm
from virtualmachines.forms.noting import NotesForm
from virtualmachines.forms.sizes import SizesForm

__all__ = [
    "AttachDiskForm",
    "CleanUpMigrationForm",
    "ConvertDisksForm",
    "CopyTemplateForm",
    "CreateForm",
    "DetachDiskForm",
    "EditTemplateDataForm",
    "FailoverForm",
    "GrowDiskForm",
    "InsertCdForm",
    "MachineTagsForm",
    "ManySettingsForm",
    "MigrateForm",
    "ModifyForm",
    "NotesForm",
    "RebootForm",
    "ReinstallForm",
    "RenameForm",
    "ShutdownForm",
    "SizesForm",
    "TemplateDataForm",
]
from virtualmachines.forms.specs import CreateForm
from virtualmachines.forms.templates import CopyTemplateForm, EditTemplateDataForm, TemplateDataForm
