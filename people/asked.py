"""A machine that was asked for, as the page of a new machine takes it."""

from objectlog.models import Entry, Via
from operations.contract import Actor, Ask
from operations.pipeline import do_beside
from people.operations.requests import Approve, ApproveParams
from people.request_selectors import list_requests, may_decide
from permissions.models import User
from permissions.selectors import name_of_persona
from quotas.models import Request
from virtualmachines.asked import Asked
from virtualmachines.spec import DiskSpec, NicSpec, VMSpec


def find_machine_asked(user: User, number: str) -> Asked | None:
    """The open request for a machine that `user` decides on."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    asked = list_requests(user).filter(pk=int(number), kind=Request.Kind.MACHINE, state=Request.State.OPEN).first()
    if asked is None or not may_decide(user, asked):
        return None

    def answer(entry: Entry) -> None:
        made = f"{entry.cluster_name}/{entry.target_name}"
        do_beside(Approve(), Ask(Actor(user, Via(entry.via)), asked, ApproveParams(machine=made)))

    size = {"maxmem": asked.memory_mib or 0, "vcpus": asked.vcpus or 0}
    spec = VMSpec(asked.name, beparams=size, disks=(DiskSpec(asked.disk_mib or 0),), nics=(NicSpec(),))
    return Asked(number, asked.cluster.slug if asked.cluster else "", spec, name_of_persona(asked.persona), answer)
