"""What is asked before something is done to the disks of a machine."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.contract import AnyOperation
from operations.forms import OperationForm, asks_for
from permissions.policy import can
from virtualmachines.detached import COMMAND, list_detached
from virtualmachines.forms.pieces.typed import SizeField
from virtualmachines.forms.placement import NodeField
from virtualmachines.forms.which_disks import DiskField
from virtualmachines.operations.disks import templates_for
from virtualmachines.room import places_for_secondary


class _OneDisk(OperationForm):
    """Which of the machine's disks."""

    disk = DiskField()

    def fit(self) -> None:
        """With what each is called."""
        field: Any = self.fields["disk"]
        field.offer(self.target.disks)
        if uuid := self.initial.get("uuid"):  # of a check: the one that it was about
            self.initial["disk"] = uuid

    def params(self, operation: AnyOperation) -> Any:
        """With the number of the disk, and as which it was chosen."""
        field: Any = self.fields["disk"]
        number = field.keys.index(self.cleaned_data["disk"])
        disk = self.target.disks[number] if self.target is not None else {}
        given = {name: self.cleaned_data[name] for name in self.base_fields}
        return operation.params_type(**{**given, "disk": number, **self.chosen(disk)})

    def chosen(self, disk: Any) -> dict[str, Any]:
        """What is kept of the disk besides its number."""
        return {"uuid": disk.get("uuid") or ""}


@asks_for("vm.detach-disk")
class DetachDiskForm(_OneDisk):
    """Which."""

    def chosen(self, disk: Any) -> dict[str, Any]:
        """With its size, for when it is looked for."""
        return {**super().chosen(disk), "size_mib": disk.get("size_mib")}


@asks_for("vm.grow-disk")
class GrowDiskForm(_OneDisk):
    """To which size, or by how much."""

    size_mib = SizeField(
        label=gettext_lazy("New size"),
        required=False,
        help_text=gettext_lazy("How large it is afterwards, such as 40 GiB."),
    )
    more_mib = SizeField(
        label=gettext_lazy("Or larger by"),
        required=False,
        help_text=gettext_lazy("Instead of the new size."),
    )


class _SuggestingInput(forms.TextInput):
    """A box with a list behind it of what is likely to be typed."""

    def __init__(self, offered: Iterable[tuple[str, str]]) -> None:
        super().__init__({"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"})
        self.offered = tuple(offered)

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The box and its list."""
        listed = f"offered-{name}"
        box = super().render(name, value, {**(attrs or {}), "list": listed}, renderer)
        options = format_html_join("", '<option value="{}">{}</option>', self.offered)
        return format_html('{}<datalist id="{}">{}</datalist>', box, listed, options)


@asks_for("vm.attach-disk")
class AttachDiskForm(OperationForm):
    """Which, of those that no machine has."""

    uuid = forms.CharField(
        label=gettext_lazy("UUID of the disk"),
        max_length=36,
        help_text=gettext_lazy("The journal has it, where the disk was detached."),
        error_messages={"required": gettext_lazy("Type the uuid of the disk.")},
    )

    def fit(self) -> None:
        """With those offered that were detached on its cluster, to who may attach them, and where others are found."""
        if self.actor is None or not can(self.actor.user, "attach_disk", self.target):
            return
        field = self.fields["uuid"]
        if offered := list_detached(self.target.cluster):
            field.widget = _SuggestingInput((disk.uuid, disk.words) for disk in offered)
            field.widget.is_required = True
        words = _("Disks that were detached here are offered. RAPI lists no others; on the master, this does:")
        field.help_text = format_html('{} <code class="break">{}</code>', words, COMMAND)


@asks_for("vm.convert-disks")
class ConvertDisksForm(OperationForm):
    """To what kind of storage."""

    disk_template = forms.CharField(label=gettext_lazy("New kind of disks"), max_length=20)
    secondary = NodeField(
        label=gettext_lazy("Node that mirrors them"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("For mirrored disks (drbd) only."),
    )

    def fit(self) -> None:
        """The kinds that Ganeti can convert to, as a choice; and where there is room for a mirror, if it is one."""
        kinds = templates_for(self.target)
        self.fields["disk_template"].widget = forms.Select(choices=[(name, name) for name in kinds])
        if "drbd" in kinds:
            field: Any = self.fields["secondary"]
            field.offer(lambda: places_for_secondary(self.target), otherwise=_("None"))
