"""A row on which one operation at a time may work."""

from django.db import models


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
