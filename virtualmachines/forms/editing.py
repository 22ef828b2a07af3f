"""The form by which a machine is changed: the pieces that a creation has, filled in with what the machine has now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.translation import gettext as _

from clusters.catalogue import BACKEND, of_hypervisor
from virtualmachines.forms.pieces import DisksPiece, NicsPiece, ParameterPiece, Piece, SpecForm, SystemPiece, typed_of
from virtualmachines.forms.pieces.typed import Lines
from virtualmachines.rules import Facts
from virtualmachines.spec import VMSpec

_SALT = "virtualmachines.edit"
# Ganeti keeps these and tells them to nobody: they can be set, and are not shown again by us either.
PRIVATE = "osparams_private"
_UNTOLD = (PRIVATE, "osparams_secret")
Typed = dict[str, str]


@dataclass(frozen=True)
class Section:
    """Fields that belong together; `parts` are those of each disk or network card."""

    name: str
    title: str
    fields: list[Any]
    parts: list[tuple[str, str, list[Any]]]
    is_open: bool = False


class Unseen(Lines):
    """What is typed here is sent, and never shown."""

    def format_value(self, value: Any) -> str:
        """Nothing."""
        return ""


class EditForm:
    """What can be typed of one machine by one person, and what it would become."""

    def __init__(self, spec: VMSpec, facts: Facts, *, is_admin: bool) -> None:
        self.spec, defaults = spec, facts.defaults
        sizes = ("maxmem", "minmem", "vcpus")
        self._size = ParameterPiece(
            "beparams", BACKEND, defaults.beparams, facts.release, is_admin, spec.beparams, only=sizes
        )
        self._backend = ParameterPiece(
            "beparams", BACKEND, defaults.beparams, facts.release, is_admin, spec.beparams, without=sizes
        )
        in_force = defaults.hvparams_of(spec.hypervisor, spec.os)
        table = of_hypervisor(spec.hypervisor)
        self._hypervisor = ParameterPiece("hvparams", table, in_force, facts.release, is_admin, spec.hvparams)
        self._system = SystemPiece(sorted(facts.systems))
        self._disks = DisksPiece(facts.release, is_admin, spec.disk_template)
        networks = {network.name: network for network in facts.networks.values()}
        self._nics = NicsPiece(facts.release, is_admin, defaults.nic, networks)
        self.pieces: list[Piece] = [
            self._size,
            self._system,
            self._backend,
            self._hypervisor,
            self._disks,
            self._nics,
        ]

    def typed(self, spec: VMSpec | None = None) -> Typed:
        """What would have to be typed for the machine as it is, or for another."""
        return {name: text for name, text in typed_of(self.pieces, spec or self.spec).items() if name not in _UNTOLD}

    def form(self, typed: Mapping[str, Any], *, is_judged: bool) -> SpecForm:
        """The form with what was typed."""
        form = SpecForm(self.pieces, typed, is_judged=is_judged)
        form.fields.pop("osparams_secret", None)
        form.fields[PRIVATE].widget = Unseen()
        form.fields[PRIVATE].help_text = _(
            "Ganeti tells them to nobody, so none are shown: type those to be set, one name=value a line. Empty: they "
            "stay as they are."
        )
        for name in [name for name in form.fields if name.startswith("disks.")]:
            of_new = name.rpartition(".")[2] not in ("size_mib", "mode", "name", "uuid")
            if of_new and typed.get(f"{name.rpartition('.')[0]}.uuid"):
                del form.fields[name]
        for name, field in form.fields.items():
            if name.endswith(".size_mib") and typed.get(f"{name.rpartition('.')[0]}.uuid"):
                field.widget.attrs["readonly"] = True
                field.help_text = _("To grow it, choose “Grow disk” on the machine's page.")
        return form

    def sections(self, form: SpecForm) -> Iterator[Section]:
        """All fields, in the order of the page."""
        size = [form[name] for name in self._size.fields()]
        system = [form[name] for name in ("os", "osparams", PRIVATE) if name in form.fields]
        yield Section("size", _("Size"), size, [], is_open=True)
        yield Section("system", _("Operating system"), system, [], is_open=True)
        yield self._parts("disks", _("Disks"), form)
        yield self._parts("nics", _("Network cards"), form)
        for group, names in self._hypervisor.grouped():
            yield _folded(f"hypervisor-{group.name.lower()}", str(group.title), [form[name] for name in names])
        rest = [form[name] for name in self._backend.fields()]
        if rest:
            yield _folded("backend", _("Placement by Ganeti"), rest)

    def _parts(self, where: str, title: str, form: SpecForm) -> Section:
        numbers: dict[str, list[Any]] = {}
        for name in form.fields:
            if name.startswith(f"{where}."):
                numbers.setdefault(name.split(".")[1], []).append(form[name])
        one = _("Disk %s") if where == "disks" else _("Network card %s")
        parts = [(f"{where}.{number}", one % number, bound) for number, bound in numbers.items()]
        return Section(where, title, [], parts, is_open=True)


def _folded(name: str, title: str, bound: list[Any]) -> Section:
    """Open where something differs from the cluster, or is wrong."""
    return Section(name, title, bound, [], is_open=any(each.value() or each.errors for each in bound))


def seal(version: str, typed: Typed) -> str:
    """What a form was opened with, so that it is known what was changed since. Only we can write it."""
    return signing.dumps({"version": version, "typed": typed}, salt=_SALT, compress=True)


def unseal(sealed: str) -> tuple[str, Typed]:
    """Version, and what had been typed for it; nothing of both where it is not ours."""
    try:
        found = signing.loads(sealed, salt=_SALT)
    except signing.BadSignature:
        return "", {}
    return str(found["version"]), {str(name): str(text) for name, text in found["typed"].items()}


_MOST, _LEAST = "beparams.maxmem", "beparams.minmem"


def follow(opened: Typed, typed: Typed) -> Typed:
    """The minimum goes along with the memory where it was the same: who only resizes need not know that there are two.

    Ganeti's own word `memory` means both as well.
    """
    was = opened.get(_MOST, "")
    if was and was == opened.get(_LEAST) == typed.get(_LEAST, "") and typed.get(_MOST):
        return {**typed, _LEAST: typed[_MOST]}
    return typed


def merge(opened: Typed, typed: Typed, now: Typed) -> tuple[Typed, list[str]]:
    """What was typed, over what is in force now: where nothing was typed, that is taken. And the names that changed."""
    changed = sorted(name for name in opened.keys() | now.keys() if opened.get(name, "") != now.get(name, ""))
    merged = dict(typed)
    for name in changed:
        if typed.get(name, "") == opened.get(name, ""):
            merged[name] = now.get(name, "")
    return merged, changed
