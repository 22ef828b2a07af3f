"""The form of a new machine: pieces in sections, each with a line that says what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clusters.models import Cluster
from operations.contract import Actor
from permissions.models import Persona
from permissions.services import persona_of
from ui.templatetags.units import mib
from virtualmachines.forms.machine_pieces import MachinePieces
from virtualmachines.forms.pieces import (
    OptionsPiece,
    ParameterPiece,
    Piece,
    PlainText,
    QuickSelect,
    QuietSelect,
    SpecForm,
    typed_of,
)
from virtualmachines.forms.pieces.piece import Given, Typed, numbers_of
from virtualmachines.forms.pieces.size import SIZE
from virtualmachines.forms.specs import find_owner
from virtualmachines.operations.creating import CreateParams
from virtualmachines.room import Place
from virtualmachines.rules import Facts
from virtualmachines.spec import DiskSpec, NicSpec, Options, VMSpec
from virtualmachines.spec.machine import DISKLESS

#: a new machine, before anything is typed: a disk and a card as the cluster has them
BLANK = VMSpec("", disks=(DiskSpec(0),), nics=(NicSpec(),))


#: fields on which others depend: with a script the form is asked for anew when they change, and keeps what was typed
_RENEWING = ("cluster", "hypervisor", "disk_template", "source.node", "size")
_RENEWS = {
    "hx-post": "",
    "hx-trigger": "change",
    "hx-target": "#create",
    "hx-select": "#create",
    "hx-swap": "outerHTML",
    "hx-vals": '{"renew": ""}',
}


#: classes of form.css, by path or by the end of it
_WIDTHS = {
    "cluster": "f4",
    "name": "f8",
    "source.node": "f12",
    "owner": "f4",
    "size": "f12",
    "os": "f8",
    "beparams.vcpus": "f4",
    "beparams.maxmem": "f4",
}
_OF_PARTS = {"network": "f8", **dict.fromkeys(("size_mib", "mode", "mac", "ip", "link", "vlan", "name"), "f4")}
_NARROW = ("hvparams.", "beparams.", "disks.", "nics.", "options.", "is_protected", "placement.p", "placement.s")


@dataclass(frozen=True)
class Part:
    """A disk or a network card of the form."""

    which: str
    title: str
    fields: Sequence[Any]


@dataclass(frozen=True)
class Section:
    """A part of the form: fields, groups of fields with headings, disks or cards. `says`: what it holds."""

    name: str
    title: str
    says: str = ""
    fields: Sequence[Any] = ()
    groups: Sequence[tuple[Any, Sequence[Any]]] = ()
    parts: Sequence[Part] = ()
    adds: str = ""
    is_folded: bool = True
    is_open: bool = False


class MachineForm(SpecForm):
    """A new machine on a cluster, as `actor` may make it."""

    def __init__(
        self,
        given: Given,
        *,
        actor: Actor,
        cluster: Cluster,
        facts: Facts,
        is_admin: bool,
        personas: Callable[[], Sequence[Persona]],
        clusters: Callable[[], Mapping[str, str]],
        is_judged: bool = True,
        own: VMSpec = VMSpec(""),  # noqa: B008 (it is frozen)
    ) -> None:
        """`personas` and `clusters` tell what there is to choose from, of clusters by short name why nothing can be
        created there now. `own`: a template, whose parameters have a field whatever the cluster knows."""
        self.actor, self.cluster, self.facts, self.is_admin, self.personas = actor, cluster, facts, is_admin, personas
        self.own = own
        self.made_of = MachinePieces(given, cluster=cluster, facts=facts, is_admin=is_admin, own=own)
        self.sizes = self.made_of.sizes
        super().__init__(self._pieces(), given, is_judged=is_judged)
        self.fields["owner"] = self._owner()
        self.fields["cluster"] = self._cluster(clusters)
        self.fields["is_protected"] = forms.BooleanField(
            label=_("Protected"),
            required=False,
            help_text=_("It is not deleted or reinstalled before somebody takes the protection away."),
        )
        if self.sizes:
            self.fields["size"] = self._size()
        self._draw_widths()
        for path in _RENEWING:
            if path in self.fields:
                self.fields[path].widget.attrs |= _RENEWS
        if self.sizes:
            self.fields["size"].widget.attrs["hx-vals"] = '{"renew": "size"}'
        for number in numbers_of("nics", given):
            if f"nics.{number}.network" in self.fields:
                self.fields[f"nics.{number}.network"].widget.attrs |= _RENEWS
        self.fields["notes"] = forms.CharField(
            label=_("Notes"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
        )
        self.fields["save_as"] = forms.CharField(
            label=_("Also save as template"),
            required=False,
            max_length=100,
            widget=PlainText(),
            help_text=_("Its name. Addresses and secrets are not kept in it. Empty: none is saved."),
        )

    def _pieces(self) -> list[Piece]:
        return self.made_of.all

    def _draw_widths(self) -> None:
        """How wide each field stands in its row; the first disk's size stands with the machine's."""
        for path, made in self.fields.items():
            name = path.rpartition(".")[2]
            drawn: Any = made
            drawn.css = (
                _WIDTHS.get(path)
                or _OF_PARTS.get(name if path.count(".") == 2 else "")
                or ("f6" if path.startswith(_NARROW) else "f12")
            )
        for number in numbers_of("disks", self.data)[:1]:
            drawn = self.fields[f"disks.{number}.size_mib"]
            drawn.label, drawn.css = _("Disk"), "f4"

    def _size(self) -> forms.Field:
        """One that the cluster's admins named, which stands for the figures that are left empty.

        It is chosen with its figures: whoever saw others is told, where they are changed meanwhile.
        """
        options = [(line, f"{each.name}: {_say_figures(*each.figures)}") for line, each in self.sizes.items()]
        widget = QuickSelect([("", _("Standard, or as typed below")), *options])
        return forms.CharField(label=_("Size"), required=False, max_length=200, widget=widget)

    def _owner(self) -> forms.Field:
        """Oneself, or a team; who administers the cluster creates for anybody."""
        label = _("Owner")
        if self.is_admin:
            help_text = _("A user name, or a team as @team. Empty: as whom you act.")
            return forms.CharField(label=label, required=False, widget=PlainText(), help_text=help_text)
        return forms.CharField(label=label, required=False, widget=QuietSelect(self._list_owners))

    def _list_owners(self) -> list[tuple[str, str]]:
        first, *others = (_name_of(each) for each in self.personas())
        meant = _("You (%s)") % first if first == self.actor.user.username else first
        return [("", meant), *((name, name) for name in others)]

    def _cluster(self, clusters: Callable[[], Mapping[str, str]]) -> forms.Field:
        widget = QuickSelect(
            lambda: [(slug, f"{slug}: {reason}" if reason else slug) for slug, reason in clusters().items()],
            barred=lambda: [slug for slug, reason in clusters().items() if reason and slug != self.cluster.slug],
        )
        return forms.CharField(label=_("Cluster"), widget=widget)

    def clean(self) -> dict[str, Any] | None:
        """The owner, as a persona; and a size that is no longer there is not the standard without a word."""
        size = str(self.data.get("size") or "")
        if size and size not in self.sizes:
            self.add_error("size" if "size" in self.fields else None, _("There is no size called %s here.") % size)
        name = str(self.cleaned_data.get("owner") or "").strip()
        found = find_owner(self.actor.user, self.cluster, name) if name else None
        if name and found is None:
            self.add_error("owner", _("You may not act for %s.") % name)
        self.owner = found or self.actor.persona or persona_of(self.actor.user)
        return None

    def params(self) -> CreateParams:
        """What is asked for; of a form with errors, as far as it could be read."""
        spec, values = self.spec(VMSpec("")), self.cleaned_data
        notes = str(values.get("notes") or "")
        return CreateParams(spec, self.owner, notes, is_protected=bool(values.get("is_protected")))

    def offer(self, places: Sequence[Place]) -> None:
        """Let the nodes stand in this order, with what stays free."""
        self.made_of.placement.rank(self.fields, places)

    def sections(self, opened: str = "") -> list[Section]:
        """All of the form; `opened` is the section at which something was done."""
        spec = self.params().spec
        disks, cards = numbers_of("disks", self.data), numbers_of("nics", self.data)
        first = [f"disks.{disks[0]}.size_mib"] if disks else []
        sized = [f"beparams.{name}" for name in SIZE]
        made = [
            Section(
                "machine",
                _("Machine"),
                spec.name,
                self._some("cluster", "name", "source.node", "os", "owner"),
                is_folded=False,
            ),
            Section("size", _("Size"), _say_size(spec), self._some("size", *sized, *first), is_folded=False),
            Section(
                "osparams",
                _("OS parameters"),
                _count(len(spec.osparams) + len(spec.osparams_private) + len(spec.osparams_secret), spec),
                self._some("osparams", "osparams_private", "osparams_secret"),
            ),
            Section(
                "disks",
                _("Disks"),
                _say_disks(spec, self.facts),
                self._some("disk_template"),
                parts=[self._part("disks", at, number, first) for at, number in enumerate(disks)],
                adds=_("Add a disk") if len(disks) < settings.GWM_MOST_DISKS else "",
            ),
            Section(
                "nics",
                _("Network"),
                _say_nics(spec, self.facts),
                parts=[self._part("nics", at, number, []) for at, number in enumerate(cards)],
                adds=_("Add a network card") if len(cards) < settings.GWM_MOST_NICS else "",
            ),
            Section(
                "placement",
                _("Placement"),
                spec.placement.primary or (_("automatic") if self.facts.allocator else _("to be chosen")),
                self._some("placement.group", "placement.primary", "placement.secondary"),
            ),
            Section(
                "hypervisor",
                _("Hypervisor"),
                f"{self.made_of.hypervisor}: {_count(len(spec.hvparams), spec)}",
                self._some("hypervisor"),
                self._groups(self.made_of.hv),
            ),
            Section("backend", _("CPU and memory"), _say_backend(spec), self._some(*self.made_of.be.paths())),
            Section(
                "options",
                _("Options"),
                _say_options(spec.options),
                self._some("tags", "notes", *OptionsPiece().paths(), "is_protected", "save_as"),
            ),
        ]
        return [replace(each, is_open=each.name == opened or self._has_errors(each)) for each in made]

    def problems(self) -> list[tuple[str, str, str]]:
        """What is wrong: the id of the field, what it is called, and the words."""
        found = [("", "", str(words)) for words in self.non_field_errors()]
        for section in self.sections():
            named = [("", each) for each in (*section.fields, *(one for _t, some in section.groups for one in some))]
            named += [(f"{part.title}: ", each) for part in section.parts for each in part.fields]
            for start, each in named:
                told = [str(words).removeprefix(f"{each.label}: ") for words in each.errors]  # some say it themselves
                found += [(each.id_for_label, f"{start}{each.label}", words) for words in told]
        return found

    def _some(self, *paths: str) -> list[Any]:
        return [self[path] for path in paths if path in self.fields]

    def _groups(self, piece: ParameterPiece) -> list[tuple[Any, Sequence[Any]]]:
        return [(group.title, self._some(*paths)) for group, paths in piece.grouped()]

    def _part(self, where: str, at: int, number: int, without: Sequence[str]) -> Part:
        start = f"{where}.{number}."
        paths = [path for path in self.fields if path.startswith(start) and path not in without]
        title = _("Disk %s") % at if where == "disks" else _("Network card %s") % at
        return Part(f"{where}.{number}", title, self._some(*paths))

    def _has_errors(self, section: Section) -> bool:
        shown = [*section.fields, *(each for _t, some in section.groups for each in some)]
        shown += [each for part in section.parts for each in part.fields]
        return any(each.name in self.errors for each in shown)


def typed_for(form: MachineForm, spec: VMSpec) -> Typed:
    """What would have to be typed for a machine, as far as the form has fields for it."""
    return typed_of(form.pieces, spec)


def with_size(spec: VMSpec, in_force: Mapping[str, Any]) -> VMSpec:
    """With the size that is in force, where that is the cluster's default, too."""
    size = {name: in_force[name] for name in SIZE if isinstance(in_force.get(name), int)}
    return replace(spec, beparams={**size, **spec.beparams})


