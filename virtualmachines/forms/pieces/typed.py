"""How values are typed: each has a text that gives it back, and no text at all means the cluster's default."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clusters.catalogue import Kind, Parameter, Release
from ui.fields import PLAIN
from ui.templatetags.parts import draw, draw_attributes
from ui.templatetags.units import mib

#: what is typed for an empty value where an empty field means the cluster's default
EMPTY = '""'
ON, OFF = "on", "off"
_SIZE = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{1,6}))?\s*(?:([MGT])(?:i?B)?)?", re.IGNORECASE)
_UNITS = {"M": 1, "G": 1024, "T": 1024 * 1024}
_MOST_MIB = 2**40
#: below it a number alone may be meant as GiB just as well: 20 for a disk
_LEAST_ALONE_MIB = 128
_PAIR = re.compile(r"([A-Za-z0-9_.:-]{1,100})\s*=\s*(.*)")


def size_text(size_mib: int) -> str:
    """A size exactly, in the largest unit in which it is whole: "20 GiB", "1536 MiB"."""
    unit = next((unit for unit in "TG" if size_mib and size_mib % _UNITS[unit] == 0), "M")
    return f"{size_mib // _UNITS[unit]} {unit}iB"


def read_size(text: str) -> int:
    """MiB, of "20 GiB", "20g", "1.5 T" or just "512". Raises ValidationError."""
    found = _SIZE.fullmatch(text.strip())
    size = float(f"{found[1]}.{found[2] or 0}") * _UNITS[(found[3] or "M").upper()] if found else 0
    least = 1 if found and found[3] else _LEAST_ALONE_MIB
    if not least <= size <= _MOST_MIB:
        raise ValidationError(_("Type a size such as 20 GiB or 512 MiB."))
    return round(size)


def text_of(value: Any, kind: Kind) -> str:
    """What is typed for a value."""
    if value == "":
        return EMPTY
    if isinstance(value, bool):
        return ON if value else OFF
    if kind is Kind.SIZE and isinstance(value, int) and value > 0:
        return size_text(value)
    return str(value)


def shown_default(value: Any, kind: Kind) -> str:
    """The cluster's default in words; empty where there is none."""
    if value is None:
        return ""
    if value == "":
        return _("none")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return mib(value) if kind is Kind.SIZE and isinstance(value, int) else str(value)


def pairs_text(values: Mapping[str, Any]) -> str:
    """Names with values, one in a line."""
    return "\n".join(f"{name}={value}" for name, value in values.items())


class SizeField(forms.CharField):
    """A size with its unit, in MiB; None if nothing is typed."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("error_messages", {"required": _("Type a size such as 20 GiB.")})
        super().__init__(**options)

    def clean(self, value: Any) -> int | None:
        """MiB, as which a number that is none of a text is meant."""
        if isinstance(value, int):
            value = f"{value} MiB"
        text = super().clean(value)
        return read_size(text) if text else None


class PairsField(forms.CharField):
    """Names with values, one in a line: name=value."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "widget": Lines(), **options})

    def clean(self, value: Any) -> dict[str, str]:
        """By name."""
        found = {}
        for line in filter(None, (each.strip() for each in super().clean(value).splitlines())):
            pair = _PAIR.fullmatch(line)
            if pair is None:
                raise ValidationError(_("Type one name=value in each line; this is none: %s") % line[:60])
            found[pair[1]] = pair[2]
        return found


class Lines(forms.Textarea):
    """A few lines of text."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 3, "class": "mono", **PLAIN})


class ParameterField(forms.CharField):
    """One of Ganeti's parameters by its catalogue entry: None (the cluster's default), or a value of its type."""

    def __init__(self, parameter: Parameter, default: Any, release: Release, read: Callable[[str], Any]) -> None:
        super().__init__(
            required=False, label=str(parameter.label), help_text=_help_of(parameter, default), widget=PlainText
        )
        self.parameter, self.release, self.read = parameter, release, read
        self.unit = parameter.unit if parameter.kind is not Kind.SIZE else ""

    def clean(self, value: Any) -> Any:
        """A value that the catalogue takes."""
        text = super().clean(value)
        if not text:
            return None
        found = "" if text == EMPTY else self.read(text)
        if words := self.parameter.judge(found, self.release):
            raise ValidationError(words)
        return found


def _help_of(parameter: Parameter, default: Any) -> str:
    words = str(parameter.help)
    if parameter.is_optional and isinstance(default, str) and default and parameter.kind is not Kind.CHOICE:
        return words + " " + _("Type %s for none.") % EMPTY
    return words


class PlainText(forms.TextInput):
    """One line that is no prose, drawn without a template: a form of a machine has dozens."""

    def __init__(self, placeholder: str = "", **attrs: Any) -> None:
        super().__init__(attrs={**PLAIN, **({"placeholder": placeholder} if placeholder else {}), **attrs})

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The input."""
        del renderer
        typed = self.format_value(value)
        every = {"type": self.input_type, "name": name, **({} if typed is None else {"value": typed})}
        return draw("<input{}>", draw_attributes({**every, **self.attrs, **(attrs or {})}))
