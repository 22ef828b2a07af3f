"""`run`: every change of a cluster, or of what we keep, goes through it.

Policy, lock, obstacle, check, claim and journal in one short transaction; the call outside any; its outcome in a second
transaction. Whatever happens in between (the process is killed, the network is cut) the entry stays open, and the job
follower finds out from the reason `gwm:<uuid>` what became of it. Nothing is ever sent twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar
from uuid import uuid4

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from objectlog.changes import Change
from objectlog.logged import logged_with
from objectlog.messages import Message
from objectlog.models import Entry, Outcome
from objectlog.sentences import CHECK
from objectlog.services import Target, advance, begin, note
from objectlog.statements import Update
from objectlog.words import gettext as _
from operations.contract import (
    SITE,
    Actor,
    AnyOperation,
    Ask,
    Claims,
    Forbidden,
    NotTaken,
    Operation,
    Refusal,
    TurnedAway,
    Unchanged,
)
from operations.models import Batch, Busy
from operations.offers import find_obstacle
from operations.planning import begin_after
from operations.rows import lock_row
from operations.settling import give_back, release
from permissions.policy import Denied, may_act_for

_EXCEEDED = gettext_noop("may be exceeded")
# Of a batch so many targets are named in the event that it was not allowed.
_MOST_NAMED = 10
T = TypeVar("T")
P = TypeVar("P")
Bind = Callable[[Entry], None] | None


def _always_open() -> None:
    """For whom nobody can have taken over from."""


def run(
    operation: Operation[T, P],
    ask: Ask[T, P],
    *,
    bind: Bind = None,
    beside: Bind = None,
    fence: Callable[[], None] = _always_open,
) -> Entry:
    """Do what is asked. `bind` is called with the entry in the first transaction; what it raises undoes that.

    Whoever binds the entry sees to what follows (`Operation.then`); for others it is a batch. `beside` is called there,
    too, for what is written down together with it (`do_beside`).

    `fence` is asked right before anything is sent, and raises NotTaken to keep it from being sent.

    A dry run (`ask.dry_run`) is judged and sent alike, but claims nothing and keeps nothing busy; its answer comes by
    its job, and the journal calls it a check.

    Returns the journal entry, whose outcome says how far it came: `submitted` (jobs are under way), `done` (no job),
    `refused` (Ganeti said no, in `message`) or `unknown` (no answer; the job follower finds out).
    Raises Forbidden, Refusal or Invalid when it was not even begun.
    """
    if ask.dry_run and not operation.can_check:
        raise Refusal(_("Ganeti can't be asked beforehand whether it would do this."))
    try:
        verdict = operation.judge(ask)
        if verdict and ask.actor.persona is not None:
            verdict = may_act_for(ask.actor.user, ask.actor.persona)
        if isinstance(verdict, Denied):
            raise Forbidden(verdict.reason)
        with operation.lane(ask.target) if operation.sends else nullcontext():
            ask, entry = _prepare(operation, ask, bind, beside)
            if entry.outcome != Outcome.SUBMITTING:
                return entry
            return _send(operation, ask, entry, fence)
    except (Forbidden, TurnedAway) as error:
        outcome = Outcome.DENIED if isinstance(error, Forbidden) else Outcome.TURNED_AWAY
        note(**_describe(operation, ask, ask.target), outcome=outcome, words=str(error))
        raise


def _describe(operation: AnyOperation, ask: Ask[Any, Any], target: Any) -> dict[str, Any]:
    """For the journal: who does what to which target."""
    return {
        **_describe_actor(ask.actor),
        "verb": operation.key + CHECK if ask.dry_run else operation.key,
        "target": operation.target_of(target),
        "params": {} if ask.params is None else operation.journal_params(ask.params),
    }


def _describe_actor(actor: Actor) -> dict[str, Any]:
    return {
        "actor_id": actor.user.pk,
        "actor_name": actor.user.username,
        "persona_name": actor.persona.name if actor.persona is not None else actor.user.username,
        "via": actor.via,
    }


def note_denied(operation: AnyOperation, ask: Ask[Any, Any], reason: str) -> None:
    """Write down that somebody tried what they may not, where that was known before their parameters were."""
    note(**_describe(operation, ask, ask.target), outcome=Outcome.DENIED, words=reason)


def note_denied_batch(actor: Actor, batch: Batch, reason: str) -> None:
    """The same of a batch: one event, whatever it would have been done to."""
    names = list(batch.items.order_by("position").values_list("target_name", flat=True)[: _MOST_NAMED + 1])
    named = batch.target_name or ", ".join([*names[:_MOST_NAMED], *("…" for _name in names[_MOST_NAMED:])])
    kind = batch.operation.partition(".")[0]
    note(
        **_describe_actor(actor),
        verb=batch.operation,
        target=Target(kind, None, named),
        outcome=Outcome.DENIED,
        words=reason,
    )


def _prepare(
    operation: AnyOperation, ask: Ask[Any, Any], bind: Bind, beside: Bind = None, *, is_within: bool = False
) -> tuple[Ask[Any, Any], Entry]:
    """First transaction: lock, judge, claim, write down. `is_within`: that of another operation."""
    with transaction.atomic(durable=not is_within):
        if ask.target is not SITE:
            ask = replace(ask, target=_lock(ask.target))
        obstacle = find_obstacle(operation, ask.target, ask.actor.user)
        if obstacle:
            raise Refusal(obstacle)
        operation.check(ask)
        uuid, changes = uuid4(), list(operation.changes(ask))
        if not operation.alters(ask, changes):
            raise Unchanged({"": _("It is so already. Nothing was changed.")})
        changes += _exceeding(operation, ask.actor)
        claims = Claims() if ask.dry_run else operation.claim(ask, uuid)
        busy = claims.made or ask.target
        entry = begin(
            uuid=uuid,
            **_describe(operation, ask, busy),
            changes=changes,
            tells=operation.sends,
        )
        if bind is not None:
            bind(entry)
        elif operation.then:
            begin_after(ask.actor, ask.target, operation.then)
        if beside is not None:
            beside(entry)
        if not operation.sends:
            advance(entry, Outcome.DONE, message=operation.perform(ask))
        elif operation.locks and isinstance(busy, Busy) and not ask.dry_run:
            if not busy.is_busy:
                busy.busy_until = None
            busy.busy_with, busy.busy_entry, busy.busy_since = operation.key, entry.uuid, timezone.now()
            _keep_busy(type(busy)).run(busy.busy_with, busy.busy_entry, busy.busy_since, busy.busy_until, busy.pk)
    return ask, entry


@cache
def _keep_busy(model: type[Busy]) -> Update:
    return Update(model, "busy_with", "busy_entry", "busy_since", "busy_until", where=("pk",))


def _exceeding(operation: AnyOperation, actor: Actor) -> list[Change]:
    """That an administrator has let it go beyond a quota, for the journal; what takes of none exceeds none."""
    exceeds = operation.takes_quota and actor.may_exceed
    return [Change("over_quota", gettext_noop("quota"), None, Message(_EXCEEDED))] if exceeds else []


def do_beside(operation: Operation[T, P], ask: Ask[T, P]) -> None:
    """What needs no cluster, in a transaction of the caller's (as `beside` of another): both are done, or neither.

    Raises what `run` raises, without an event of its own for what was not allowed.
    """
    if operation.sends or not connection.in_atomic_block:
        raise TypeError("only what is not sent is done beside something else, and in its transaction")
    verdict = operation.judge(ask)
    if isinstance(verdict, Denied):
        raise Forbidden(verdict.reason)
    _prepare(operation, ask, None, is_within=True)


def _lock(target: models.Model) -> models.Model:
    # not by its type: who is signed in may be a stand-in of the row
    locked = lock_row(target._meta.model, target.pk)
    if locked is None:
        raise Refusal(_("%s is gone.") % target)
    return locked


def _send(operation: AnyOperation, ask: Ask[Any, Any], entry: Entry, fence: Callable[[], None]) -> Entry:
    """The call, outside any transaction (the first one was durable), and its outcome in a second one."""
    claimant = None if ask.dry_run else operation
    try:
        with logged_with(entry=entry.uuid), _in_doubt_if_it_breaks(entry):
            submission = operation.send(ask, entry, fence)
    except NotTaken as failure:
        with transaction.atomic():
            if not failure.may_have_run:
                give_back(claimant, entry, Outcome.REFUSED, str(failure))
            elif operation.leaves_job:  # the job follower looks for the job
                advance(entry, Outcome.UNKNOWN, message=str(failure))
            else:
                give_back(claimant, entry, Outcome.FAILED, _("No answer: %s") % failure)
        return entry
    with transaction.atomic():
        if submission.job_ids:
            advance(entry, Outcome.SUBMITTED, message=submission.message, job_ids=list(submission.job_ids))
        else:
            advance(entry, Outcome.DONE, message=submission.message)
            release(entry)
        operation.accept(ask, entry, submission)
    return entry


@contextmanager
def _in_doubt_if_it_breaks(entry: Entry) -> Iterator[None]:
    """An error of this program during the call: the entry says so at once, and the job follower finds out the rest."""
    is_explained = False
    try:
        yield
        is_explained = True
    except NotTaken:
        is_explained = True
        raise
    finally:
        if not is_explained:
            advance(entry, Outcome.UNKNOWN, message=_("This program failed during the call; its log has the details."))
