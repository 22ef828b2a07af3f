"""Open a console: who may, whether there is one, and where it is.

The browser learns neither address nor password: it gets a sealed ticket, which the console broker opens.
"""

import ipaddress
import time
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from objectlog.words import gettext as _
from operations.contract import Actor, Ask, NoParams, Refusal
from operations.groups import Group
from operations.pipeline import run
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation
from vncproxy.addresses import ForbiddenAddress, judge
from vncproxy.settings import parse_address
from vncproxy.tickets import Ticket, new_password, seal

_GANETI_PORTS = range(11000, 15000)  # Ganeti's FIRST_DRBD_PORT to LAST_DRBD_PORT
_DEMO_PORTS = range(11000, 20200)  # gwm.demo takes a free range among these


@dataclass(frozen=True)
class Address:
    """Where a machine's VNC server listens, as the console broker dials it."""

    host: str
    port: int


class NoConsole(Exception):
    """There is no console to connect to; the text says why and what would help."""


def explain_coming_up(vm: VirtualMachine) -> str:
    """What to say of a machine that is about to run by itself: nobody has to start it. Empty for all others."""
    if vm.is_busy and vm.busy_with in ("vm.reboot", "vm.apply-settings"):
        return _("The machine is rebooting. The console connects as soon as it runs.")
    if vm.is_busy and vm.busy_with == "vm.start":
        return _("The machine is starting. The console connects as soon as it runs.")
    return ""


def find_vnc_address(vm: VirtualMachine) -> Address:
    """From the primary node as of now, `network_port` and `vnc_bind_address`. Raises NoConsole.

    Ganeti's own `/console` answers 500 for VNC in every release (docs/architecture.md, consoles).
    """
    node = vm.primary_node
    if vm.is_unheard_of:
        raise NoConsole(_("Its primary node did not answer."))
    if not vm.is_running:
        raise NoConsole(explain_coming_up(vm) or _("The machine is not running. Start it to see its screen."))
    if node is None:
        raise NoConsole(_("It is not known on which node the machine runs; wait for the next update."))
    if vm.hypervisor not in ("kvm", "xen-hvm"):
        raise NoConsole(_("Machines of the hypervisor “%s” have no graphical console.") % vm.hypervisor)
    bind = str(vm.hvparams.get("vnc_bind_address") or "")
    if not bind:
        raise NoConsole(
            _(
                "VNC is switched off for this machine: its hypervisor parameter vnc_bind_address is empty. "
                "Set it (0.0.0.0 for all addresses of the node) and restart the machine."
            )
        )
    if vm.hvparams.get("vnc_tls"):
        raise NoConsole(_("The machine's VNC server wants TLS of its own (vnc_tls), which the console does not speak."))
    if vm.network_port is None:
        raise NoConsole(_("Ganeti has given the machine no VNC port."))
    is_demo = is_our_demo(vm.cluster)
    if vm.network_port not in (_DEMO_PORTS if is_demo else _GANETI_PORTS):
        raise NoConsole(_("Ganeti gives consoles the ports 11000 to 14999; the cluster reports another."))
    host = _host_to_dial(bind, node.primary_ip or node.name)
    literal = parse_address(host)
    if literal is not None:  # what a name leads to, the proxy judges
        try:
            judge(literal, settings.GWM_CONSOLE_NODE_NETWORKS, is_demo=is_demo)
        except ForbiddenAddress as error:
            raise NoConsole(
                _("Consoles may not be connected to the address that the cluster reports for the machine's node.")
                + " "
                + _("A superuser can allow it: GWM_CONSOLE_NODE_NETWORKS.")
            ) from error
    return Address(host, vm.network_port)


def is_our_demo(cluster: Cluster) -> bool:
    """Whether it is the simulator that we run ourselves, so that its consoles are on the loopback.

    What the cluster says does not count, nor does its row alone: whoever may edit it may point it elsewhere.
    """
    return cluster.is_demo and _is_loopback(cluster.host)


def _host_to_dial(bind: str, node_address: str) -> str:
    if bind.startswith("/"):
        raise NoConsole(
            _(
                "The machine's VNC server listens on a UNIX socket in %s on its node, which cannot be reached from "
                "here. Set vnc_bind_address to 0.0.0.0 and restart the machine."
            )
            % bind
        )
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        return node_address  # the name of one of the node's interfaces
    if address.is_unspecified:
        return node_address
    if address.is_loopback and not _is_loopback(node_address):
        raise NoConsole(
            _(
                "The machine's VNC server listens on %s, reachable from its node alone. "
                "Set vnc_bind_address to 0.0.0.0 and restart the machine."
            )
            % bind
        )
    return bind


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class OpenConsole(VMOperation[NoParams]):
    """Journalled at every opening."""

    verb = "console"
    label = gettext_lazy("Console")
    needs = "console"
    icon = "screen"
    group = Group.POWER
    sends = False
    locks = False
    has_own_page = True
    needs_browser = True

    def obstacle(self, target: VirtualMachine) -> str | None:
        if not target.uuid:
            return _("The machine is not known to Ganeti yet.")
        try:
            find_vnc_address(target)
        except NoConsole as reason:
            return str(reason)
        return None

    def perform(self, ask: Ask[VirtualMachine, NoParams]) -> str:
        return ""


@dataclass(frozen=True)
class Admission:
    """What the browser needs: the sealed ticket, and the password of this one connection."""

    ticket: str
    password: str


def console_key(vm: VirtualMachine) -> str:
    """By what the broker knows the machine, to close its consoles."""
    return f"{vm.cluster_id}/{vm.uuid}"


def _look_again(vm: VirtualMachine) -> tuple[VirtualMachine, Address]:
    """The machine and its address as of now, if it is the same and still there. Raises Refusal."""
    rows = VirtualMachine.objects.select_related("cluster", "primary_node")
    there = rows.filter(pk=vm.pk, uuid=vm.uuid, missing_since__isnull=True).first()
    if there is None:
        raise Refusal(_("%(machine)s is no longer there.") % {"machine": vm})
    try:
        return there, find_vnc_address(there)
    except NoConsole as reason:
        raise Refusal(str(reason)) from reason


def open_console(actor: Actor, vm: VirtualMachine, *, session: str) -> Admission:
    """A ticket for one connection within 30 s, that ends with the session of this mark. Raises Forbidden, Refusal."""
    run(OpenConsole(), Ask(actor, vm, NoParams()))
    password = new_password()
    return Admission(seal_ticket(actor, vm, session=session, browser_password=password), password)


def seal_ticket(
    actor: Actor, vm: VirtualMachine, *, session: str, browser_password: str = "", kind: str = "vnc"
) -> str:
    """A sealed ticket to the machine's screen as it is now; raises Refusal. Whether the actor may is asked before."""
    vm, address = _look_again(vm)
    ticket = Ticket(
        host=address.host,
        port=address.port,
        user_id=actor.user.pk,
        user=actor.user.username,
        vm=console_key(vm),
        vm_name=vm.name,
        session=session,
        expires_at=time.time() + settings.GWM_CONSOLE_TICKET_S,
        password=vm.cluster.vnc_password,
        browser_password=browser_password,
        kind=kind,
        is_demo=is_our_demo(vm.cluster),
        connect_timeout_s=settings.GWM_CONSOLE_CONNECT_TIMEOUT_S,
    )
    return seal(settings.GWM_CONSOLE_KEYS, ticket)
