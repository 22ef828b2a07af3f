"""Doing the steps of a cluster's record again, each through the pipeline: one that can't be done costs that step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clusters.models import Cluster
from gwm.records.exporting import who_is_named
from gwm.records.file import Head, RecordError, Step
from objectlog.models import Outcome
from operations.contract import SITE, Actor, AnyOperation, Ask, Forbidden, Refusal, Site, Unchanged
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from people.selectors import is_member, list_members
from permissions.policy import granted_verbs
from permissions.selectors import find_group, find_role, find_user, list_verbs, name_of_persona
from virtualmachines.models import MachineTemplate, VirtualMachine

# So many of a team's members are named.
_MOST_NAMED = 5


@dataclass
class Imported:
    """How it went: steps that were done, that had been done before, and those that were not, with the reason."""

    done: int = 0
    already: int = 0
    failed: list[tuple[Step, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Missing:
    """What the steps name and is not here."""

    people: list[str]
    machines: list[str]


def require_same(head: Head, cluster: Cluster) -> None:
    """Raises RecordError where the file is of another cluster, or that can't be known yet."""
    if not cluster.uuid:
        raise RecordError(f"{cluster} was not read yet. Update it first: manage.py sync_clusters {cluster}")
    if head.uuid != cluster.uuid:
        raise RecordError(f"The file is of {head.cluster or head.slug} ({head.uuid}), and {cluster} is {cluster.uuid}.")


def describe_known(steps: list[Step]) -> list[str]:
    """Who is here of those that the steps name, and who that is: a name may be somebody else's there."""
    found = []
    for name in sorted({name for step in steps for name in who_is_named(step)}):
        team = find_group(name[1:]) if name.startswith("@") else None
        person = None if name.startswith("@") else find_user(name)
        if team is not None:
            people = [each.username for each in list_members(team)[: _MOST_NAMED + 1]]
            found.append(f"{name} ({', '.join(people[:_MOST_NAMED])}{' …' if len(people) > _MOST_NAMED else ''})")
        elif person is not None:
            told = " ".join(filter(None, (person.get_full_name(), person.email and f"<{person.email}>")))
            found.append(f"{name} ({told})" if told else name)
    return found


def find_missing(steps: list[Step], cluster: Cluster) -> Missing:
    """People and machines; teams and roles come with the steps."""
    found = {name for step in steps for name in who_is_named(step) if not name.startswith("@")}
    people = [name for name in sorted(found) if find_user(name) is None]
    machines = _Machines(cluster)
    missing = {step.name for step in steps if step.do.startswith("vm.") and machines.find(step) is None}
    return Missing(people, sorted(missing))


class _Machines:
    """The machines of a cluster, by Ganeti's uuid and by name."""

    def __init__(self, cluster: Cluster) -> None:
        rows = VirtualMachine.objects.filter(cluster=cluster).values_list("uuid", "name", "pk")
        self._by_uuid = {uuid: pk for uuid, _name, pk in rows if uuid}
        self._by_name = {name: pk for _uuid, name, pk in rows}

    def find(self, step: Step) -> int | None:
        """The key of the one that is meant: it may have another name by now."""
        return self._by_uuid.get(step.uuid) if step.uuid else self._by_name.get(step.name)


def import_record(
    steps: list[Step], cluster: Cluster, actor: Actor, say: Callable[[int], object] = lambda _done: None
) -> Imported:
    """Do all that can be done; `say` is told after each how many came by. To import again does what is left."""
    machines, went = _Machines(cluster), Imported()
    others = _find_other_roles(steps)
    for number, step in enumerate(steps, 1):
        try:
            _refuse_other_role(step, others)
            if _do(step, cluster, machines, actor):
                went.done += 1
            else:
                went.already += 1
        except Unchanged:
            went.already += 1
        except (Forbidden, Refusal, LookupError) as error:
            went.failed.append((step, str(error.args[0] if isinstance(error, LookupError) else error)))
        say(number)
    return went


def _find_other_roles(steps: list[Step]) -> dict[str, str]:
    """Roles of the file that are here and hold something else: what they hold here. Granted, they would give that."""
    others = {}
    for step in steps:
        name = step.given.get("name")
        role = find_role(name) if step.do == "role.create" and isinstance(name, str) else None
        if role is not None and set(list_verbs(role)) != set(str(step.given.get("verbs")).split()):
            others[role.name] = " ".join(list_verbs(role))
    return others


def _refuse_other_role(step: Step, others: Mapping[str, str]) -> None:
    name = step.given.get("name" if step.do == "role.create" else "role")
    if isinstance(name, str) and name in others:
        raise Refusal(f"The role {name} holds something else here: {others[name]}. Rename one of them.")


def _do(step: Step, cluster: Cluster, machines: _Machines, actor: Actor) -> bool:
    """Whether it was to be done. Raises what the pipeline raises, and LookupError where what it is for is missing."""
    if step.do in _MADE and _MADE[step.do](cluster, step.name):
        return False
    operation = OPERATIONS[step.do]
    target = _find_target(operation, step, cluster, machines)
    given = {**step.given, "cluster": cluster.slug} if step.do == "template.create" else step.given
    if step.do in _SAID and _SAID[step.do](target, given):
        return False
    ask = Ask(actor, target, params_from(operation, actor, target, given))
    if step.do not in (*_MADE, *_SAID) and not operation.changes(ask):
        return False
    entry = run(operation, ask)
    if entry.outcome != Outcome.DONE:
        raise Refusal(entry.message or str(Outcome(entry.outcome).label))
    return True


#: Whether it is there already, of what is made.
_MADE: Mapping[str, Callable[[Cluster, str], bool]] = {
    "role.create": lambda _cluster, name: find_role(name) is not None,
    "team.create": lambda _cluster, name: find_group(name) is not None,
    "template.create": lambda cluster, name: MachineTemplate.objects.filter(cluster=cluster, name=name).exists(),
}


def _is_member_already(team: Any, given: Mapping[str, Any]) -> bool:
    who = find_user(str(given.get("who")))
    return who is not None and is_member(team, who)


def _is_admin_already(team: Any, given: Mapping[str, Any]) -> bool:
    who = find_user(str(given.get("who")))
    return who is not None and "admin" in granted_verbs(who, team)


#: Whether it is so already, where the operation does not tell by what it would change.
_SAID: Mapping[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "team.add-member": _is_member_already,
    "team.add-admin": _is_admin_already,
    "vm.set-owner": lambda vm, given: vm.owner is not None and name_of_persona(vm.owner) == given.get("owner"),
    "vm.notes": lambda vm, given: bool(vm.notes == given.get("notes")),
    "vm.protect": lambda vm, _given: bool(vm.is_protected),
}


def _find_target(operation: AnyOperation, step: Step, cluster: Cluster, machines: _Machines) -> Any | Site:
    kind = "site" if operation.is_on_site else operation.target_kind
    if kind == "site":
        return SITE
    if kind == "cluster":
        return Cluster.objects.get(pk=cluster.pk)
    found: Any = None
    if kind == "team":
        found = find_group(step.name)
    elif kind == "template":
        found = MachineTemplate.objects.filter(cluster=cluster, name=step.name).first()
    elif (key := machines.find(step)) is not None:
        found = VirtualMachine.objects.select_related("cluster", "owner__user", "owner__group").filter(pk=key).first()
    if found is None:
        raise LookupError(f"There is no {_NOUNS[kind]} {step.name} here.")
    return found


_NOUNS = {"team": "team", "template": "template", "vm": "machine"}
