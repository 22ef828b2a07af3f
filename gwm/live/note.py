"""The sealed note on a page: what it shows, to whom, since when. A signal or a poll is given for a note alone."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.core import signing

_SALT = "gwm.live.note"
LONGEST = 12_000
# A page may stay open for weeks; a note is worth nothing without its session.
MAX_AGE_S = 90 * 24 * 3600


class BadNote(ValueError):
    """A note that we did not write, or one too old."""


@dataclass(frozen=True)
class Note:
    """`shows` are the topics of the page itself, `around` those of its frame, `ages` those of the stamps on it.

    `session` is the mark of the session (permissions.sessions), `at` when the page began to read what it shows.
    """

    person: int
    session: str
    at: float
    shows: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    ages: tuple[str, ...] = ()

    def seal(self) -> str:
        """As text for the page."""
        content = [self.person, self.session, round(self.at, 3), *map(list, (self.shows, self.around, self.ages))]
        return signing.dumps(content, salt=_SALT, compress=True)

    @classmethod
    def open(cls, text: str) -> Note:
        """From the text; BadNote."""
        if len(text) > LONGEST:
            raise BadNote("too long")
        try:
            person, session, at, *topics = signing.loads(text, salt=_SALT, max_age=MAX_AGE_S)
        except signing.BadSignature as error:
            raise BadNote(str(error)) from error
        return cls(person, session, at, *map(tuple, topics))

    def parts(self) -> dict[str, tuple[str, ...]]:
        """The parts of the page by name, with their topics."""
        return {"page": self.shows, "frame": self.around, "ages": self.ages}

    def touched_by(self, topics: Iterable[str]) -> list[str]:
        """The names of the parts that show any of `topics`."""
        found = set(topics)
        return [name for name, shown in self.parts().items() if not found.isdisjoint(shown)]


def now() -> float:
    """Seconds since 1970, as notes tell time."""
    return time.time()
