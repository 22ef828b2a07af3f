"""The journal: what was done, by whom, as which persona, by which way, on what, with which outcome.

An `Entry` is one operation and says how far it has come; an `Event` is one step of it, or something that needs no
operation, and is never changed. The journal knows no domain model. An entry knows its target by kind, key and uuid,
and the name it had at the time, so that it stays readable when the target, the actor or the cluster is gone. Names are
for reading, never for looking up.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from objectlog.words import ToldField, is_quoted


class Outcome(models.TextChoices):
    """How far an operation has come. The first three are open, the others final.

    The last two are of events alone: what policy or bulkhead turned away never became an entry.
    """

    SUBMITTING = "submitting", _("being sent")
    SUBMITTED = "submitted", _("in progress")
    UNKNOWN = "unknown", _("no answer")
    DONE = "done", _("succeeded")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELED = "canceled", _("cancelled")
    REFUSED = "refused", _("refused")
    NOT_SUBMITTED = "not_submitted", _("never reached the cluster")
    LOST = "lost", _("lost: Ganeti has forgotten the job")
    DENIED = "denied", _("not allowed")
    TURNED_AWAY = "turned_away", _("turned away")


OPEN_OUTCOMES = (Outcome.SUBMITTING, Outcome.SUBMITTED, Outcome.UNKNOWN)


class Via(models.TextChoices):
    """By which way an entry came about."""

    WEB = "web", _("web page")
    BULK = "bulk", _("bulk action")
    API = "api", _("API")
    CLI = "cli", _("command line")
    UPDATE = "update", _("cluster update")


class Entry(models.Model):
    """One line of the journal."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="journal"
    )
    actor_name = models.CharField(max_length=150)
    persona_name = models.CharField(max_length=150, blank=True)
    via = models.CharField(max_length=10, choices=Via.choices)
    verb = models.CharField(max_length=40)
    target_kind = models.CharField(max_length=20)
    target_pk = models.BigIntegerField(null=True, blank=True)
    target_uuid = models.CharField(max_length=36, blank=True, help_text="Ganeti's identity of the target")
    target_name = models.CharField(max_length=255)
    cluster_pk = models.BigIntegerField(null=True, blank=True, db_index=True, help_text="key of the cluster")
    cluster_name = models.CharField(max_length=100, blank=True, help_text="slug of the cluster at the time")
    params = models.JSONField(default=dict, blank=True)
    # null: written by the release before this one
    changes = models.JSONField(default=list, null=True, blank=True, help_text="before and after, see objectlog.changes")
    outcome = models.CharField(max_length=15, choices=Outcome.choices)
    message = ToldField(blank=True, help_text="in Ganeti's own words where it refused or failed")
    job_ids = models.JSONField(default=list, blank=True, help_text="Ganeti's job numbers")
    clean_listings = models.PositiveSmallIntegerField(
        default=0, help_text="job lists read without finding this entry's reason, while its outcome is unknown"
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["target_kind", "target_pk"], name="entry_target"),
            models.Index(fields=["outcome"], name="entry_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.verb} {self.target_name} ({self.outcome})"

    @property
    def quotes_ganeti(self) -> bool:
        """Whether the message is Ganeti's own: what is said of a connection, for instance, is ours."""
        return is_quoted(self.message)

    @property
    def is_open(self) -> bool:
        """Whether the outcome may still change by itself."""
        return self.outcome in OPEN_OUTCOMES

    @property
    def reason(self) -> str:
        """What is sent to Ganeti as the reason of every opcode, by which a lost submission is found again."""
        return f"gwm:{self.uuid}"


class Event(models.Model):
    """One step of an operation, or something that needs none (somebody signed in, was not allowed).

    `text` is what happened, as canonical JSON, and what is sealed. The columns above it repeat parts of it for filters
    and order; a verification compares them. Those below it are not part of it: `actor` may be set to null when the
    account goes, `is_overtaken` says that a later event tells how the operation went on, and the last three are the
    seal, which `objectlog.chain` writes.
    """

    at = models.DateTimeField(db_index=True)
    actor_name = models.CharField(max_length=150, blank=True)
    persona_name = models.CharField(max_length=150, blank=True)
    verb = models.CharField(max_length=40)
    outcome = models.CharField(max_length=15, choices=Outcome.choices)
    target_kind = models.CharField(max_length=20, blank=True)
    target_pk = models.BigIntegerField(null=True, blank=True)
    target_name = models.CharField(max_length=255, blank=True)
    cluster_pk = models.BigIntegerField(null=True, blank=True, db_index=True)
    cluster_name = models.CharField(max_length=100, blank=True)
    entry_uuid = models.UUIDField(null=True, blank=True, db_index=True)
    said = models.TextField(help_text="the sentence in English, and Ganeti's words")
    text = models.TextField(help_text="canonical JSON: what is sealed")

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="journal_events"
    )
    is_overtaken = models.BooleanField(default=False)
    number = models.BigIntegerField(null=True, blank=True, unique=True, help_text="place in the chain, from 1")
    previous = models.CharField(max_length=64, blank=True, help_text="seal of the event before")
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            # Who may read some events has others gone past, or all of theirs put in order: what that asks for stands in
            # the index, for rows are long.
            models.Index(fields=["target_kind", "target_pk", "-at", "-id", "is_overtaken"], name="event_about"),
            models.Index(
                fields=["is_overtaken", "-at", "-id", "target_kind", "target_pk", "actor"], name="event_listed"
            ),
            models.Index(fields=["actor", "-at", "-id", "is_overtaken"], name="event_of_actor"),
            models.Index(fields=["cluster_pk", "at"], name="event_of_cluster"),
            # What the journal is filtered by and put in order by, and then by time: few of many are found, and of many
            # the newest, without going past all others.
            models.Index(Upper("actor_name"), F("at").desc(), F("id").desc(), F("is_overtaken"), name="event_by_actor"),
            models.Index(
                Upper("persona_name"), F("at").desc(), F("id").desc(), F("is_overtaken"), name="event_by_persona"
            ),
            models.Index(fields=["verb", "-at", "-id", "is_overtaken"], name="event_by_verb"),
            # Nearly all that were submitted are overtaken.
            models.Index(fields=["is_overtaken", "outcome", "-at", "-id"], name="event_by_outcome"),
            models.Index(fields=["target_name", "-at", "-id", "is_overtaken"], name="event_by_target"),
            models.Index(fields=["target_kind", "-at", "-id", "target_pk", "is_overtaken"], name="event_by_kind"),
            models.Index(fields=["cluster_name", "-at", "-id", "is_overtaken"], name="event_by_cluster"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.said}"


class EventText(models.Model):
    """What words are searched in of the event that has the same key, in capitals; written by triggers alone, see
    gwm.journal_search. It is apart from the event, which is written again as it is overtaken and sealed."""

    said = models.TextField()
    target_name = models.TextField()

    def __str__(self) -> str:
        return self.said


class ChainEnd(models.Model):
    """An end of the chain of sealed events: the newest one, and the newest of those that were removed.

    Of what is streamed (objectlog.streaming) it is the newest that was sent. Its `mac` is made with the key of the
    journal, so that nobody without it can shorten the chain at either end.
    """

    NEWEST, REMOVED, STREAMED = "newest", "removed", "streamed"

    name = models.CharField(max_length=10, primary_key=True)
    number = models.BigIntegerField(default=0)
    seal = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.number}"
