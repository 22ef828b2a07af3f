"""Disks and network cards: any number of each, with the fields that make sense for the kind of disks or the person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from clusters.catalogue import DISK, NIC, Parameter, Release, Table
from virtualmachines.forms.pieces.piece import Given, Piece, Typed, numbers_of
from virtualmachines.forms.pieces.select import QuickSelect
from virtualmachines.forms.pieces.typed import (
    PairsField,
    ParameterField,
    PlainText,
    SizeField,
    pairs_text,
    shown_default,
    size_text,
)
from virtualmachines.rules.facts import NetworkFacts
from virtualmachines.spec import DiskSpec, NicSpec, VMSpec

# What disks of each template can be given besides size, access and name.
_OF_TEMPLATE: Mapping[str, tuple[str, ...]] = {
    "plain": ("vg", "spindles", "adopt"),
    "drbd": ("vg", "metavg", "spindles"),
    "blockdev": ("adopt",),
    "rbd": ("access",),
    "gluster": ("access",),
    "ext": ("provider", "provider_params", "access"),
}


# Fields that are there of every part, so that one of which nothing is said is there as well.
_ALWAYS = frozenset({"size_mib", "mac"})


@dataclass(frozen=True)
class _Parts(Piece):
    """What disks and cards have in common."""

    release: Release
    is_admin: bool

    def typed_parts(self, where: str, parts: Iterable[Any]) -> Typed:
        """What would have to be typed for each."""
        found = {}
        for number, part in enumerate(parts):
            for each in fields(part):
                text = _text_of(each.name, getattr(part, each.name))
                if text or each.name in _ALWAYS:
                    found[f"{where}.{number}.{each.name}"] = text
        return found

    def read_parts(self, where: str, blank: Any, known: Iterable[Any], values: Given) -> tuple[Any, ...]:
        """Each as it was with what was typed; one that has no uuid begins as `blank`."""
        before = {part.uuid: part for part in known if part.uuid}
        found = []
        for number in numbers_of(where, values):
            start = f"{where}.{number}."
            typed = {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}
            part = before.get(typed.get("uuid") or "", blank)
            defaults = {each.name: getattr(blank, each.name) for each in fields(blank)}
            found.append(
                replace(part, **{name: defaults[name] if value is None else value for name, value in typed.items()})
            )
        return tuple(found)

    def may_set(self, parameter: Parameter) -> bool:
        """Whether the release has it, and the person may."""
        return parameter.exists_in(self.release) and (self.is_admin or not parameter.is_for_admins)

    def field_of(self, table: Table, name: str, read: Any = str, default: Any = None) -> ParameterField:
        """A field by the catalogue."""
        made = ParameterField(table[name], default, self.release, read)
        if options := table[name].options_in(self.release):
            shown = shown_default(default, table[name].kind)
            made.widget = QuickSelect(
                [("", _("Default (%s)") % shown if shown else _("Default")), *((each, each) for each in options)]
            )
        return made


@dataclass(frozen=True)
class DisksPiece(_Parts):
    """`std_mib`: how large a disk is of which no size is typed; without it one has to be typed."""

    template: str = ""
    std_mib: int = 0

    def fields(self, given: Given) -> dict[str, forms.Field]:
        found: dict[str, forms.Field] = {}
        for number in numbers_of("disks", given):
            found |= {f"disks.{number}.{name}": each for name, each in self._of_one().items()}
        return found

    def _of_one(self) -> dict[str, forms.Field]:
        size = DISK["size"]
        made: dict[str, forms.Field] = {
            "size_mib": SizeField(
                label=size.label,
                help_text=size.help,
                required=not self.std_mib,
                widget=PlainText(placeholder=size_text(self.std_mib) if self.std_mib else "20 GiB"),
            ),
            "mode": self.field_of(DISK, "mode", default="rw"),
        }
        for name in ("name", *_OF_TEMPLATE.get(self.template, ())):
            if name == "provider_params":
                if self.is_admin:
                    made[name] = PairsField(
                        label=_("Parameters of the provider"), help_text=_("One name=value a line.")
                    )
            elif self.may_set(DISK[name]):
                made[name] = self.field_of(DISK, name, forms.IntegerField().clean if name == "spindles" else str)
        return {**made, "uuid": forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)}

    def typed(self, spec: VMSpec) -> Typed:
        shown = self._of_one()
        parts = self.typed_parts("disks", spec.disks)
        return {path: text for path, text in parts.items() if path.rpartition(".")[2] in shown}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        return replace(spec, disks=self.read_parts("disks", DiskSpec(self.std_mib), spec.disks, values))


@dataclass(frozen=True)
class NicsPiece(_Parts):
    """`defaults` are the cluster's for cards; `networks` those that there are, by name."""

    defaults: Mapping[str, Any] = field(default_factory=dict)
    networks: Mapping[str, NetworkFacts] = field(default_factory=dict)

    def fields(self, given: Given) -> dict[str, forms.Field]:
        found: dict[str, forms.Field] = {}
        for number in numbers_of("nics", given):
            network = str(given.get(f"nics.{number}.network") or "")
            made = self._of_one(network, f"free-{number}")
            found |= {f"nics.{number}.{name}": each for name, each in made.items()}
        return found

    def _of_one(self, network: str = "", listed: str = "") -> dict[str, forms.Field]:
        names = [name for name in ("network", "mode", "link", "vlan", "ip", "mac", "name") if self.may_set(NIC[name])]
        made: dict[str, forms.Field] = {
            name: self.field_of(NIC, name, default=self.defaults.get(name)) for name in names
        }
        if "network" in made:
            if self.networks or network:
                made["network"].widget = QuickSelect(self._options(network))
            else:
                del made["network"]
        of_network = _("as the network says") if network else ""
        if of_network and "mode" in made:
            modes = NIC["mode"].options_in(self.release)
            made["mode"].widget = QuickSelect([("", of_network), *((each, each) for each in modes)])
        for name in ("link", "vlan"):
            if name in made and (shown := of_network or self.defaults.get(name)):
                made[name].widget.attrs["placeholder"] = str(shown)
        made["mac"].widget.attrs["placeholder"] = "auto"
        if free := self.networks.get(network, NetworkFacts()).first_free:
            made["ip"].widget = PlainText(list=listed)
            made["ip"].help_text = _("Free in %(network)s: %(some)s. pool takes the next one.") % {
                "network": network,
                "some": ", ".join(free[:3]),
            }
            made["ip"].suggestions = (listed, ["pool", *free])  # type: ignore[attr-defined]
        return {**made, "uuid": forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)}

    def _options(self, now: str) -> list[tuple[str, str]]:
        """With addresses and how many are free; the one that is chosen is there whatever becomes of it."""
        options = [("", _("none"))]
        for name, network in self.networks.items():
            words = {"name": name, "cidr": network.cidr, "free": network.free}
            told = network.cidr and network.free is not None
            options.append((name, _("%(name)s (%(cidr)s, %(free)s free)") % words if told else name))
        return options if now in dict(options) else [*options, (now, now)]

    def typed(self, spec: VMSpec) -> Typed:
        return self.typed_parts("nics", spec.nics)

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        return replace(spec, nics=self.read_parts("nics", NicSpec(), spec.nics, values))


def _text_of(name: str, value: Any) -> str:
    if value in ("", None, {}):
        return ""
    if name == "size_mib":
        return size_text(value) if value else ""
    return pairs_text(value) if isinstance(value, Mapping) else str(value)
