"""Where a new machine runs, the kind of its disks, and how it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _

from virtualmachines.forms.pieces.piece import Given, Piece, Typed
from virtualmachines.forms.pieces.select import QuickSelect
from virtualmachines.forms.pieces.typed import ON
from virtualmachines.room import Place
from virtualmachines.spec import Placement, Source, VMSpec
from virtualmachines.spec.machine import DISKLESS


@dataclass(frozen=True)
class TemplatePiece(Piece):
    """Which kind of disks; the first of those that the cluster makes is its default."""

    templates: Sequence[str]

    def fields(self, given: Given) -> dict[str, forms.Field]:
        labels = _templates()
        now = str(given.get("disk_template") or "")
        some = [name for name in dict.fromkeys([*self.templates, now]) if name and name != DISKLESS]
        first = _("Default (%s)") % self.templates[0] if self.templates else _("Default")
        options = [("", first), *((name, f"{name}: {labels[name]}" if name in labels else name) for name in some)]
        return {
            "disk_template": forms.CharField(
                label=_("Kind of disks"), required=False, max_length=20, widget=QuickSelect(options)
            )
        }

    def typed(self, spec: VMSpec) -> Typed:
        return {"disk_template": spec.disk_template} if spec.disk_template not in ("", DISKLESS) else {}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        return replace(spec, disk_template=cast(Any, values.get("disk_template") or ""))


def _templates() -> dict[str, str]:
    return {
        "plain": _("on its node, in LVM"),
        "drbd": _("on its node, mirrored to another"),
        "file": _("a file on its node"),
        "sharedfile": _("a file that all nodes reach"),
        "rbd": _("in Ceph"),
        "gluster": _("in Gluster"),
        "ext": _("by a storage provider"),
        "blockdev": _("a block device that is there already"),
    }


@dataclass(frozen=True)
class PlacementPiece(Piece):
    """Automatic, where the cluster has an allocator; or one of the nodes, which `rank` puts in order."""

    groups: Sequence[str]
    nodes: Sequence[str]
    has_allocator: bool

    def fields(self, given: Given) -> dict[str, forms.Field]:
        found: dict[str, forms.Field] = {}
        if len(self.groups) > 1 or given.get("placement.group"):
            options = [("", _("Any")), *((name, name) for name in self.groups)]
            found["placement.group"] = _choice(_("Node group"), QuickSelect(options))
        nodes = [(name, name) for name in self.nodes]
        found["placement.primary"] = _choice(_("Node"), QuickSelect([self._first(), *nodes]))
        if len(nodes) > 1 or given.get("placement.secondary"):
            found["placement.secondary"] = _choice(
                _("Secondary node"),
                QuickSelect([("", _("none")), *nodes]),
                help_text=_("For mirrored disks (drbd), beside a node that you have chosen."),
            )
        return found

    def rank(self, found: Mapping[str, forms.Field], places: Sequence[Place]) -> None:
        """Let the fields list the nodes best first, with what stays free there, or why it can't be there."""
        nodes = [(place.node.name, f"{place.node.name}: {place.words}") for place in places]
        barred = [place.node.name for place in places if not place.is_usable]
        found["placement.primary"].widget = QuickSelect([self._first(), *nodes], barred=barred)

    def _first(self) -> tuple[str, str]:
        if self.has_allocator:
            return "", _("Automatic: the cluster's allocator chooses")
        return "", _("Choose a node: this cluster has no allocator")

    def typed(self, spec: VMSpec) -> Typed:
        texts = {name: getattr(spec.placement, name) for name in ("group", "primary", "secondary")}
        return {f"placement.{name}": text for name, text in texts.items() if text}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        where = {name: values.get(f"placement.{name}") or "" for name in ("group", "primary", "secondary")}
        return replace(spec, placement=Placement(allocator=spec.placement.allocator, **where))


def _choice(label: str, widget: QuickSelect, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=255, widget=widget, **more)


@dataclass(frozen=True)
class SourcePiece(Piece):
    """The export of which it is made, if it is: node and name of it, or an OS all the same."""

    def fields(self, given: Given) -> dict[str, forms.Field]:
        now = str(given.get("source.node") or "")
        if not now:
            return {}
        node, _slash, name = now.partition("/")
        label = _("Export %(name)s on %(node)s") % {"name": name, "node": node}
        widget = QuickSelect([(now, label), ("", _("No export: an operating system is installed"))])
        return {"source.node": _choice(_("Made from"), widget)}

    def typed(self, spec: VMSpec) -> Typed:
        source = spec.source
        return {"source.node": f"{source.node}/{source.path or spec.name}"} if source is not None else {}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        node, _slash, name = str(values.get("source.node") or "").partition("/")
        return replace(spec, source=Source(node, name) if node else None)


_OPTIONS = ("start", "no_install", "name_check", "ip_check")


@dataclass(frozen=True)
class OptionsPiece(Piece):
    """How a new machine is made."""

    of_export: bool = False

    def paths(self) -> list[str]:
        """Those of the fields."""
        return [f"options.{name}" for name in _OPTIONS if not (self.of_export and name == "no_install")]

    def fields(self, given: Given) -> dict[str, forms.Field]:
        found = {
            "options.start": forms.BooleanField(label=_("Start it once it is there")),
            "options.no_install": forms.BooleanField(
                label=_("Install nothing"),
                help_text=_(
                    "The disks stay empty, and the machine stopped: to install it from a CD-ROM, for instance."
                ),
            ),
            "options.name_check": forms.BooleanField(
                label=_("Look the name up in DNS"), help_text=_("Where DNS does not know it, nothing is made.")
            ),
            "options.ip_check": forms.BooleanField(
                label=_("Make sure that nobody answers at its address"), help_text=_("Only with the name looked up.")
            ),
        }
        for each in found.values():
            each.required = False
        return {path: found[path] for path in self.paths()}

    def typed(self, spec: VMSpec) -> Typed:
        return {path: ON for path in self.paths() if getattr(spec.options, path.removeprefix("options."))}

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        wanted: dict[str, Any] = {path.removeprefix("options."): bool(values.get(path)) for path in self.paths()}
        return replace(spec, options=replace(spec.options, **wanted))
