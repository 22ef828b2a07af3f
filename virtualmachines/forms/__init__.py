"""Forms of the virtualmachines app; loaded with it, so that operations find theirs."""

from virtualmachines.forms.actions import RebootForm, RenameForm, ShutdownForm
from virtualmachines.forms.moving import CleanUpMigrationForm, FailoverForm, MigrateForm

__all__ = [
    "CleanUpMigrationForm",
    "CreateForm",
    "FailoverForm",
    "MigrateForm",
    "RebootForm",
    "RenameForm",
    "ShutdownForm",
]
from virtualmachines.forms.specs import CreateForm
