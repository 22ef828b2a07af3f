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
