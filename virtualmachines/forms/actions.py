"""Which form asks for the parameters of which operation: one table for web, bulk, API and command line."""

from django import forms

from clusters.forms.operate import OperationForm
from virtualmachines.operations.power import REBOOT_TYPES, SHUTDOWN_TIMEOUT_S


class ShutdownForm(OperationForm):
    """How long the guest may take."""

    timeout_s = forms.IntegerField(
        label="Wait",
        min_value=0,
        max_value=3600,
        initial=SHUTDOWN_TIMEOUT_S,
        required=False,
        help_text="Seconds the guest gets to shut down by itself before it is switched off.",
        error_messages={
            "invalid": "“Wait” takes whole seconds, such as 120.",
            "min_value": "“Wait” cannot be negative.",
            "max_value": "“Wait” can be 3600 seconds (one hour) at most.",
        },
    )

    def clean_timeout_s(self) -> int:
        """Empty means the default."""
        value = self.cleaned_data["timeout_s"]
        return SHUTDOWN_TIMEOUT_S if value is None else int(value)


class RebootForm(ShutdownForm):
    """Which kind of reboot."""

    type = forms.ChoiceField(
        label="Kind of reboot",
        choices=list(REBOOT_TYPES.items()),
        initial="hard",
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "“Kind of reboot” is soft, hard or full."},
    )

    field_order = ["type", "timeout_s"]

    def clean_type(self) -> str:
        """Empty means the default."""
        return str(self.cleaned_data["type"] or "hard")


FORM_FOR: dict[str, type[OperationForm]] = {"shutdown": ShutdownForm, "reboot": RebootForm}