def _name_of(persona: Persona) -> str:
    return f"@{persona.name}" if persona.group_id is not None else persona.name


def _count(number: int, spec: VMSpec) -> str:
    if not number:
        return _("as the cluster has it") if spec.source is None else _("as in the export")
    return ngettext("%d of its own", "%d of its own", number) % number


def _say_disks(spec: VMSpec, facts: Facts) -> str:
    if not spec.disks:
        return _("as in the export") if spec.source is not None else _("none")
    template = spec.disk_template or facts.defaults.disk_template
    sizes = " + ".join(mib(disk.size_mib) if disk.size_mib else "?" for disk in spec.disks)
    return f"{sizes}, {template}" if template and template != DISKLESS else sizes


def _say_nics(spec: VMSpec, facts: Facts) -> str:
    if not spec.nics:
        return _("as in the export") if spec.source is not None else _("none")
    default = f"{facts.defaults.nic.get('mode') or ''} {facts.defaults.nic.get('link') or ''}".strip()
    return ", ".join(nic.network or f"{nic.mode} {nic.link}".strip() or default or _("default") for nic in spec.nics)


def _say_size(spec: VMSpec) -> str:
    vcpus, memory = spec.beparams.get("vcpus"), spec.beparams.get("maxmem")
    said = [ngettext("%d vCPU", "%d vCPUs", vcpus) % vcpus] if isinstance(vcpus, int) else []
    return ", ".join([*said, mib(memory)] if isinstance(memory, int) else said)


def _say_figures(vcpus: int, memory_mib: int, disk_mib: int) -> str:
    return ", ".join([ngettext("%d vCPU", "%d vCPUs", vcpus) % vcpus, mib(memory_mib), _("disk %s") % mib(disk_mib)])


def _say_backend(spec: VMSpec) -> str:
    return _count(len([name for name in spec.beparams if name not in (*SIZE, "minmem")]), spec)


def _say_options(options: Options) -> str:
    said = [_("started once it is there") if options.start and not options.no_install else _("not started")]
    if options.no_install:
        said.append(_("nothing is installed"))
    if options.name_check:
        said.append(_("name looked up"))
    return ", ".join(said)
