"""One filter for machines: what a person typed into the search box and chose beside it.

The box takes words, all of which must match; `cluster:`, `status:`, `owner:`, `node:`, `os:`, `hypervisor:` and `tag:`
before a word look at that alone. The same names are parameters of the address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

STOPPED = ("ADMIN_down", "ADMIN_offline", "USER_down", "forthcoming")
TROUBLE = ("ERROR_down", "ERROR_nodedown", "ERROR_nodeoffline", "ERROR_up", "ERROR_wrongnode")
# What may be meant as a key: not the first part of an IPv6 or a MAC address.
_LIKE_A_KEY = re.compile(r"(?![0-9a-f]{1,4}$)[a-z_-]{2,20}")
KEYS = ("cluster", "status", "owner", "node", "os", "hypervisor", "tag")

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


@dataclass(frozen=True)
class VMFilter:
    """What was asked for. `words` are searched in names, addresses, tags and OS; the others by key."""

    words: tuple[str, ...] = ()
    wanted: tuple[tuple[str, str], ...] = ()
    text: str = ""
    typed: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    unknown: tuple[str, ...] = field(default=(), compare=False)  # words before a colon that mean nothing here

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> "VMFilter":
        """From the parameters of an address; what it does not know is left alone."""
        words, typed, unknown = [], [], []
        text = given.get("q", "").strip()[:200]
        for word in text.lower().split():
            key, colon, value = word.partition(":")
            if colon and key in KEYS and value:
                typed.append((key, value))
            else:
                words.append(word)
                if _LIKE_A_KEY.fullmatch(key) and value:
                    unknown.append(key)
        chosen = [(key, given[key].strip()[:255]) for key in KEYS if given.get(key, "").strip()]
        return cls(tuple(words), (*chosen, *typed), text, tuple(chosen), tuple(unknown))

    @property
    def status(self) -> str:
        """The group of states asked for, or nothing."""
        return next((value for key, value in self.wanted if key == "status"), "")

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything pass."""
        return not self.words and not self.wanted

    def without_status(self) -> "VMFilter":
        """The same for all states: what the numbers beside the states count."""
        return replace(self, wanted=tuple(pair for pair in self.wanted if pair[0] != "status"))

    def condition(self) -> Q:
        """As a condition on machines."""
        condition = Q()
        for word in self.words:
            condition &= Q(search_text__contains=word)
        for key, value in self.wanted:
            condition &= _condition(key, value)
        return condition


def _condition(key: str, value: str) -> Q:
    if key == "status":
        return _status_condition(value)
    return {
        "cluster": Q(cluster__slug=value.lower()),
        "owner": Q(owner__user__username__iexact=value) | Q(owner__group__name__iexact=value),
        "node": Q(primary_node__name__istartswith=value) | Q(secondary_node__name__istartswith=value),
        "os": Q(os__icontains=value),
        "hypervisor": Q(hypervisor__iexact=value),
        "tag": Q(search_text__contains=value.lower()),
    }[key]


def _status_condition(value: str) -> Q:
    if value not in GROUPS:
        return Q(status__iexact=value)
    condition = GROUPS[value][1]
    for name, (__, earlier) in GROUPS.items():
        if name == value:
            break
        condition &= ~earlier
    return condition
