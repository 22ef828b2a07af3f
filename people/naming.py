"""What people type for somebody and for a moment, on pages and on the command line alike."""

import re
from datetime import datetime, timedelta

from django.db.models import Model
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from permissions.models import Team, User
from permissions.selectors import find_user
from ui.moments import as_utc, begin_of
from virtualmachines.known_teams import find_known_team

_SPANS = {"h": "hours", "d": "days", "w": "weeks"}


def find_subject(text: str, asker: User | None, on: Model | None = None) -> User | Team:
    """Somebody by user name, or a team by @ and its name: one of which `asker` knows, as of those that hold something
    `on` what they audit. ValueError says in the same words that there is none, or that they know of none.
    """
    found: User | Team | None
    if text.startswith("@"):
        found = find_known_team(asker, text[1:], on) if asker is not None else None
    else:
        found = find_user(text)
    if found is None:
        words = _("There is no team “%s”.") if text.startswith("@") else _("There is no user “%s”.")
        raise ValueError(words % text.removeprefix("@"))
    return found


def parse_moment(text: str) -> datetime:
    """A date (its beginning), a time with or without zone, or a span from now on: 12h, 30d, 2w. ValueError."""
    span = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if span:
        return timezone.now().replace(microsecond=0) + timedelta(**{_SPANS[span[2]]: int(span[1])})
    try:
        if day := parse_date(text):
            return begin_of(day)
        if moment := parse_datetime(text):
            return as_utc(moment)
    except ValueError:
        pass  # looks like one, and no calendar has it
    words = _("“%s” is no moment; use 2030-12-31, 2030-12-31T18:00, or a span such as 12h, 30d, 2w.")
    raise ValueError(words % text)
