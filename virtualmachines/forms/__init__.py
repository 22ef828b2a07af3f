"""Forms of the virtualmachines app; loaded with it, so that operations find theirs."""

from virtualmachines.forms.actions import RebootForm, RenameForm, ShutdownForm

__all__ = ["RebootForm", "RenameForm", "ShutdownForm"]
