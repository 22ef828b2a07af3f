"""Consoles that are open: closed within seconds when the right to them has gone, or the session they belong to.

Nothing has to remember to say so (a grant withdrawn, a group left, an account switched off, a machine removed,
somebody signed out or with another password): the list of open consoles is compared with the policy every few seconds.
"""

import logging

from django.contrib.sessions.models import Session
from django.utils.translation import gettext as _

from permissions.models import User
from permissions.policy import can
from permissions.sessions import find_sessions, is_signed_in
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
    sessions = find_sessions(console.session for console in consoles)
    for console in consoles:
        reason = _find_objection(users.get(console.user_id), sessions.get(console.session), console.vm)
        if reason:
            logger.info("closing the console of %s on %s: %s", console.user, console.vm_name, reason)
            closed += close_consoles(control_socket, console_id=console.id, reason=reason)
    return closed


def _find_objection(user: User | None, session: Session | None, key: str) -> str:
    if user is None:
        return _("The account is gone.")
    if session is None or not is_signed_in(session, user):
        return _("The session has ended: sign in again.")
    cluster_pk, uuid = key.split("/", 1)
    vm = VirtualMachine.objects.filter(cluster_id=int(cluster_pk), uuid=uuid).first()
    if vm is None or console_key(vm) != key:
        return _("The machine is gone.")
    if vm.is_missing:
        return _("The machine has been removed from its cluster.")
    verdict = can(user, OpenConsole.needs, vm)
    return "" if verdict else verdict.reason
