"""Several machines at once: a batch of creations on one cluster, with names made of a pattern."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from django.db import transaction

from clusters.models import Cluster
from objectlog.words import gettext as _
from operations.contract import Actor, Ask, Invalid
from operations.models import Batch
from operations.planning import plan_each
from permissions.policy import verbs_on
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.creating import (
    Create,
    CreateParams,
    amounts_of,
    faults_but_name,
    faults_of,
    owner_of,
)
from virtualmachines.operations.quota import judge_quota
from virtualmachines.rules.facts import Facts
from virtualmachines.rules.names import is_name
from virtualmachines.rules.patterns import BadPattern, expand, is_pattern
from virtualmachines.rules.sharing import judge_shared

_TOLD = 5


def plan_creations(
    operation: Create,
    actor: Actor,
    cluster: Cluster,
    params: CreateParams,
    bind: Callable[[Batch], None] | None = None,
    *,
    facts: Facts | None = None,
    held: frozenset[str] | None = None,
) -> Batch:
    """The plan of the machines whose names the pattern in the spec makes, all alike but for these. Raises Invalid.

    Each is judged again as it is begun. A few queries, however many there are. `bind` is called with the plan in its
    transaction; what it raises undoes that. `facts`, and what the actor may do on the cluster, `held`, are given where
    they were just read.
    """
    try:
        names = expand(params.spec.name)
    except BadPattern as bad:
        raise Invalid({"name": str(bad)}) from bad
    if params.asked:
        params = replace(params, plan=uuid4())
    owner = owner_of(Ask(actor, cluster, params))
    first = replace(called(params, names[0]), owner=owner)
    facts = Facts.of(cluster) if facts is None else facts
    held = verbs_on(actor.user, cluster) if held is None else held
    faults = _find_faults(cluster, params, names) or faults_but_name(Ask(actor, cluster, first), facts, held)
    if faults:
        raise Invalid(faults)
    wanted = amounts_of(first.spec, cluster).times(len(names))
    judge_quota(actor, owner, cluster, wanted)
    asked = [(name, _data(operation, params, name)) for name in names]
    if bind is None:
        return plan_each(operation, actor, cluster, asked, held)
    with transaction.atomic():
        batch = plan_each(operation, actor, cluster, asked, held)
        bind(batch)
    return batch


def list_names(text: str) -> list[str]:
    """The names that a pattern makes; none where it is one name, or where no names can be made of it."""
    try:
        return expand(text) if is_pattern(text) else []
    except BadPattern:
        return []


def called(params: CreateParams, name: str) -> CreateParams:
    """The same machine under this name."""
    return replace(params, spec=replace(params.spec, name=name))


def faults_of_all(ask: Ask[Cluster, CreateParams], facts: Facts, held: frozenset[str]) -> dict[str, str]:
    """Everything that is wrong with the machine, or with all of those that the pattern in its name makes."""
    params = ask.params
    if not is_pattern(params.spec.name):
        return faults_of(ask, facts, held)
    try:
        names = expand(params.spec.name)
    except BadPattern as bad:
        return faults_but_name(ask, facts, held) | {"name": str(bad)}
    first = replace(ask, params=called(params, names[0]))
    return faults_but_name(first, facts, held) | _find_faults(ask.target, params, names)


def _find_faults(cluster: Cluster, params: CreateParams, names: list[str]) -> dict[str, str]:
    """What each of them may be, and all of them together not."""
    faults, spec = {}, params.spec
    wrong = [name for name in names if not is_name(name)]
    there = VirtualMachine.objects.filter(cluster=cluster, name__in=names, missing_since=None)
    taken = sorted(there.values_list("name", flat=True))
    if wrong:
        faults["name"] = _("These can't be names: %s.") % _some(wrong)
    elif taken:
        faults["name"] = _("There are machines called %s on this cluster already.") % _some(taken)
    faults |= dict(judge_shared(spec))
    for where in ("osparams_private", "osparams_secret"):
        if getattr(spec, where):
            faults[where] = _("Secrets are not kept until a batch comes to them. Create the machines one by one.")
    return faults


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_TOLD])
    return shown if len(names) <= _TOLD else f"{shown}, …"


def _data(operation: Create, params: CreateParams, name: str) -> dict[str, Any]:
    """As the operation's form takes it."""
    kept = operation.journal_params(called(params, name))
    return {each: value for each, value in kept.items() if each != "name"}
