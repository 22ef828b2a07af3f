"""Hypervisor, backend and OS parameters: of the catalogue, those that the cluster reports and the person may set."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clusters.catalogue import Group, Kind, Parameter, Release, Table
from virtualmachines.forms.pieces.piece import Given, Piece, Typed
from virtualmachines.forms.pieces.select import QuickSelect
from virtualmachines.forms.pieces.typed import EMPTY, OFF, ON, ParameterField, read_size, shown_default, text_of
from virtualmachines.spec import VMSpec

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class ParameterPiece(Piece):
    """One table. `own` are values of the machine that have a field whatever the cluster reports.

    `only` and `without` are names: a form may ask for some of them elsewhere. `unsaid` is what an empty field means,
    where that is not the cluster's default.
    """

    where: Literal["hvparams", "beparams"]
    table: Table
    defaults: Mapping[str, Any]
    release: Release
    is_admin: bool
    own: Mapping[str, Any] = field(default_factory=dict)
    only: Collection[str] = ()
    without: Collection[str] = ()
    unsaid: str = ""

    def fields(self, given: Given = _NOTHING) -> dict[str, forms.Field]:
        found: dict[str, forms.Field] = {}
        for parameter in self.parameters():
            now = str(given.get(f"{self.where}.{parameter.name}") or "")
            found[f"{self.where}.{parameter.name}"] = self._field(parameter, now)
        return found

    def parameters(self) -> list[Parameter]:
        """Those that have a field, in the order of the catalogue; then those that it does not know."""
        known = [each for each in self.table.values() if self._is_shown(each)]
        unknown = [name for name in {**self.defaults, **self.own} if name not in self.table and self._is_wanted(name)]
        return [*known, *map(self._unknown, unknown)] if self.is_admin else known

    def paths(self) -> list[str]:
        """Those of the fields."""
        return [f"{self.where}.{each.name}" for each in self.parameters()]

    def grouped(self) -> Iterator[tuple[Group, list[str]]]:
        """Paths of fields that belong together."""
        shown = self.parameters()
        for group in Group:
            if names := [f"{self.where}.{each.name}" for each in shown if each.group is group]:
                yield group, names

    def typed(self, spec: VMSpec) -> Typed:
        values, shown = getattr(spec, self.where), {each.name: each for each in self.parameters()}
        return {
            f"{self.where}.{name}": text_of(value, shown[name].kind) for name, value in values.items() if name in shown
        }

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        names = [each.name for each in self.parameters()]
        kept = {name: value for name, value in getattr(spec, self.where).items() if name not in names}
        typed = {name: values.get(f"{self.where}.{name}") for name in names}
        wanted: dict[str, Any] = {
            self.where: {**kept, **{name: typed[name] for name in names if typed[name] is not None}}
        }
        return replace(spec, **wanted)

    def _is_wanted(self, name: str) -> bool:
        return (name in self.only or not self.only) and name not in self.without

    def _is_shown(self, parameter: Parameter) -> bool:
        is_there = parameter.name in self.defaults or parameter.name in self.own or not self.defaults
        may = self.is_admin or not parameter.is_for_admins
        is_known = parameter.name in self.own or parameter.exists_in(self.release)
        return self._is_wanted(parameter.name) and is_there and may and is_known

    def _unknown(self, name: str) -> Parameter:
        """By the type of its value, which is all that is known."""
        value = self.defaults.get(name, self.own.get(name))
        kind = Kind.SWITCH if isinstance(value, bool) else Kind.INTEGER if isinstance(value, int) else Kind.TEXT
        return Parameter(name, name, _("This release of the manager does not know it."), kind, is_optional=True)

    def _field(self, parameter: Parameter, now: str) -> ParameterField:
        default = None if self.unsaid else self.defaults.get(parameter.name)
        made = ParameterField(parameter, default, self.release, reader_of(parameter))
        shown = self.unsaid or shown_default(default, parameter.kind)
        if parameter.kind in (Kind.SWITCH, Kind.CHOICE):
            made.widget = QuickSelect(self._options(parameter, default, shown, now))
        elif shown:
            made.widget.attrs["placeholder"] = shown
        if parameter.kind is Kind.INTEGER:
            if words := parameter.options_in(self.release):
                made.help_text += " " + _("Also: %s.") % ", ".join(words)
            else:
                made.widget.attrs["inputmode"] = "numeric"
        return made

    def _options(self, parameter: Parameter, default: Any, shown: str, now: str) -> list[tuple[str, Any]]:
        """The cluster's default first. A value that is no choice any more is there as long as it is chosen."""
        first = [("", self.unsaid or (_("Default (%s)") % shown if shown else _("Default")))]
        if parameter.kind is Kind.SWITCH:
            return [*first, (ON, pgettext("switch", "On")), (OFF, pgettext("switch", "Off"))]
        options = [(each, each) for each in parameter.options_in(self.release)]
        if parameter.is_optional and (default or now == EMPTY):
            options.append((EMPTY, _("none")))
        if now and now not in dict(options):
            options.append((now, now))
        return [*first, *options]


def _read_switch(text: str) -> bool:
    if text not in (ON, OFF):
        raise ValidationError(_("This is on or off."))
    return text == ON


def _read_number(text: str) -> int:
    return int(forms.IntegerField().clean(text))


# What reads what was typed for a parameter of this kind; the others are text.
_READERS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.SWITCH: _read_switch,
    Kind.INTEGER: _read_number,
    Kind.SIZE: read_size,
}


def reader_of(parameter: Parameter) -> Callable[[str], Any]:
    """What reads what was typed for it: a word that stands for a number is a word."""
    read, words = _READERS.get(parameter.kind, str), {each.value for each in parameter.choices}
    return lambda text: text if text in words else read(text)
