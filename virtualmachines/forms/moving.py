"""What is asked before a machine is moved."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from operations.forms import OperationForm, asks_for
from virtualmachines.forms.actions import ShutdownForm
from virtualmachines.forms.placement import NodeField
from virtualmachines.operations.moving import SHARED, has_allocator
from virtualmachines.room import places_for

AUTOMATIC = _("Automatic: the cluster's allocator chooses")


class _Destination(OperationForm):
    """Where to, if its disks leave that open."""

    target_node = NodeField(label=_("To node"), required=False)

    def fit(self) -> None:
        """What is mirrored goes to its secondary node, so nobody is asked."""
        if self.target.disk_template not in SHARED:
            return
        field: Any = self.fields["target_node"]
        runs = self.target.is_running or self.target.admin_state == "up"
        places = places_for(self.target, runs=runs)
        field.offer(places, otherwise=AUTOMATIC if has_allocator(self.target) else "")


@asks_for("vm.migrate")
class MigrateForm(_Destination):
    """How, and where to."""

    mode = forms.ChoiceField(
        label=_("How"),
        required=False,
        choices=[
            ("", _("As the cluster is set up")),
            ("live", _("Live: it keeps running while its memory is copied, and pauses for a moment")),
            ("non-live", _("Not live: it is suspended while its memory is copied")),
        ],
        widget=forms.RadioSelect,
    )
    allow_failover = forms.BooleanField(
        label=_("Fail over if it can't be migrated"),
        required=False,
        help_text=_("It is then shut down here and started there: whoever uses it is cut off."),
    )

    field_order = ["target_node", "mode", "allow_failover"]


@asks_for("vm.cleanup-migration")
class CleanUpMigrationForm(_Destination):
    """Which node it was to go to."""

    def fit(self) -> None:
        """There is no room to ask for: the machine is there, or it is not."""
        super().fit()
        field: Any = self.fields["target_node"]
        field.label = _("The node that it was to go to")
        if self.target.disk_template in SHARED:
            field.offer(places_for(self.target, runs=False))


@asks_for("vm.failover")
class FailoverForm(_Destination, ShutdownForm):
    """Where to, how long the guest may take, and what if the mirror is not complete."""

    ignore_consistency = forms.BooleanField(
        label=_("Even if the other node's copy of its disks is not complete"),
        required=False,
        help_text=_("What was not copied is lost. Only for a node that will not come back."),
    )

    field_order = ["target_node", "timeout_s", "ignore_consistency"]

    def fit(self) -> None:
        """Only mirrored disks have a second copy."""
        super().fit()
        if self.target.disk_template != "drbd":
            self.fields["ignore_consistency"].widget = forms.HiddenInput()
