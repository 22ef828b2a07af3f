"""A row on which one operation at a time may work, and batches of operations."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from objectlog.models import Entry, Via
from objectlog.words import ToldField


class Busy(models.Model):
    """A row that one operation at a time may change. Written by the pipeline and by what settles entries only."""

    busy_with = models.CharField(max_length=40, blank=True, help_text="key of the operation under way")
    busy_entry = models.UUIDField(null=True, blank=True, help_text="its journal entry")
    busy_since = models.DateTimeField(null=True, blank=True)
    busy_until = models.DateTimeField(null=True, blank=True, help_text="when it ends at the latest; empty: not known")

    class Meta:
        abstract = True

    @property
    def is_busy(self) -> bool:
        """Whether an operation of ours is under way."""
        return self.busy_entry is not None


class BatchState(models.TextChoices):
    """How far a batch has come. Planned: it is shown, and nothing happens before it is confirmed."""

    PLANNED = "planned", _("planned")
    RUNNING = "running", _("in progress")
    STOPPED = "stopped", pgettext_lazy("batch", "stopped")
    DONE = "done", _("ended")


class Verdict(models.TextChoices):
    """What the plan says of an item."""

    WILL = "will", _("will be done")
    SKIPPED = "skipped", _("will be skipped")
    DENIED = "denied", _("not allowed")
    REFUSED = "refused", _("would be refused")


class ItemState(models.TextChoices):
    """How far an item has come. What is in doubt was sent, and it is being found out whether it was taken."""

    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("in progress")
    IN_DOUBT = "in_doubt", _("no answer")
    DONE = "done", _("succeeded")
    FAILED = "failed", _("failed")
    SKIPPED = "skipped", _("skipped")


UNDER_WAY = (ItemState.RUNNING, ItemState.IN_DOUBT)
OPEN_ITEMS = (ItemState.WAITING, *UNDER_WAY)


class Batch(models.Model):
    """An operation on many targets, or several in an order, planned, confirmed and carried out by the worker."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="batches")
    actor_name = models.CharField(max_length=150)
    persona = models.ForeignKey("permissions.Persona", null=True, blank=True, on_delete=models.SET_NULL)
    via = models.CharField(max_length=10, choices=Via.choices, default=Via.BULK)
    operation = models.CharField(max_length=40, help_text="key of the operation")
    target_name = models.CharField(max_length=255, blank=True, help_text="of steps on one target: how it was called")
    params = models.JSONField(default=dict, blank=True, help_text="by the names of the operation's form")
    over_quota = models.BooleanField(
        default=False, db_default=False, help_text="an administrator said that it may go beyond quotas"
    )
    state = models.CharField(max_length=10, choices=BatchState.choices, default=BatchState.PLANNED)
    created_at = models.DateTimeField(default=timezone.now)
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "batches"
        indexes = [models.Index(fields=["state"], name="batch_state")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.operation} ({self.state})"


class BatchItem(models.Model):
    """One target of a batch. It knows it by kind, key and uuid; the name is for reading.

    `lane` is what items share a limit by, whatever batch they are in: for what is sent, the cluster. An item with
    `after` begins when that one has succeeded. `params` of an item without operation of its own stand beside the
    batch's: they tie it to what was there of its target when it was planned. `entry` is written in the transaction that
    begins the operation: so an item with an entry is never begun again, however its worker ends.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    operation = models.CharField(max_length=40, blank=True, help_text="key of a step of its own; empty: the batch's")
    params = models.JSONField(null=True, blank=True, help_text="those of a step of its own; empty: the batch's")
    kind = models.CharField(max_length=20)
    target_pk = models.BigIntegerField(null=True)
    target_uuid = models.CharField(max_length=36, blank=True)
    target_name = models.CharField(max_length=255)
    lane = models.CharField(max_length=100, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.WAITING)
    reason = ToldField(blank=True, help_text="why it is skipped, waits or has failed")
    after = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followers")
    entry = models.ForeignKey(Entry, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField(null=True, blank=True, help_text="not before this time")

    class Meta:
        ordering = ["batch", "position"]
        indexes = [models.Index(fields=["lane", "state"], name="batch_item_lane")]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="batch_item_position")]

    def __str__(self) -> str:
        return f"{self.target_name} ({self.state})"

    @property
    def key(self) -> str:
        """The key of its operation."""
        return self.operation or self.batch.operation

    @property
    def about(self) -> tuple[str, int | None]:
        """What it is about, by kind and key: its target, or what it has made by now."""
        if self.entry is not None and self.entry.target_kind != self.kind:
            return self.entry.target_kind, self.entry.target_pk
        return self.kind, self.target_pk

    @property
    def data(self) -> dict[str, Any]:
        """What its parameters are made from."""
        return self.data_with(self.batch.params)

    def data_with(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The same, were these the batch's."""
        own = self.params or {}
        return dict(own) if self.operation else {**params, **own}


class BatchLane(models.Model):
    """Who works on the items of a lane: one worker at a time, so that its limit holds and a cluster that hangs keeps
    one of the worker's threads and no more."""

    name = models.CharField(max_length=100, unique=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease_holder = models.CharField(max_length=24, blank=True)
    hung_at = models.DateTimeField(null=True, blank=True, help_text="when a call hung, and none was quick since")

    def __str__(self) -> str:
        return self.name
