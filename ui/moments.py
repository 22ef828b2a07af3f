"""Days and times as people type them."""

from datetime import UTC, date, datetime

from django.utils import timezone


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; without a zone it is one of the installation. ValueError if UTC has no such year."""
    try:
        return (timezone.make_aware(moment) if timezone.is_naive(moment) else moment).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the years that a database takes") from error


def begin_of(day: date) -> datetime:
    """Where a day begins, in the zone of the installation. ValueError."""
    return as_utc(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware
