"""Consoles that are open: closed within seconds when the right to them has gone.

Nothing has to remember to say so (a grant withdrawn, a group left, an account switched off, a machine removed):
the list of open consoles is compared with the policy every few seconds.
"""

import logging

from permissions.models import User
from permissions.policy import can
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.console import OpenConsole, console_key
from vncproxy.client import close_consoles, list_consoles

logger = logging.getLogger("gwm.consoles")


def close_forbidden_consoles(control_socket: str) -> int:
    """Close every console whose user may not have it any more; returns how many.

    Raises vncproxy.client.ControlError if the broker does not answer.
    """
    closed = 0
    consoles = list_consoles(control_socket)
    users = User.objects.in_bulk({console.user_id for console in consoles})
    for console in consoles:
        reason = _find_objection(users.get(console.user_id), console.vm)
        if reason:
            logger.info("closing the console of %s on %s: %s", console.user, console.vm_name, reason)
            closed += close_consoles(control_socket, console_id=console.id, reason=reason)
    return closed


def _find_objection(user: User | None, key: str) -> str:
    if user is None:
        return "The account is gone."
    cluster_pk, _, uuid = key.partition("/")
    vm = VirtualMachine.objects.filter(cluster_id=int(cluster_pk), uuid=uuid).first()
    if vm is None or console_key(vm) != key:
        return "The machine is gone."
    if vm.is_missing:
        return "The machine has been removed from its cluster."
    verdict = can(user, OpenConsole.needs, vm)
    return "" if verdict else verdict.reason
