"""What somebody uses of clusters, and may: the figures of the pages of usage and quotas."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from clusters.models import Cluster
from permissions.models import Persona, User
from permissions.policy import visible
from permissions.selectors import name_of_persona
from quotas.amounts import DIMENSIONS, UNLIMITED, Amounts, Limits
from quotas.models import Request
from quotas.selectors import (
    claims_by_cluster,
    claims_by_persona,
    default_of,
    limits_by_cluster,
    own_limits_by_persona,
)
from quotas.services import WORDS
from ui.templatetags.units import count, mib
from virtualmachines.usage import usage_by_cluster, usage_by_owner


@dataclass(frozen=True)
class Figure:
    """One of what quotas count: what is used, what is claimed by what is under way, and the limit, if there is one."""

    name: str
    label: Any
    used: int
    claimed: int
    limit: int | None
    trend: Any = None  # the last days, see `people.usage_history`

    @property
    def is_size(self) -> bool:
        """Whether it is MiB."""
        return self.name.endswith("_mib")

    @property
    def over(self) -> int:
        """By how much the limit is exceeded."""
        return 0 if self.limit is None else max(0, self.used + self.claimed - self.limit)

    def tell(self, number: int) -> str:
        """With its unit."""
        return mib(number) if self.is_size else count(number)


@dataclass(frozen=True)
class Usage:
    """Of one persona on one cluster. `is_own`: its quota is not the default."""

    persona: Persona
    cluster: Cluster
    figures: tuple[Figure, ...]
    is_own: bool

    @property
    def name(self) -> str:
        """How one types who it is of."""
        return name_of_persona(self.persona)

    def figure(self, name: str) -> Figure:
        """One of the figures."""
        return self.figures[DIMENSIONS.index(name)]

    def __getattr__(self, name: str) -> int:
        """What is used of one of what quotas count, for the order of lists."""
        if name not in DIMENSIONS:
            raise AttributeError(name)
        found = self.figure(name)
        return found.used + found.claimed


def usage_of_persona(persona: Persona, user: User | None) -> list[Usage]:
    """On every cluster where the persona owns machines or has a quota, and where `user` may create machines."""
    used, claimed = usage_by_cluster(persona), claims_by_cluster(persona)
    own, defaults = limits_by_cluster(persona)
    there = Q(pk__in={*used, *claimed, *own})
    if user is not None:
        there |= Q(pk__in=visible(user, "create_vm", Cluster.objects.order_by()).values("pk"))
    clusters = Cluster.objects.filter(there).only("slug").order_by("slug")
    return [
        Usage(
            persona,
            cluster,
            _figures(
                used.get(cluster.pk, Amounts()),
                claimed.get(cluster.pk, Amounts()),
                own.get(cluster.pk) or defaults.get(cluster.pk) or UNLIMITED,
            ),
            cluster.pk in own,
        )
        for cluster in clusters
    ]


def usage_on_cluster(cluster: Cluster, which: Q) -> tuple[Limits, list[Usage]]:
    """The default, and everybody who owns machines there or has a quota there, of those asked for."""
    used, claimed = usage_by_owner(cluster), claims_by_persona(cluster)
    own, default = own_limits_by_persona(cluster), default_of(cluster)
    there = Persona.objects.filter(pk__in={*used, *claimed, *own}).filter(which)
    found = [
        Usage(
            persona,
            cluster,
            _figures(
                used.get(persona.pk, Amounts()), claimed.get(persona.pk, Amounts()), own.get(persona.pk) or default
            ),
            persona.pk in own,
        )
        for persona in there.select_related("user", "group")
    ]
    return default, found


def figures_of(limits: Limits) -> tuple[Figure, ...]:
    """Limits alone."""
    return _figures(Amounts(), Amounts(), limits)


def figures_of_request(asked: Request) -> tuple[Figure, ...]:
    """What a request asks for: all four limits, or the size of a machine."""
    figures = _figures(Amounts(), Amounts(), asked.limits)
    return figures if asked.kind == Request.Kind.QUOTA else tuple(each for each in figures if each.limit is not None)


def _figures(used: Amounts, claimed: Amounts, limits: Limits) -> tuple[Figure, ...]:
    rows = zip(DIMENSIONS, used.values(), claimed.values(), limits.values(), strict=True)
    return tuple(Figure(name, WORDS[name], some, more, limit) for name, some, more, limit in rows)
