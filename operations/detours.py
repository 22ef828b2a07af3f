"""The way round what keeps an operation from being done: something before it, and something after it, as a batch."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from objectlog.words import gettext as _
from operations.contract import Actor, AnyOperation, Ask, Detour, Forbidden, Refusal
from operations.forms import form_for, params_from
from operations.locking import lock_rows
from operations.models import OPEN_ITEMS, Batch, BatchItem, BatchState
from operations.offers import find_detour, find_obstacle
from operations.planning import Step, begin_batch, plan_steps
from permissions.policy import access_of, verbs_on


def begin_detour(operation: AnyOperation, actor: Actor, target: Any, data: Mapping[str, Any]) -> Batch:
    """Plan all of it and begin; `data` holds the parameters of the operation and of what is around it.

    Raises Forbidden, Invalid, and Refusal where there is no such way.
    """
    held = verbs_on(actor.user, target)
    detour = find_detour(operation, target, held)
    if detour is None:
        denied = [step.needs for step in (operation, *(operation.detour(target) or _NOWHERE).around)]
        for verb in denied:
            if verb not in held:
                raise Forbidden(access_of(type(target)).refuse(verb))
        raise Refusal(find_obstacle(operation, target) or _("Nothing is in its way. Do it as it is."))
    of_steps = {name for step in detour.around for name in form_for(step).base_fields}
    mine = {name: value for name, value in data.items() if name not in of_steps}
    operation.check(Ask(actor, target, params_from(operation, actor, target, mine)))
    steps = [Step(step, _take(data, step)) for step in detour.before]
    steps += [Step(operation, mine), *(Step(step, _take(data, step)) for step in detour.after)]
    for step in steps:
        params_from(step.operation, actor, target, step.params)
    with transaction.atomic():
        lock_rows(type(target)._default_manager.all(), alone=True).get(pk=target.pk)
        same = BatchItem.objects.filter(kind=operation.kind, target_pk=target.pk, state__in=OPEN_ITEMS)
        if same.filter(batch__state=BatchState.RUNNING).exists():
            raise Refusal(_("A batch with %s is in progress already. Wait until it has ended.") % target)
        batch = plan_steps(actor, target, steps, about=operation)
        begin_batch(batch, {})
    return batch


_NOWHERE = Detour("", "", (), ())


def _take(data: Mapping[str, Any], step: AnyOperation) -> dict[str, Any]:
    return {name: data[name] for name in form_for(step).base_fields if name in data}
