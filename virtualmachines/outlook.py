"""What a machine would mean where it is to be made: quotas before and after, room, and everything that is wrong."""

from dataclasses import dataclass
from typing import Any

from clusters.models import Cluster
from permissions.models import Persona
from quotas.selectors import standing_of
from quotas.services import WORDS
from ui.templatetags.units import mib
from virtualmachines.operations.creating import amounts_of, completed
from virtualmachines.room import Need, Place, rank_nodes
from virtualmachines.spec import Defaults, VMSpec
from virtualmachines.usage import usage_of


@dataclass(frozen=True)
class Share:
    """One of what quotas count: what is used now, what would be with the machine, and the limit, if there is one."""

    label: Any
    now: int
    after: int
    limit: int | None
    is_size: bool

    @property
    def is_over(self) -> bool:
        """Whether the machine would take more than there is."""
        return self.limit is not None and self.after > self.limit and self.after > self.now

    def told(self) -> tuple[str, str, str]:
        """Now, after and the limit, with units; no limit is an empty text."""
        limit = "" if self.limit is None else self._tell(self.limit)
        return self._tell(self.now), self._tell(self.after), limit

    def _tell(self, number: int) -> str:
        return mib(number) if self.is_size else str(number)


def shares_of(persona: Persona, cluster: Cluster, spec: VMSpec, number: int = 1) -> list[Share]:
    """What the persona uses of the cluster, and would with this machine, or so many like it."""
    limits, claimed = standing_of(persona, cluster)
    now = claimed + usage_of(persona, cluster)
    after = now + amounts_of(spec, cluster).times(number)
    return [
        Share(label, getattr(now, name), getattr(after, name), getattr(limits, name), name.endswith("_mib"))
        for name, label in WORDS.items()
    ]


def places_of(cluster: Cluster, spec: VMSpec) -> list[Place]:
    """Every node of the cluster with what would stay free there, best first."""
    return rank_nodes(cluster, _need_of(cluster, spec), group=spec.placement.group)


def count_room(cluster: Cluster, spec: VMSpec, places: list[Place], number: int) -> int:
    """How many of `number` machines like this fit on these nodes, as far as their figures tell."""
    need = _need_of(cluster, spec)
    fitting = [place.holds(need, number) for place in places]
    return min(number, sum(fitting))


def _need_of(cluster: Cluster, spec: VMSpec) -> Need:
    wanted = amounts_of(spec, cluster)
    own = completed(spec, cluster).trimmed(Defaults.of(cluster.info))
    sizes = tuple(disk.size_mib for disk in own.disks)
    return Need(wanted.memory_mib, wanted.vcpus, sizes, own.disk_template)
