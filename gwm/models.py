"""What the composition root keeps itself: which rows that pages show were touched lately."""

from django.db import models


class Touched(models.Model):
    """Something that pages show was changed. Written by triggers alone (gwm.live.triggers), read by gwm.live.reader."""

    topic = models.CharField(max_length=400, help_text="what was changed, as gwm.live.watched names it")
    xact = models.BigIntegerField(
        default=0, db_index=True, help_text="PostgreSQL's number of the transaction; 0 where commits come one by one"
    )
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.topic


class Process(models.Model):
    """A process of the product, as it says itself every few seconds (gwm.signs)."""

    kind = models.CharField(max_length=20, help_text="web, worker or beat")
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    queue = models.CharField(max_length=100, blank=True, help_text="what a worker takes its messages from")
    version = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="its last sign of life")
    worked_at = models.DateTimeField(help_text="when it last did its work, as of that sign")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "host", "pid"], name="process_once")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.host} ({self.pid})"
