"""Parameters as pages show them: in the catalogue's words, in groups, each beside what it has by default."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clusters.catalogue import Group, Kind, Level, Parameter, Table
from clusters.catalogue.parameter import Words
from ui.said import in_figures
from ui.templatetags.units import SPACE, as_words, mib

# What can be told in GiB without rounding is.
_GIB = 1024
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Described:
    """One parameter with a value. `parameter` is None if the catalogue does not know it.

    `default` is what it would be otherwise; `differs` whether it has another value.
    """

    name: str
    parameter: Parameter | None
    value: Any
    default: Any = None
    differs: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.value in (None, "")

    @property
    def shown(self) -> str:
        """The value, with its unit."""
        return _in_words(self.parameter, self.value)

    @property
    def default_shown(self) -> str:
        """The default, with its unit."""
        return _in_words(self.parameter, self.default)


@dataclass(frozen=True)
class Section:
    """Parameters that belong together."""

    title: Words
    parameters: list[Described]

    @property
    def differing(self) -> int:
        """How many differ from the defaults."""
        return sum(each.differs for each in self.parameters)


@dataclass(frozen=True)
class Page:
    """All sections of a page, and how many parameters are kept from who doesn't administer the cluster."""

    sections: list[Section]
    hidden: int


def describe_table(values: Mapping[str, Any], table: Table, defaults: Mapping[str, Any] = _NOTHING) -> list[Described]:
    """The given values, in the catalogue's order, then what it does not know. Without defaults nothing differs."""
    names = [name for name in table if name in values] + sorted(name for name in values if name not in table)
    return [
        Described(
            name, table.get(name), values[name], defaults.get(name), name in defaults and defaults[name] != values[name]
        )
        for name in names
    ]


def grouped(described: Iterable[Described]) -> list[Section]:
    """A section for each of the catalogue's groups; what is unknown is with the others."""
    by_group: dict[Group, list[Described]] = {group: [] for group in Group}
    for each in described:
        by_group[each.parameter.group if each.parameter else Group.OTHER].append(each)
    return [Section(group.title, found) for group, found in by_group.items() if found]


def page_for(sections: Iterable[Section], is_admin: bool) -> Page:
    """What may be seen of it: what concerns the host is for who administers the cluster. Without empty sections."""
    if is_admin:
        return Page([section for section in sections if section.parameters], 0)
    seen, hidden = [], 0
    for section in sections:
        shown = [each for each in section.parameters if not _is_of_host(each)]
        hidden += len(section.parameters) - len(shown)
        if shown:
            seen.append(Section(section.title, shown))
    return Page(seen, hidden)


def _differs(defaults: Mapping[str, Any], name: str, value: Any) -> bool:
    return name in defaults and defaults[name] != value


def _is_of_host(described: Described) -> bool:
    return described.parameter is not None and described.parameter.level is Level.HOST


def _in_words(parameter: Parameter | None, value: Any) -> str:
    if parameter is None or isinstance(value, bool) or not isinstance(value, int):
        return as_words(value)
    if parameter.kind is Kind.SIZE:
        return mib(value) if value % _GIB == 0 or value < _GIB else f"{in_figures(value)}{SPACE}MiB"
    return f"{value}{SPACE}{parameter.unit}" if parameter.unit else str(value)
