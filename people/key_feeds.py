"""Whose SSH keys are let in where: those of who administers a machine, by whatever way, and of administrators."""

from collections.abc import Iterable

from django.db.models import Model

from permissions.models import SshKey, User
from permissions.policy import find_holdings, list_people, visible
from virtualmachines.models import VirtualMachine


def list_keys_for(target: Model | None) -> list[SshKey]:
    """Of a machine: of all who have `admin` on it. Of a cluster, or everything (None): on any machine there."""
    if isinstance(target, VirtualMachine):
        return _of(list_people(find_holdings(target), "admin"))
    machines = VirtualMachine.objects.filter(missing_since=None).order_by()
    if target is not None:
        machines = machines.filter(cluster_id=target.pk)
    with_keys = User.objects.filter(is_active=True, ssh_keys__isnull=False).distinct()
    return _of(person for person in with_keys if visible(person, "admin", machines).exists())


def _of(people: Iterable[User]) -> list[SshKey]:
    keys = SshKey.objects.filter(person__in=list(people)).select_related("person")
    return list(keys.order_by("person__username", "pk"))
