"""Whom a directory does not let in, with the reason."""

from permissions.models import User


class TurnedAway(Exception):
    """Somebody is not let in, for another reason than a wrong name or password; in words for them."""

    def __init__(self, words: str, *, status: int = 403, remedy: str = "", person: User | None = None) -> None:
        super().__init__(words)
        self.words, self.status, self.remedy, self.person = words, status, remedy, person
