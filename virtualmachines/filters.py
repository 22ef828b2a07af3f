"""One filter for machines: what a person typed into the search box and chose beside it.

The box takes the language of `ui.filtering` with the keys of `MACHINES`. Those of `CHOSEN` are parameters of the
address, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ui.filtering import LONGEST, Asked, Language, Term, of_choices, of_number, of_size, of_text, parse

STOPPED = ("ADMIN_down", "ADMIN_offline", "USER_down", "forthcoming")
TROUBLE = ("ERROR_down", "ERROR_nodedown", "ERROR_nodeoffline", "ERROR_up", "ERROR_wrongnode")
CHOSEN = ("cluster", "status", "owner", "node", "os", "hypervisor", "tag")

# In the order in which a machine's state is judged; see virtualmachines.states.state_of.
GROUPS: dict[str, tuple[Any, Q]] = {
    "busy": (_("In progress"), Q(busy_entry__isnull=False)),
    "missing": (_("Missing"), Q(missing_since__isnull=False)),
    "running": (_("Running"), Q(status="running")),
    "stopped": (_("Stopped"), Q(status__in=STOPPED)),
    "trouble": (_("In trouble"), Q(status__in=TROUBLE)),
}
OTHER = "other"


# In the order in which a page shows them.
SHOWN = ("running", "stopped", "trouble", "busy", "missing")


def group_of(status: str, *, is_missing: bool, is_busy: bool) -> str:
    """The group of a machine: the same as `GROUPS` says to the database."""
    if is_busy:
        return "busy"
    if is_missing:
        return "missing"
    if status == "running":
        return "running"
    if status in STOPPED:
        return "stopped"
    return "trouble" if status in TROUBLE else OTHER


def _conditions() -> dict[str, Q]:
    """Of each group those machines that no earlier group has."""
    conditions, earlier = {}, Q()
    for name, (__, condition) in GROUPS.items():
        conditions[name] = condition & earlier
        earlier &= ~condition
    return conditions


MACHINES = Language(
    keys={
        "cluster": of_text(_("cluster"), "cluster:prod", lambda value: Q(cluster__slug=value.lower())),
        "status": of_choices(_("state"), "status:stopped", _conditions(), other="status"),
        "owner": of_text(
            _("owner"),
            "owner:alice",
            lambda value: Q(owner__user__username__iexact=value) | Q(owner__group__name__iexact=value),
        ),
        "node": of_text(
            _("node"),
            "node:node1",
            lambda value: Q(primary_node__name__istartswith=value) | Q(secondary_node__name__istartswith=value),
        ),
        "os": of_text(_("operating system"), "os:debian", lambda value: Q(os__icontains=value)),
        "hypervisor": of_text(_("hypervisor"), "hypervisor:kvm", lambda value: Q(hypervisor__iexact=value)),
        "tag": of_text(_("tag"), "tag:web", lambda value: Q(search_text__contains=value.lower())),
        "name": of_text(
            _("name"), "name:web", lambda value: Q(name__icontains=value), equals=lambda value: Q(name__iexact=value)
        ),
        "mem": of_size(_("memory"), "mem>4G", "memory_mib"),
        "vcpus": of_number(_("vCPUs"), "vcpus>=2", "vcpus"),
        "disk": of_size(_("disk"), "disk<50G", "disk_mib"),
    },
    word=lambda value: Q(search_text__contains=value.lower()),
)


@dataclass(frozen=True)
class VMFilter:
    """What was asked for: all terms; of them `text` was typed, and `chosen` are parameters of the address."""

    terms: tuple[Term, ...] = ()
    text: str = ""
    chosen: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> "VMFilter":
        """From the parameters of an address; what it does not know is left alone."""
        text = given.get("q", "").strip()[:LONGEST]
        chosen = tuple((key, given[key].strip()[:255]) for key in CHOSEN if given.get(key, "").strip())
        return cls((*(Term(key, ":", value) for key, value in chosen), *parse(text)), text, chosen)

    @property
    def states(self) -> list[str]:
        """The states asked for; those asked not to be are no part of it."""
        return [term.value for term in self.terms if _is_state(term)]

    @property
    def status(self) -> str:
        """The group of states asked for, or nothing."""
        return next(iter(self.states), "")

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything pass."""
        return not self.terms

    @cached_property
    def asked(self) -> Asked:
        """What it means for machines."""
        return MACHINES.read(self.terms)

    def without_status(self) -> "VMFilter":
        """The same for all states: what the numbers beside the states count."""
        return replace(self, terms=tuple(term for term in self.terms if not _is_state(term)))


def _is_state(term: Term) -> bool:
    return term.key == "status" and term.operator in (":", "=") and not term.negated
