"""Days and times as people type them, and as they read them."""

from datetime import UTC, date, datetime
from functools import lru_cache

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

# Of what comes later some clocks could not tell the day.
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_BEYOND = "beyond the years that a database takes and clocks tell"


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; without a zone it is one of the reader's. ValueError if UTC has no such year, or another
    zone has not."""
    try:
        there = (timezone.make_aware(moment) if timezone.is_naive(moment) else moment).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(_BEYOND) from error
    if there > _LAST:
        raise ValueError(_BEYOND)
    return there


def by_the_clock(when: datetime) -> datetime:
    """A moment as the reader's clock tells it; of the last day of all calendars, as UTC does: certificates that do not
    end say that day."""
    try:
        return timezone.localtime(when)
    except OverflowError:
        return when.astimezone(UTC)


def begin_of(day: date) -> datetime:
    """Where a day begins, in the zone of the reader. ValueError."""
    return as_utc(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware


def tell_day(when: datetime) -> str:
    """The day of a moment in figures, as the service writes them: "2026-11-23"."""
    return _in_figures(by_the_clock(when).date(), settings.GWM_DATE_FORMAT)


# Most moments on a page are of a few days.
@lru_cache(maxsize=512)
def _in_figures(day: date, form: str) -> str:
    return date_format(day, form, use_l10n=False)


def tell_short_day(when: datetime) -> str:
    """The day of a moment, without the year: "23 Nov"."""
    return date_format(by_the_clock(when), "j M", use_l10n=False)


def tell(when: datetime, *, seconds: bool = False) -> str:
    """A moment in full, with its zone: "2026-11-23 14:02 UTC"."""
    local = by_the_clock(when)
    day = _in_figures(local.date(), settings.GWM_DATE_FORMAT)
    return f"{day} {local:{'%H:%M:%S %Z' if seconds else '%H:%M %Z'}}"
