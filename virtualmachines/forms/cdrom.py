"""Which CD."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clusters.operations.images import read_images
from operations.forms import OperationForm, asks_for


@asks_for("vm.insert-cd")
class InsertCdForm(OperationForm):
    """One of the cluster's images, by its name; whether it is one is for the operation's check."""

    image = forms.CharField(label=_("Image"), error_messages={"required": _("Choose an image.")})
    boots = forms.BooleanField(
        label=_("Boot from it"),
        required=False,
        help_text=_("Until the CD is ejected here, or the boot order is changed."),
    )

    def fit(self) -> None:
        """Offer what is listed; where a CD lies is told to nobody."""
        field: Any = self.fields["image"]
        field.widget = forms.Select(choices=[(image.name, image.name) for image in read_images(self.target.cluster)])
