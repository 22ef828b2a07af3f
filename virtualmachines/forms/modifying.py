"""A change of a machine as data: for the command line, batches and the API. Its page makes such data."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from operations.forms import OperationForm, asks_for
from virtualmachines.spec.data import BadData, from_data
from virtualmachines.spec.edits import Edit


class _Changes(forms.JSONField):
    """To want nothing is said as {}; the operation finds that nothing would change."""

    empty_values = (None, "")


@asks_for("vm.modify")
class ModifyForm(OperationForm):
    """What is wanted otherwise, as JSON."""

    wanted = _Changes(
        label=_("Changes"),
        help_text=_('As JSON, such as {"beparams": {"vcpus": 4}}; null makes a parameter follow the cluster again.'),
        error_messages={"invalid": _("This is no JSON."), "required": _("Say what is to be changed.")},
    )
    opened = forms.CharField(label=_("Version"), required=False, max_length=64)
    hotplug = forms.BooleanField(
        label=_("Change disks and network cards while it runs"),
        required=False,
        help_text=_("Otherwise they are changed when it is started the next time."),
    )
    typed_name = forms.CharField(label=_("Its name, where disks are removed"), required=False, max_length=253)

    def clean_wanted(self) -> Any:
        """An edit."""
        try:
            return from_data(Edit, self.cleaned_data["wanted"])
        except BadData as bad:
            raise ValidationError(str(bad)) from bad
