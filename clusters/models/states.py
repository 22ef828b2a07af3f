"""A row that mirrors something in Ganeti."""

from typing import Any

from django.db import models
from django.db.models import Case, F, Q, When

from objectlog.words import ToldField

# `Mirrored.address`, for the database.
ADDRESS = Case(When(~Q(uuid="") & Q(missing_since__isnull=False), then=F("uuid")), default=F("name"))


def index_of_missing(name: str) -> models.Index:
    """For a mirrored model: the few rows that are missing, and no others."""
    return models.Index(fields=["missing_since", "id"], condition=Q(missing_since__isnull=False), name=name)


def address_of(row: Any) -> str:
    """`Mirrored.address`, also of what has some of its columns."""
    return str(row.uuid if row.uuid and row.missing_since is not None else row.name)


class Mirrored(models.Model):
    """A row that the update cycle keeps in step with Ganeti. It is marked missing, never deleted, by an update."""

    uuid = models.CharField(max_length=36, blank=True, help_text="Ganeti's identity of the object")
    name = models.CharField(max_length=255)
    serial_no = models.IntegerField(default=0)
    ctime = models.FloatField(null=True, blank=True, help_text="Ganeti's time of creation, seconds since 1970")
    mtime = models.FloatField(default=0, help_text="Ganeti's modification time, seconds since 1970; a hint only")
    raw = models.JSONField(default=dict, blank=True, help_text="Ganeti's configuration record as last read")
    created_at = models.DateTimeField(auto_now_add=True, help_text="when this row was made")
    changed_at = models.DateTimeField(null=True, blank=True, help_text="when an update last wrote this row")
    read_at = models.DateTimeField(
        null=True, blank=True, help_text="when the reading began that the values of this row come from"
    )
    # Nearly all rows are there: an index that has them, too, is no help to find them, and SQLite takes it (see
    # `index_of_missing`).
    missing_since = models.DateTimeField(null=True, blank=True, help_text="when Ganeti was first seen without it")

    unreadable_since = models.DateTimeField(
        null=True, blank=True, help_text="since when Ganeti's record of it can't be read; the rest is from before"
    )
    unreadable_why = ToldField(blank=True, help_text="what is wrong with the record")

    class Meta:
        abstract = True

    @property
    def address(self) -> str:
        """What URLs call it: its name, or its uuid when it is missing, for then the name may be another's."""
        return address_of(self)

    @property
    def lasting_address(self) -> str:
        """What URLs call it that must mean this row whatever it is called by then: fragments, and what changes it."""
        return self.uuid or self.name

    @property
    def is_missing(self) -> bool:
        """Whether Ganeti no longer lists the object."""
        return self.missing_since is not None
