"""The only writers of the journal. Every event is written in the transaction of what it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import override

from objectlog.canonical import write_text, write_time
from objectlog.changes import Change, tell
from objectlog.messages import as_data, read
from objectlog.models import OPEN_OUTCOMES, Entry, Event, Outcome, Via
from objectlog.origin import find_origin
from objectlog.sentences import compose
from objectlog.statements import Update
from objectlog.words import as_kept, in_english


@dataclass(frozen=True)
class Target:
    """What an entry is about, and as it is called now; with the key and short name of its cluster.

    A name that is words of ours (the title of a job) is kept in English.
    """

    kind: str
    pk: int | None
    name: str
    cluster: str = ""
    cluster_pk: int | None = None
    uuid: str = ""


NO_TARGET = Target("", None, "")
_OVERTAKE = Update(Event, where=("entry_uuid",), only=lambda: Q(is_overtaken=False), is_overtaken=True)


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
    changes: Sequence[Change] = (),
    tells: bool = True,
    uuid: UUID | None = None,
) -> Entry:
    """Write an entry, and its first event; its `reason` goes to Ganeti with every opcode.

    What ends in the transaction in which it begins has one event, its end: then this one does not tell.
    """
    with transaction.atomic(savepoint=False):
        entry = Entry.objects.create(
            uuid=uuid or uuid4(),
            actor_id=actor_id,
            actor_name=actor_name,
            persona_name=persona_name,
            via=via,
            verb=verb,
            target_kind=target.kind,
            target_pk=target.pk,
            target_uuid=target.uuid,
            target_name=in_english(target.name)[:255],
            cluster_pk=target.cluster_pk,
            cluster_name=target.cluster,
            params=params,
            changes=[change.as_data() for change in changes],
            outcome=outcome,
            message=message,
            finished_at=None if outcome in OPEN_OUTCOMES else timezone.now(),
        )
        if tells:
            _write_event_of(entry, is_first=True)
    return entry


def advance(entry: Entry, outcome: Outcome, *, message: str = "", job_ids: list[int] | None = None) -> bool:
    """Move an open entry on; False if somebody else has brought it further already: `entry` says how far, then.

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
    with transaction.atomic(savepoint=False):
        changed = Entry.objects.filter(allowed, pk=entry.pk).update(**values)
        if changed:
            for name, value in values.items():
                setattr(entry, name, value)
            _write_event_of(entry, message)
        else:
            entry.refresh_from_db(fields=["outcome", "finished_at", "message", "job_ids"])
    return bool(changed)


def note_jobs(entry: Entry, job_ids: list[int]) -> None:
    """Keep the numbers of jobs that carry the reason of an entry."""
    Entry.objects.filter(pk=entry.pk).update(job_ids=job_ids)


def count_absence(entry: Entry) -> int:
    """One more complete job list did not contain the entry's reason; how many by now."""
    Entry.objects.filter(pk=entry.pk).update(clean_listings=F("clean_listings") + 1)
    return entry.clean_listings + 1


def note(
    *,
    actor_id: int | None,
    actor_name: str,
    via: Via,
    verb: str,
    outcome: Outcome,
    persona_name: str = "",
    target: Target = NO_TARGET,
    params: Mapping[str, Any] | None = None,
    words: str = "",
) -> Event:
    """Write an event that belongs to no entry: a sign-in, or what was turned away before it began."""
    return _write_event(
        actor_id=actor_id,
        actor_name=actor_name,
        persona_name=persona_name or actor_name,
        via=via,
        verb=verb,
        outcome=outcome,
        target=target,
        params=params or {},
        words=words,
    )


def _write_event_of(entry: Entry, words: str | None = None, *, is_first: bool = False) -> Event:
    """The event of the step that an entry has just taken; events of its earlier steps are overtaken by it."""
    if not is_first:
        _OVERTAKE.run(entry.uuid)
    return _write_event(
        actor_id=entry.actor_id,
        actor_name=entry.actor_name,
        persona_name=entry.persona_name,
        via=entry.via,
        verb=entry.verb,
        outcome=entry.outcome,
        target=Target(
            entry.target_kind,
            entry.target_pk,
            entry.target_name,
            entry.cluster_name,
            entry.cluster_pk,
            entry.target_uuid,
        ),
        params=entry.params,
        words=entry.message if words is None else words,
        changes=entry.changes or [],
        job_ids=entry.job_ids,
        entry_uuid=str(entry.uuid),
    )


def _write_event(
    *,
    actor_id: int | None,
    actor_name: str,
    persona_name: str,
    via: str,
    verb: str,
    outcome: str,
    target: Target,
    params: Mapping[str, Any],
    words: str,
    changes: Sequence[Mapping[str, Any]] = (),
    job_ids: Sequence[int] = (),
    entry_uuid: str | None = None,
) -> Event:
    now = timezone.now()
    sentence = compose(verb, outcome, target.name, as_data(params), words).as_data()
    fields: dict[str, Any] = {
        "actor_name": actor_name[:150],
        "persona_name": persona_name[:150],
        "verb": verb[:40],
        "outcome": str(outcome),
        "target_kind": target.kind,
        "target_pk": target.pk,
        "target_name": in_english(target.name)[:255],
        "cluster_pk": target.cluster_pk,
        "cluster_name": target.cluster,
        "entry_uuid": entry_uuid,
        "said": say_in_english(sentence, changes, in_english(words)),
    }
    text = {
        **fields,
        "at": write_time(now),
        "actor_pk": actor_id,
        "via": str(via),
        "target_uuid": target.uuid,
        "sentence": sentence,
        "changes": list(changes),
        "words": as_kept(words),
        "job_ids": list(job_ids),
    }
    if address := find_origin():
        text["from"] = address
    return Event.objects.create(at=now, actor_id=actor_id, text=write_text(text), **fields)


def say_in_english(sentence: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], words: str) -> str:
    """Sentence, changes and Ganeti's words as one text, which can be searched."""
    with override(None):
        said = ": ".join(filter(None, [read(sentence), tell(changes)]))
    return "\n".join(filter(None, [said, words])).replace("\x00", "")
