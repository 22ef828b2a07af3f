"""A row of which is noted what others have changed in Ganeti, until somebody accepts it."""

from collections.abc import Mapping
from typing import ClassVar

from django.db import models


class Watched(models.Model):
    """What was changed past this program since an administrator last accepted how it is."""

    #: The columns that are watched, by what they are called in `drift`.
    watched: ClassVar[Mapping[str, str]] = {}
    #: What the journal calls a row of this kind.
    journal_kind: ClassVar[str] = ""

    drift = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="what was changed elsewhere: the values before, by field"
    )
    drift_since = models.DateTimeField(null=True, blank=True, help_text="when the first of these changes was seen")

    class Meta:
        abstract = True
