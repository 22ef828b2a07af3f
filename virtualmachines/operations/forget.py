"""Forget a machine that Ganeti lists no more."""

from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from clusters.operations.forget import Forget
from virtualmachines.models import VirtualMachine


class ForgetMachine(Forget[VirtualMachine]):
    """With its owner, notes and the rights on it."""

    kind = "vm"
    consequence = gettext_lazy("Its owner, notes and rights are forgotten. Its jobs and the journal stay.")

    def cluster_of(self, target: VirtualMachine) -> Cluster:
        return target.cluster
