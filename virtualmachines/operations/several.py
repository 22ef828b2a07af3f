"""Several machines at once: a batch of creations on one cluster, with names made of a pattern."""

from dataclasses import replace
from typing import Any

from clusters.models import Cluster
from objectlog.words import gettext as _
from operations.contract import Actor, Ask, Invalid
from operations.models import Batch
from operations.planning import plan_each
from quotas.amounts import Amounts
from quotas.services import Exceeded, judge_room
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.creating import Create, CreateParams, amounts_of, owner_of
from virtualmachines.rules.names import is_name
from virtualmachines.rules.patterns import BadPattern, expand
from virtualmachines.rules.sharing import judge_shared
from virtualmachines.usage import usage_of

_TOLD = 5


def plan_creations(operation: Create, actor: Actor, cluster: Cluster, params: CreateParams) -> Batch:
    """The plan of the machines whose names the pattern in the spec makes, all alike but for these. Raises Invalid.

    Each is judged again as it is begun. A few queries, however many there are.
    """
    try:
        names = expand(params.spec.name)
    except BadPattern as bad:
        raise Invalid({"name": str(bad)}) from bad
    faults = _find_faults(actor, cluster, params, names)
    if faults:
        raise Invalid(faults)
    first = replace(params, spec=replace(params.spec, name=names[0]))
    operation.check(Ask(actor, cluster, first))
    _check_room(actor, cluster, first, len(names))
    return plan_each(operation, actor, cluster, [(name, _data(operation, params, name)) for name in names])


def _find_faults(actor: Actor, cluster: Cluster, params: CreateParams, names: list[str]) -> dict[str, str]:
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


def _check_room(actor: Actor, cluster: Cluster, first: CreateParams, number: int) -> None:
    owner, one = owner_of(Ask(actor, cluster, first)), amounts_of(first.spec, cluster)
    try:
        judge_room(owner, cluster, Amounts(*(number * each for each in one.values())), usage_of(owner, cluster))
    except Exceeded as exceeded:
        raise Invalid({"": str(exceeded)}) from exceeded


def _data(operation: Create, params: CreateParams, name: str) -> dict[str, Any]:
    """As the operation's form takes it."""
    kept = operation.journal_params(replace(params, spec=replace(params.spec, name=name)))
    return {each: value for each, value in kept.items() if each != "name"}
