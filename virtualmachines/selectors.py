"""Reading machines: always for somebody, and only what they may see (else Http404)."""

from django.db.models import QuerySet
from django.http import Http404

from permissions.models import User
from permissions.policy import visible
from virtualmachines.models import VirtualMachine


def list_vms(user: User) -> QuerySet[VirtualMachine]:
    """The machines `user` may see."""
    return visible(user, "view", VirtualMachine.objects.all())


def get_vm(user: User, slug: str, name: str) -> VirtualMachine:
    """One machine with its cluster, nodes and owner; one that is there before a missing one of the same name.

    Http404 if there is none that `user` may see.
    """
    related = ("cluster", "primary_node", "secondary_node", "owner__user", "owner__group")
    found = list(list_vms(user).filter(cluster__slug=slug, name=name).select_related(*related))
    if not found:
        raise Http404(f"There is no machine {name} on {slug} that you may see.")
    return min(found, key=lambda vm: (vm.missing_since is not None, -vm.pk))
