"""What is asked before a machine, or one of its disks, is moved."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster
from operations.forms import OpenedField, OperationForm, asks_for
from virtualmachines.forms.actions import ShutdownForm
from virtualmachines.forms.placement import NodeField
from virtualmachines.forms.which_disks import DisksField, SomeDisksForm
from virtualmachines.moves import SHARED, allocator_in
from virtualmachines.operations.base import place_of
from virtualmachines.operations.moving import allocator_of
from virtualmachines.operations.replacing import NEW_SECONDARY
from virtualmachines.room import Need, list_receivers, places_for, places_for_secondary, rank_nodes

NONE = _("None")
AUTOMATIC = _("Automatic: the cluster's allocator chooses")

_MOST_KINDS = 20


class _Destination(OperationForm):
    """Where to, if its disks leave that open."""

    target_node = NodeField(label=_("To node"), required=False)
    opened = OpenedField()

    def fit(self) -> None:
        """What is mirrored goes to its secondary node, so nobody is asked."""
        self.fields["opened"].initial = place_of(self.target)
        if self.target.disk_template not in SHARED:
            return
        field: Any = self.fields["target_node"]
        runs = self.target.is_running or self.target.admin_state == "up"
        automatic = AUTOMATIC if allocator_of(self.target) else ""
        field.offer(lambda: places_for(self.target, runs=runs), otherwise=automatic)

    def fit_many(self, targets: QuerySet[Any]) -> None:
        """One node for all, where they are of one cluster and every one may go anywhere."""
        kinds = list(targets.order_by().values_list("cluster", "disk_template").distinct()[:_MOST_KINDS])
        clusters = Cluster.objects.filter(pk__in={pk for pk, _template in kinds})
        if len(kinds) < _MOST_KINDS and all(template in SHARED for _pk, template in kinds) and len(clusters) == 1:
            [cluster] = clusters
            field: Any = self.fields["target_node"]
            automatic = AUTOMATIC if allocator_in(cluster.info) else ""
            field.offer(lambda: rank_nodes(cluster, Need()), otherwise=automatic, tells_room=False)


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
            field.offer(lambda: places_for(self.target, runs=False))


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


@asks_for("vm.replace-disks")
class ReplaceDisksForm(SomeDisksForm):
    """Which copy is replaced, of which disks, and where a new one is made."""

    mode = forms.ChoiceField(
        label=_("Which copy"),
        required=False,
        initial="replace_auto",
        widget=forms.RadioSelect,
        choices=[
            ("replace_auto", _("Automatic: those that Ganeti finds broken")),
            ("replace_on_primary", _("The one on its node, from that on its secondary node")),
            ("replace_on_secondary", _("The one on its secondary node, from that on its node")),
            (NEW_SECONDARY, _("Move the second copy to another node")),
        ],
    )
    disks = DisksField(_("None ticked: all. Single ones only where they are."))
    target_node = NodeField(label=_("New secondary node"), required=False)
    opened = OpenedField()

    field_order = ["mode", "disks", "target_node"]

    def fit(self) -> None:
        """Name the nodes, the disks with their sizes, and what stays free elsewhere."""
        super().fit()
        fields: Any = self.fields
        fields["opened"].initial = place_of(self.target)
        first, second = self.target.primary_node, self.target.secondary_node
        if first is not None and second is not None:
            told = {"first": first.name, "second": second.name}
            fields["mode"].choices = [
                fields["mode"].choices[0],
                ("replace_on_primary", _("The copy on %(first)s, from that on %(second)s") % told),
                ("replace_on_secondary", _("The copy on %(second)s, from that on %(first)s") % told),
                (NEW_SECONDARY, _("Move the copy on %(second)s to another node") % told),
            ]
        automatic = AUTOMATIC if allocator_of(self.target) else NONE
        fields["target_node"].offer(lambda: places_for_secondary(self.target), otherwise=automatic)

    def clean_mode(self) -> str:
        """Empty means the default."""
        return str(self.cleaned_data["mode"] or "replace_auto")


@asks_for("vm.export-and-remove")
class ExportAndRemoveForm(ShutdownForm):
    """Where the export is kept."""

    target_node = NodeField(label=_("Keep the export on"), required=False)

    field_order = ["target_node", "timeout_s"]

    def fit(self) -> None:
        """Where something can be put."""
        field: Any = self.fields["target_node"]
        field.offer(lambda: list_receivers(self.target), tells_room=False)


@asks_for("vm.export")
class ExportForm(ExportAndRemoveForm):
    """And whether the guest may go on writing."""

    keep_running = forms.BooleanField(
        label=_("Keep it running"),
        required=False,
        help_text=_("The copy is then as after a power failure: what the guest had not written is not in it."),
    )

    field_order = ["target_node", "timeout_s", "keep_running"]
