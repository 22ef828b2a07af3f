"""OS, hypervisor, tags: what a machine is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from virtualmachines.forms.pieces.piece import Given, Piece, Typed
from virtualmachines.forms.pieces.select import QuickSelect
from virtualmachines.forms.pieces.typed import PairsField, PlainText, pairs_text
from virtualmachines.spec import VMSpec

_PARAMS = ("osparams", "osparams_private", "osparams_secret")


@dataclass(frozen=True)
class SystemPiece(Piece):
    """`systems` are those of the cluster, debian+12 for a variant; the form of a new machine has one chosen.

    `of_export`: it is made of an export, which brings its OS.
    """

    systems: Sequence[str]
    of_export: bool = False

    def fields(self, given: Given) -> dict[str, forms.Field]:
        now = str(given.get("os") or "")
        options = QuickSelect([("", _("Choose an operating system")), *group_systems(self.systems, now)])
        if self.of_export:
            options = QuickSelect([(now, _name_of(now) if now else _("As in the export"))])
        helps = {
            "osparams": _("For the OS's own installation; one name=value a line."),
            "osparams_private": _("Ganeti keeps them, and tells them to nobody."),
            "osparams_secret": _("Used for this installation alone, and kept nowhere."),
        }
        labels = {
            "osparams": _("OS parameters"),
            "osparams_private": _("Private OS parameters"),
            "osparams_secret": _("Secret OS parameters"),
        }
        return {
            "os": forms.CharField(label=_("Operating system"), required=False, max_length=255, widget=options),
            **{name: PairsField(label=labels[name], help_text=helps[name]) for name in _PARAMS},
        }

    def typed(self, spec: VMSpec) -> Typed:
        texts = {"os": spec.os, **{name: pairs_text(getattr(spec, name)) for name in _PARAMS}}
        return {name: text for name, text in texts.items() if text}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        params: dict[str, Any] = {name: values.get(name) or {} for name in _PARAMS}
        return replace(spec, os=values.get("os") or "", **params)


def group_systems(systems: Sequence[str], now: str = "") -> list[tuple[str, Any]]:
    """Each OS, those with several variants as a group of them. What is chosen is there, listed or not."""
    variants: dict[str, list[str]] = {}
    for each in sorted({*systems, now} - {""}):
        variants.setdefault(each.partition("+")[0], []).append(each)
    return [
        (name, [(each, _name_of(each)) for each in found]) if len(found) > 1 else (found[0], _name_of(found[0]))
        for name, found in variants.items()
    ]


def _name_of(system: str) -> str:
    name, _plus, variant = system.partition("+")
    return f"{name} {variant}" if variant not in ("", "default") else name


@dataclass(frozen=True)
class HypervisorPiece(Piece):
    """Which of those that the cluster runs; the first is its default. `unsaid`: what no choice means otherwise."""

    hypervisors: Sequence[str]
    unsaid: str = ""

    def fields(self, given: Given) -> dict[str, forms.Field]:
        now = str(given.get("hypervisor") or "")
        first = _("Default (%s)") % self.hypervisors[0] if self.hypervisors else _("Default")
        names = list(dict.fromkeys([*self.hypervisors, *([now] if now else [])]))
        options = QuickSelect([("", self.unsaid or first), *((name, name) for name in names)])
        return {
            "hypervisor": forms.CharField(
                label=_("Hypervisor"),
                required=False,
                max_length=20,
                widget=options,
                help_text=_("What runs the machine on its node; each has parameters of its own."),
            )
        }

    def typed(self, spec: VMSpec) -> Typed:
        return {"hypervisor": spec.hypervisor} if spec.hypervisor else {}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        return replace(spec, hypervisor=values.get("hypervisor") or "")


class TagsPiece(Piece):
    """Tags, with spaces or commas between them."""

    def fields(self, given: Given) -> dict[str, forms.Field]:
        return {
            "tags": forms.CharField(
                label=_("Tags"),
                required=False,
                max_length=4000,
                widget=PlainText(),
                help_text=_("Words by which machines can be found, with spaces between them, such as web production."),
            )
        }

    def typed(self, spec: VMSpec) -> Typed:
        return {"tags": " ".join(sorted(spec.tags))} if spec.tags else {}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        return replace(spec, tags=frozenset(str(values.get("tags") or "").replace(",", " ").split()))
