"""Which open pages show what, and which of them to tell of a change. In memory, in the reactor's thread alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from gwm.live.note import Note
from gwm.live.reader import LOOK_BACK, names_of

# Clocks of several web hosts may differ by so much: a page is rather told twice than not at all.
CLOCKS_DIFFER_S = 2.0
KEEP_S = 120.0

Page = TypeVar("Page", bound=Hashable)


class Board(Generic[Page]):
    """Notes by page, pages by topic, and the changes of the last two minutes for pages that were being made then."""

    def __init__(self) -> None:
        self._notes: dict[Page, Note] = {}
        self._pages: dict[str, set[Page]] = {}
        self._recent: deque[tuple[float, frozenset[str]]] = deque()
        self._knows_since: float | None = None

    def __len__(self) -> int:
        return len(self._notes)

    def put_up(self, page: Page, note: Note) -> list[str]:
        """Keep a page's note, its first or another; the names of the parts that changed since it was written.

        What both notes name has been told, or will be: only what is new in the second is looked up.
        """
        before = self._notes.get(page)
        told = {topic for topics in before.parts().values() for topic in topics} if before else set()
        self.take_down(page)
        self._notes[page] = note
        for topics in note.parts().values():
            for topic in topics:
                self._pages.setdefault(topic, set()).add(page)
        if self._knows_since is None:  # the first reading comes and tells
            return []
        if before is None and note.at < self._knows_since:
            return [name for name, topics in note.parts().items() if topics]
        since = note.at - CLOCKS_DIFFER_S
        missed = {topic for at, topics in self._recent if at >= since for topic in topics}
        return note.touched_by(missed - told)

    def take_down(self, page: Page) -> None:
        """Forget a page."""
        note = self._notes.pop(page, None)
        if note is None:
            return
        for topics in note.parts().values():
            for topic in topics:
                pages = self._pages.get(topic)
                if pages is not None:
                    pages.discard(page)
                    if not pages:
                        del self._pages[topic]

    def publish(self, topics: Iterable[str], at: float) -> Iterator[tuple[Page, list[str]]]:
        """The pages to tell of `topics`, read at a moment, and the names of their parts."""
        names = frozenset(name for topic in topics for name in names_of(topic))
        if self._knows_since is None:
            self._knows_since = at - LOOK_BACK.total_seconds()
        if names:
            self._recent.append((at, names))
        while self._recent and self._recent[0][0] < at - KEEP_S:
            self._knows_since = max(self._knows_since, self._recent.popleft()[0])
        touched = {page for name in names for page in self._pages.get(name, ())}
        for page in touched:
            yield page, self._notes[page].touched_by(names)

    def publish_everything(self) -> Iterator[tuple[Page, list[str]]]:
        """All pages with all their parts: for when it can't be told what changed."""
        for page, note in list(self._notes.items()):
            yield page, [name for name, topics in note.parts().items() if topics]

    def restart(self) -> None:
        """The reader begins anew: nothing is known of what changed before."""
        self._recent.clear()
        self._knows_since = None
