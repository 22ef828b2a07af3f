"""The journal: what was done, by whom, as which persona, by which way, on what, with which outcome.

It knows no domain model. An entry knows its target by kind, key and uuid, and the name it had at the time, so that
it stays readable when the target, the actor or the cluster is gone. Names are for reading, never for looking up.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """How far an operation has come. The first three are open, the others final."""

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
    outcome = models.CharField(max_length=15, choices=Outcome.choices)
    message = models.TextField(blank=True, help_text="in Ganeti's own words where it refused or failed")
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
    def is_open(self) -> bool:
        """Whether the outcome may still change by itself."""
        return self.outcome in OPEN_OUTCOMES

    @property
    def reason(self) -> str:
        """What is sent to Ganeti as the reason of every opcode, by which a lost submission is found again."""
        return f"gwm:{self.uuid}"
