"""What is asked before something is done to a machine."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from operations.forms import OperationForm, asks_for
from virtualmachines.operations.power import REBOOT_TYPES, SHUTDOWN_TIMEOUT_S, reboot_types


@asks_for("vm.apply-settings")
@asks_for("vm.delete")
@asks_for("vm.shutdown")
class ShutdownForm(OperationForm):
    """How long the guest may take."""

    timeout_s = forms.IntegerField(
        label=_("Shutdown timeout, in seconds"),
        min_value=0,
        max_value=3600,
        initial=SHUTDOWN_TIMEOUT_S,
        required=False,
        help_text=_("How long the guest may take to shut down by itself before it is switched off."),
        error_messages={
            "invalid": _("The shutdown timeout is a number of whole seconds, such as 120."),
            "min_value": _("The shutdown timeout cannot be negative."),
            "max_value": _("The shutdown timeout can be 3600 seconds (one hour) at most."),
        },
    )

    def clean_timeout_s(self) -> int:
        """Empty means the default."""
        value = self.cleaned_data["timeout_s"]
        return SHUTDOWN_TIMEOUT_S if value is None else int(value)


@asks_for("vm.reboot")
class RebootForm(ShutdownForm):
    """Which kind of reboot."""

    type = forms.ChoiceField(
        label=_("How"),
        choices=list(REBOOT_TYPES.items()),
        initial="hard",
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Choose one of the ways of rebooting: hard, full or soft.")},
    )

    field_order = ["type", "timeout_s"]

    def fit(self) -> None:
        """Say what each way does with the hypervisor of this machine."""
        field: Any = self.fields["type"]
        field.choices = list(reboot_types(self.target.hypervisor).items())

    def clean_type(self) -> str:
        """Empty means the default."""
        return str(self.cleaned_data["type"] or "hard")


@asks_for("vm.rename")
class RenameForm(OperationForm):
    """Which name, and what Ganeti is to look at first."""

    new_name = forms.CharField(
        label=_("New name"),
        max_length=253,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
        error_messages={"required": _("Type the new name, such as web1.example.org.")},
    )
    name_check = forms.BooleanField(
        label=_("Have the cluster look the name up"),
        required=False,
        help_text=_("A short name becomes the full one. Where DNS does not know it, nothing is renamed."),
    )
    ip_check = forms.BooleanField(
        label=_("Make sure that nobody answers at its address"),
        required=False,
        help_text=_("Only with the name looked up."),
    )

    def fit(self) -> None:
        """Begin with the name as it is."""
        self.fields["new_name"].initial = self.target.name

    def clean_new_name(self) -> str:
        """Names are written in lower case."""
        return str(self.cleaned_data["new_name"]).strip().lower()
