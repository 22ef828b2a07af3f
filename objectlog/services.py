"""The only writers of the journal."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from objectlog.models import OPEN_OUTCOMES, Entry, Outcome, Via


@dataclass(frozen=True)
class Target:
    """What an entry is about, and as it is called now; with the key and short name of its cluster."""

    kind: str
    pk: int | None
    name: str
    cluster: str = ""
    cluster_pk: int | None = None
    uuid: str = ""


def begin(
    *,
    actor_id: int | None,
    actor_name: str,
    persona_name: str,
    via: Via,
    verb: str,
    target: Target,
    params: dict[str, Any],
    outcome: Outcome = Outcome.SUBMITTING,
    message: str = "",
) -> Entry:
    """Write an entry; its `reason` goes to Ganeti with every opcode."""
    return Entry.objects.create(
        actor_id=actor_id,
        actor_name=actor_name,
        persona_name=persona_name,
        via=via,
        verb=verb,
        target_kind=target.kind,
        target_pk=target.pk,
        target_uuid=target.uuid,
        target_name=target.name,
        cluster_pk=target.cluster_pk,
        cluster_name=target.cluster,
        params=params,
        outcome=outcome,
        message=message,
        finished_at=None if outcome in OPEN_OUTCOMES else timezone.now(),
    )


def advance(entry: Entry, outcome: Outcome, *, message: str = "", job_ids: list[int] | None = None) -> bool:
    """Move an open entry on; False if somebody else has brought it further already.

    One conditional UPDATE, so that a worker that comes late cannot undo what another has found out. An entry that
    was given up as `not_submitted` may still come alive when its job turns up after all.
    """
    now = timezone.now()
    values: dict[str, Any] = {"outcome": outcome, "finished_at": None if outcome in OPEN_OUTCOMES else now}
    if message:
        values["message"] = message
    if job_ids is not None:
        values["job_ids"] = job_ids
    if outcome == Outcome.SUBMITTING:
        raise ValueError("an entry begins as submitting and does not return to it")
    allowed = Q(outcome__in=OPEN_OUTCOMES)
    if outcome == Outcome.SUBMITTED:
        allowed = Q(outcome__in=[Outcome.SUBMITTING, Outcome.UNKNOWN, Outcome.NOT_SUBMITTED])
    if outcome in (Outcome.UNKNOWN, Outcome.NOT_SUBMITTED, Outcome.REFUSED):
        allowed = Q(outcome__in=[Outcome.SUBMITTING, Outcome.UNKNOWN])
    changed = Entry.objects.filter(allowed, pk=entry.pk).update(**values)
    if changed:
        for name, value in values.items():
            setattr(entry, name, value)
    return bool(changed)
