"""Choosing disks of a machine: by uuid, so that what was chosen stays what is meant; or by number, as commands say."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.contract import AnyOperation
from operations.forms import OperationForm
from ui.templatetags.units import mib
from virtualmachines.operations.base import explain_other_disks

_NUMBERS = [str(number) for number in range(16)]


class _Keys:
    """What disks are called in a form."""

    choices: Any
    keys: list[str]

    def offer(self, disks: Sequence[Any]) -> None:
        """These alone, with what each is called."""
        uuids = [disk.get("uuid") for disk in disks]
        self.keys = [uuid if uuid and uuids.count(uuid) == 1 else str(number) for number, uuid in enumerate(uuids)]
        self.choices = [
            (key, _called(number, disk)) for number, (key, disk) in enumerate(zip(self.keys, disks, strict=True))
        ]

    def key_of(self, value: Any) -> str:
        """What a number stands for; a key stands for itself."""
        text = str(value)
        return next((key for number, key in enumerate(self.keys) if text == str(number)), text)


def _called(number: int, disk: Any) -> str:
    words = {"number": number, "size": mib(disk.get("size_mib") or 0), "name": disk.get("name") or ""}
    return (_("Disk %(number)s, %(size)s") % words + f" {words['name']}").rstrip()


class DiskField(_Keys, forms.ChoiceField):
    """One disk."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Disk"),
            choices=[(number, number) for number in _NUMBERS],
            initial="0",
            error_messages={"invalid_choice": gettext_lazy("It has no disk with this number.")},
        )
        self.keys = _NUMBERS

    def prepare_value(self, value: Any) -> str:
        return self.key_of(value)

    def to_python(self, value: Any) -> str:
        return self.key_of(super().to_python(value))


class _Ticks(forms.CheckboxSelectMultiple):
    """What may come as one text, "0, 2", from where there are no boxes to tick."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = super().value_from_datadict(data, files, name)
        return [each for each in re.split(r"[\s,]+", value) if each] if isinstance(value, str) else value


class DisksField(_Keys, forms.MultipleChoiceField):
    """Several disks; none of them means all."""

    widget = _Ticks

    def __init__(self, help_text: Any) -> None:
        super().__init__(
            label=gettext_lazy("Disks"),
            required=False,
            choices=[(number, number) for number in _NUMBERS],
            help_text=help_text,
        )
        self.keys = _NUMBERS

    def prepare_value(self, value: Any) -> Any:
        return [self.key_of(each) for each in value] if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> list[str]:
        return [self.key_of(each) for each in super().to_python(value)]

    def validate(self, value: Any) -> None:
        """What has a uuid that none has by now was there when it was chosen."""
        for key in value:
            if key not in self.keys:
                is_number = len(key) <= 3 and key.isdecimal()
                words = _("It has no disk %(number)s.") % {"number": key} if is_number else explain_other_disks()
                raise ValidationError(words)


class SomeDisksForm(OperationForm):
    """A form with a field `disks`: its operation takes their numbers and their uuids."""

    def fit(self) -> None:
        field: Any = self.fields["disks"]
        field.offer(self.target.disks)
        if uuids := self.initial.get("uuids"):  # of a check: those that it was about
            self.initial["disks"] = uuids

    def params(self, operation: AnyOperation) -> Any:
        """With the numbers of the disks, and as which they were chosen."""
        field: Any = self.fields["disks"]
        numbers = sorted({field.keys.index(key) for key in self.cleaned_data["disks"]})
        disks = self.target.disks if self.target is not None else [{}] * len(_NUMBERS)
        uuids = tuple(str(disks[number].get("uuid") or "") for number in numbers)
        given = {name: self.cleaned_data[name] for name in self.base_fields}
        return operation.params_type(**{**given, "disks": tuple(numbers), "uuids": uuids})
