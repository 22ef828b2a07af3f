"""Which sizes people choose from when they create a machine on a cluster."""

from dataclasses import asdict, dataclass

from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Cluster
from clusters.operations.cluster import OnRecord
from objectlog.changes import Change
from objectlog.words import gettext as _
from objectlog.words import joined, mib
from operations.contract import Ask, Invalid

# So many fit into a choice that one can still read.
MOST = 50
_LONGEST_NAME, _MOST_FIGURE = 60, 2**31


@dataclass(frozen=True)
class MachineSize:
    """What people call it, and what a machine of it has."""

    name: str
    vcpus: int
    memory_mib: int
    disk_mib: int

    @property
    def figures(self) -> tuple[int, int, int]:
        """In the order in which they are typed."""
        return self.vcpus, self.memory_mib, self.disk_mib

    def tell(self) -> str:
        """For the journal, with the figures of whoever reads it."""
        return joined(", ", (f"{self.name} = {self.vcpus}", mib(self.memory_mib), mib(self.disk_mib)))


@dataclass(frozen=True)
class SizesParams:
    """All of them, in their order."""

    sizes: tuple[MachineSize, ...] = ()


def read_sizes(cluster: Cluster) -> list[MachineSize]:
    """Those that a cluster's admins named."""
    return [MachineSize(**each) for each in cluster.machine_sizes or []]


class SetSizes(OnRecord[SizesParams]):
    """Whoever creates a machine chooses one of them, or says other figures: they bind nobody."""

    verb = "sizes"
    label = gettext_lazy("Machine sizes")
    icon = "template"
    question = gettext_lazy("Machine sizes of {target}")
    consequence = gettext_lazy(
        "Whoever creates a machine here can choose these instead of figures. Machines that are there keep theirs."
    )
    params_type = SizesParams

    def check(self, ask: Ask[Cluster, SizesParams]) -> None:
        sizes = ask.params.sizes
        names = [size.name for size in sizes]
        if len(sizes) > MOST:
            raise Invalid({"sizes": _("These are more than %(most)d.") % {"most": MOST}})
        for size in sizes:
            if not size.name or len(size.name) > _LONGEST_NAME or not size.name.isprintable():
                raise Invalid({"sizes": _("Give each a name, of at most %d characters.") % _LONGEST_NAME})
            if names.count(size.name) > 1:
                raise Invalid({"sizes": _("There are two called %s.") % size.name})
            if not all(0 < figure < _MOST_FIGURE for figure in size.figures):
                raise Invalid({"sizes": _("%s needs figures above zero that a machine can have.") % size.name})

    def changes(self, ask: Ask[Cluster, SizesParams]) -> list[Change]:
        before, after = ([each.tell() for each in sizes] for sizes in (read_sizes(ask.target), ask.params.sizes))
        return [Change("sizes", gettext_noop("machine sizes"), before, after)] if before != after else []

    def perform(self, ask: Ask[Cluster, SizesParams]) -> str:
        ask.target.machine_sizes = [asdict(size) for size in ask.params.sizes]
        ask.target.save(update_fields=["machine_sizes"])
        return ""
