"""What is said of one of Ganeti's parameters: its words, its type, who may set it, in which releases it exists."""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

#: (3, 1) for every 3.1.x. What is older than 2.6 is not told apart: it has no `since`.
Release = tuple[int, int]
Words = str | Promise


class Kind(StrEnum):
    """What kind of value it takes. Ganeti keeps all but the first three as text."""

    SWITCH = "switch"
    INTEGER = "integer"
    SIZE = "size"  # MiB
    CHOICE = "choice"
    TEXT = "text"
    PATH = "path"  # on the node, absolute
    PATH_OR_URL = "path or URL"
    ADDRESS = "address"  # an address to listen on, or the name of a network interface
    CPUS = "cpus"  # "all", "0-2,5", or one such list per virtual CPU, separated by colons


class Level(StrEnum):
    """Who may set it. Both levels beside `EVERYONE` need the right to administer the cluster.

    `HOST` concerns the node itself: its files, devices, addresses and what protects it from the guest. Its values are
    shown only to those who administer the cluster.
    """

    EVERYONE = "everyone"
    ADMIN = "cluster admin"
    HOST = "host"


class Group(Enum):
    """Parameters that belong together on a page, in this order."""

    RESOURCES = gettext_lazy("Resources")
    BOOT = gettext_lazy("Boot")
    DISPLAY = gettext_lazy("Display and console")
    CPU = gettext_lazy("CPU and memory")
    DISKS = gettext_lazy("Disk parameters")
    NETWORK = gettext_lazy("Network")
    MIGRATION = gettext_lazy("Migration")
    SECURITY = gettext_lazy("Security and devices")
    OTHER = gettext_lazy("Other")

    @property
    def title(self) -> Words:
        """Its heading."""
        return self.value


@dataclass(frozen=True)
class Choice:
    """One value of several, with the releases that know it."""

    value: str
    since: Release | None = None
    until: Release | None = None

    def exists_in(self, release: Release) -> bool:
        """Whether this release takes it."""
        return _is_within(release, self.since, self.until)


@dataclass(frozen=True)
class Parameter:
    """One parameter. `least` and `most` bound a number, beside which there may be words (`choices`); `pattern` is what
    all of a text must match.

    `most_since`: another `most` from a release on. `is_optional`: may be empty (numbers: 0), which leaves the decision
    to the hypervisor or switches the thing off. `until` is the last release that has it.
    """

    name: str
    label: Words
    help: Words
    kind: Kind
    group: Group = Group.OTHER
    level: Level = Level.EVERYONE
    unit: Words = ""
    choices: tuple[Choice, ...] = ()
    least: int | None = None
    most: int | None = None
    most_since: tuple[tuple[Release, int], ...] = ()
    pattern: str = ""
    is_optional: bool = False
    since: Release | None = None
    until: Release | None = None

    @property
    def plain_label(self) -> str:
        """Its label as it stands in the source, by which a reader's language is looked up."""
        with override(None):
            return str(self.label)

    def exists_in(self, release: Release) -> bool:
        """Whether this release of Ganeti knows it."""
        return _is_within(release, self.since, self.until)

    def options_in(self, release: Release) -> tuple[str, ...]:
        """The values that this release takes, of a choice; the words that it takes in place of a number."""
        return tuple(each.value for each in self.choices if each.exists_in(release))

    def most_in(self, release: Release) -> int | None:
        """The largest number that this release takes."""
        return next((most for since, most in reversed(self.most_since) if release >= since), self.most)

    @property
    def is_for_admins(self) -> bool:
        """Whether it takes the right to administer the cluster to set it."""
        return self.level is not Level.EVERYONE

    def judge(self, value: Any, release: Release) -> str | None:
        """What is wrong with a value, as a sentence, or None. Ganeti checks again, on the node."""
        if value in ("", None):
            return None if self.is_optional else _("A value is needed.")
        if self.kind is Kind.SWITCH:
            return None if isinstance(value, bool) else _("This is on or off.")
        if self.kind in (Kind.INTEGER, Kind.SIZE):
            return None if value in self.options_in(release) else self._judge_number(value, release)
        if not isinstance(value, str):
            return _("This is a text.")
        return self._judge_text(value, release)

    def _judge_number(self, value: Any, release: Release) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return _("Enter a whole number.")
        if value == 0 and self.is_optional:
            return None
        if self.least is not None and value < self.least:
            return _("At least %(least)s.") % {"least": self.least}
        most = self.most_in(release)
        if most is not None and value > most:
            return _("At most %(most)s.") % {"most": most}
        return None

    def _judge_text(self, value: str, release: Release) -> str | None:
        if self.kind is Kind.CHOICE and value not in self.options_in(release):
            return _("Choose one of %(choices)s.") % {"choices": ", ".join(self.options_in(release))}
        if self.kind is Kind.PATH and not _is_path(value):
            return _("Enter an absolute path, such as /srv/image.iso.")
        if self.kind is Kind.PATH_OR_URL and not (_is_path(value) or _URL.fullmatch(value)):
            return _("Enter an absolute path or a URL.")
        if self.kind is Kind.CPUS and not _CPUS.fullmatch(value):
            return _("Enter all, or numbers of CPUs such as 0-2,5; one list for each virtual CPU, separated by colons.")
        if self.pattern and not re.fullmatch(self.pattern, value):
            return _("This value has a form that Ganeti does not take.")
        return None


_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/]\S*")
_CPU_LIST = r"(?:all|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)"
_CPUS = re.compile(rf"{_CPU_LIST}(?::{_CPU_LIST})*")


def _is_path(value: str) -> bool:
    """Absolute and without detours, as Ganeti asks for."""
    parts = value.split("/")
    return value.startswith("/") and len(value) > 1 and not any(part in ("", ".", "..") for part in parts[1:])


def _is_within(release: Release, since: Release | None, until: Release | None) -> bool:
    return (since is None or release >= since) and (until is None or release <= until)


def choices(*values: str | Choice) -> tuple[Choice, ...]:
    """The values of a choice; those that not every release has are given as `Choice`."""
    return tuple(Choice(each) if isinstance(each, str) else each for each in values)


def by_name(*parameters: Parameter) -> dict[str, Parameter]:
    """The parameters of one table."""
    table = {each.name: each for each in parameters}
    if len(table) != len(parameters):
        raise ValueError("A parameter stands twice in its table.")
    return table
