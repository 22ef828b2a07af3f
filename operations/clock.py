"""Times that a clock left behind which was ahead and has been put right, by NTP or by hand.

Whatever waits until such a time has come, or takes it for the newer one, would do so for as long as the clock was
wrong.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

# No moment that we note lies further in the future; the clocks of two hosts differ by less.
AHEAD = timedelta(minutes=2)


def left_ahead(column: str) -> Q:
    """The column holds such a time."""
    return Q(**{f"{column}__gt": timezone.now() + AHEAD})


def is_left_ahead(moment: datetime) -> bool:
    """Whether this is such a time."""
    return moment > timezone.now() + AHEAD
