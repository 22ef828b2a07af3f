"""A change of a machine as data: for the command line, batches and the API. Its page makes such data."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from operations.contract import AnyOperation
from operations.forms import OperationForm, asks_for
from sealing.fields import Sealed, SecretUnreadable, seal
from virtualmachines.spec.data import BadData, from_data
from virtualmachines.spec.edits import Edit


def seal_private(values: Mapping[str, Any]) -> str:
    """Private OS parameters, encrypted, so that a session or a batch may keep them until they are sent."""
    return seal(json.dumps(dict(values))) if values else ""


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
    private = forms.CharField(label=_("Private OS parameters, encrypted"), required=False, widget=forms.HiddenInput)

    def clean_wanted(self) -> Any:
        """An edit."""
        try:
            return from_data(Edit, self.cleaned_data["wanted"])
        except BadData as bad:
            raise ValidationError(str(bad)) from bad

    def clean_private(self) -> Any:
        """What they are set to."""
        try:
            return json.loads(Sealed(self.cleaned_data["private"], "private OS parameters").reveal() or "{}")
        except (SecretUnreadable, ValueError) as unreadable:
            raise ValidationError(
                _("The private OS parameters can't be read any more: type them again.")
            ) from unreadable

    def params(self, operation: AnyOperation) -> Any:
        """The private ones are a part of what is wanted."""
        given = {name: self.cleaned_data[name] for name in self.base_fields if name != "private"}
        if private := self.cleaned_data["private"]:
            given["wanted"] = replace(given["wanted"], osparams_private=private)
        return operation.params_type(**given)
