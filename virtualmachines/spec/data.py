"""A spec as plain data and back: what the journal, batches, the command line and the API hold of it."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from objectlog.words import gettext as _
from virtualmachines.spec.machine import VMSpec

T = TypeVar("T")
#: never kept anywhere: neither Ganeti nor we tell them again
SECRETS = frozenset({"osparams_private", "osparams_secret"})
_MOST = 1000


class BadData(ValueError):
    """Data that is no spec: `where` is the path of the field, such as disks.0.size_mib; the text is for people."""

    def __init__(self, where: str, words: str) -> None:
        super().__init__(f"{where}: {words}" if where else words)
        self.where = where


def spec_as_data(spec: VMSpec, *, with_secrets: bool = False) -> dict[str, Any]:
    """What it says, without what it leaves open; that it has no network card is said. Secrets only on demand."""
    found: dict[str, Any] = {"nics": [], **_as_data(spec)}
    return found if with_secrets else {name: value for name, value in found.items() if name not in SECRETS}


def spec_from_data(data: Any) -> VMSpec:
    """From what `spec_as_data` gives, or somebody wrote. Raises BadData, which names the field."""
    return from_data(VMSpec, data)


def as_data(value: Any) -> Any:
    """What a dataclass says, without what it leaves open."""
    return _as_data(value)


def from_data(kind: type[T], data: Any) -> T:
    """The dataclass from what `as_data` gives. Raises BadData."""
    found: T = _read(kind, data, "")
    return found


def _as_data(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: _as_data(getattr(value, each.name))
            for each in fields(value)
            if getattr(value, each.name) != _default(each)
        }
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_as_data(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _as_data(each) for name, each in value.items()}
    return value


def _default(each: Any) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, of = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _read_fields(kind, value, where)
    if origin in (Union, types.UnionType) or origin is Literal:
        return _read_one_of(kind, value, where)
    if origin in (tuple, frozenset):
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > _MOST:
            raise BadData(where, _("This is a list."))
        found = [_read(of[0], each, f"{where}.{number}") for number, each in enumerate(value)]
        return tuple(found) if origin is tuple else frozenset(found)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise BadData(where, _("These are names with values."))
        return {name: _read(of[1], each, f"{where}.{name}") for name, each in value.items()}
    if type(value) is not kind:
        raise BadData(where, _KINDS[kind]())
    if isinstance(value, str) and "\x00" in value:
        raise BadData(where, _("This text has a character that no text has."))
    return value


def _read_one_of(kind: Any, value: Any, where: str) -> Any:
    """Of a union the first that fits; what belongs to one is read as that, so that the innermost is named."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            known = ", ".join(str(each) for each in get_args(kind) if each)
            raise BadData(where, _("This is one of %(known)s.") % {"known": known})
        return value
    some = [each for each in get_args(kind) if each is not type(None)]
    if value is None and len(some) < len(get_args(kind)):
        return None
    for each in some[:-1]:
        try:
            return _read(each, value, where)
        except BadData:
            continue
    return _read(some[-1], value, where)


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise BadData(where, _("These are names with values."))
    hints, known = get_type_hints(kind), {each.name: each for each in fields(kind)}
    prefix = f"{where}." if where else ""
    for name in value:
        if name not in known:
            raise BadData(f"{prefix}{name}", _("There is no such field; known: %s.") % ", ".join(known))
    for name, each in known.items():
        if name not in value and _default(each) is MISSING:
            raise BadData(f"{prefix}{name}", _("A value is needed."))
    return kind(**{name: _read(hints[name], given, f"{prefix}{name}") for name, given in value.items()})


_KINDS = {
    str: lambda: _("This is a text."),
    int: lambda: _("This is a whole number."),
    float: lambda: _("This is a number."),
    bool: lambda: _("This is on or off."),
}
