"""What is asked before a machine is reinstalled, its disks are recreated, or somebody else becomes its owner."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.forms.tags import TagsForm
from operations.contract import AnyOperation
from operations.forms import OpenedField, OperationForm, asks_for
from operations.once import read_once
from permissions.models import Persona
from ui.names import NameInput
from virtualmachines.forms.pieces.system import group_systems
from virtualmachines.forms.pieces.typed import PairsField
from virtualmachines.forms.which_disks import DisksField, SomeDisksForm
from virtualmachines.known_teams import find_known_persona
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.owning import OwnerParams, version_of_owner
from virtualmachines.operations.reinstalling import ReinstallParams


@asks_for("vm.reinstall")
class ReinstallForm(OperationForm):
    """Which system, with which parameters, and whether it is started then."""

    os = forms.CharField(
        label=gettext_lazy("Operating system"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Empty: the one it has."),
        widget=forms.Select(),
    )
    osparams = PairsField(
        label=gettext_lazy("OS parameters"),
        help_text=gettext_lazy("One name=value a line. Those that are not named stay as they are."),
    )
    start = forms.BooleanField(label=gettext_lazy("Start it afterwards"), required=False, initial=True)

    def fit(self) -> None:
        """The systems of its cluster, its own chosen."""
        field: Any = self.fields["os"]
        field.widget.choices = group_systems(self.target.cluster.operating_systems, self.target.os)
        field.initial = self.target.os

    @classmethod
    def again(cls, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Of OS parameters the names alone are kept."""
        return {name: value for name, value in super().again(kept).items() if name != "osparams"}

    def untold(self, kept: Mapping[str, Any]) -> Iterator[str]:
        yield from super().untold(kept)
        if names := kept.get("osparams"):
            words = _("OS parameters: type these once more, their values are not kept: %s")
            yield words % ", ".join(map(str, names))

    def params(self, operation: AnyOperation) -> ReinstallParams:
        return ReinstallParams(**self.cleaned_data_of("os", "osparams", "start"))

    def cleaned_data_of(self, *names: str) -> dict[str, Any]:
        """These fields alone."""
        return {name: self.cleaned_data[name] for name in names}


@asks_for("vm.activate-disks")
class ActivateDisksForm(OperationForm):
    """How strict Ganeti is."""

    ignore_size = forms.BooleanField(
        label=gettext_lazy("Also where a disk is not as large as Ganeti believes"), required=False
    )


@asks_for("vm.recreate-disks")
class RecreateDisksForm(SomeDisksForm):
    """Which of them."""

    disks = DisksField(gettext_lazy("None ticked: all."))


@asks_for("vm.add-tags")
@asks_for("vm.remove-tags")
class MachineTagsForm(TagsForm):
    """Those of a machine."""


@asks_for("vm.adopt")
class OfOwnerForm(OperationForm):
    """Whose it was as it was asked for: of two who take the same machine at once, the second is told of the first."""

    opened = OpenedField()

    def fit(self) -> None:
        self.fields["opened"].initial = version_of_owner(self.target.owner_id)


@asks_for("vm.set-owner")
class OwnerForm(OfOwnerForm):
    """A person, a team, or nobody."""

    owner = forms.CharField(
        widget=NameInput(teams=True),
        label=gettext_lazy("Owner"),
        required=False,
        max_length=151,
        help_text=gettext_lazy("A user name, or a team as @team. Empty: nobody."),
    )

    def fit(self) -> None:
        """Whose it is now."""
        super().fit()
        owner = self.target.owner
        if owner is not None:
            self.fields["owner"].initial = f"@{owner.name}" if owner.group_id is not None else owner.name

    def clean_owner(self) -> str:
        """The name of somebody who is there."""
        name = str(self.cleaned_data["owner"]).strip()
        if name and self._find(name) is None:
            raise ValidationError(_("There is nobody called %s.") % name)
        return name

    def params(self, operation: AnyOperation) -> OwnerParams:
        name = self.cleaned_data["owner"]
        return OwnerParams(self.cleaned_data["opened"], self._find(name) if name else None)

    def _find(self, name: str) -> Persona | None:
        if self.actor is None:
            return None
        user, on = self.actor.user, self.target
        where = on.cluster_id if isinstance(on, VirtualMachine) else None
        return read_once(("known", user.pk, name, where), lambda: find_known_persona(user, name, on))
