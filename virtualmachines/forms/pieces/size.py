"""Name and size of a new machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from rapi.shapes.fields import mapping
from ui.templatetags.units import mib
from virtualmachines.forms.pieces.parameters import ParameterPiece
from virtualmachines.forms.pieces.piece import Given, Piece, Typed
from virtualmachines.forms.pieces.typed import PlainText
from virtualmachines.rules import Facts
from virtualmachines.spec import VMSpec

#: what is asked for beside the name, before all other backend parameters
SIZE = ("vcpus", "maxmem")


class NamePiece(Piece):
    """Its name, in lower case."""

    def fields(self, given: Given) -> dict[str, forms.Field]:
        return {
            "name": forms.CharField(
                label=_("Name"),
                max_length=253,
                widget=PlainText(placeholder="web1.example.org"),
                help_text=_("The host name by which it is found. Several at once: web{1..5}.example.org."),
                error_messages={"required": _("Type a name, such as web1.example.org.")},
            )
        }

    def typed(self, spec: VMSpec) -> Typed:
        return {"name": spec.name} if spec.name else {}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        return replace(spec, name=str(values.get("name") or "").strip().lower())


@dataclass(frozen=True)
class SizePiece(ParameterPiece):
    """CPUs and memory; what is left open is as in the standard of the policy."""

    std: Mapping[str, Any] = field(default_factory=dict)

    def fields(self, given: Given = {}) -> dict[str, forms.Field]:  # noqa: B006 (it is only read)
        found = super().fields(given)
        for name in SIZE:
            made = found.get(f"beparams.{name}")
            if made is not None and name in self.std:
                made.widget.attrs["placeholder"] = mib(self.std[name]) if name == "maxmem" else str(self.std[name])
        return found

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        """The minimum goes down with the memory: a machine may always have less than the cluster's default."""
        found = super().read(values, spec)
        params = {**{name: self.std[name] for name in SIZE if name in self.std}, **found.beparams}
        least, most = params.get("minmem", self.defaults.get("minmem")), params.get("maxmem")
        if isinstance(least, int) and isinstance(most, int) and least > most and "minmem" not in found.beparams:
            params["minmem"] = most
        return replace(spec, beparams=params)


def std_of(facts: Facts, group: str = "", node: str = "") -> dict[str, int]:
    """The standard size where it would run: parameters, and disk_mib."""
    policy = next(iter(facts.judged_by(node, group).values()))
    std = mapping(mapping(policy).get("std")) or mapping(facts.policy.get("std"))
    names = {"vcpus": "cpu-count", "maxmem": "memory-size", "disk_mib": "disk-size"}
    return {name: std[limited] for name, limited in names.items() if type(std.get(limited)) is int and std[limited] > 0}
