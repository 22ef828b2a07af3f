"""What goes wrong in a browser without anybody seeing it: errors on its console, exceptions, refused content."""

from __future__ import annotations

import re
from typing import Any

# Chromium says this of every answer of 400 or more, also of a page that was asked for on purpose.
_STATUS = re.compile(r"status of (\d{3})")
# A fragment that was under way when the page was left or a newer one was asked for (htmx tells of what failed
# otherwise by sendError); ends of the net while a lab's interfaces come and go.
_LEFT = re.compile(r"net::ERR_(ABORTED|NETWORK_CHANGED|NETWORK_IO_SUSPENDED)|htmx:(sendAbort|afterRequest)\b")


class Watch:
    """Collects the troubles of all pages of some browser contexts; `allow` says which are part of a test."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self._statuses: set[str] = set()
        self._words: list[str] = []

    def follow(self, context: Any) -> None:
        context.on("console", self._take_line)
        context.on("weberror", lambda error: self._note(f"exception: {error.error}"))

    def allow(self, *expected: int | str) -> None:
        """Expect answers of these statuses, or lines with these words."""
        for each in expected:
            if isinstance(each, int):
                self._statuses.add(str(each))
            else:
                self._words.append(each)

    @property
    def unexpected(self) -> list[str]:
        return [line for line in self.troubles if not self._is_expected(line)]

    def _is_expected(self, line: str) -> bool:
        status = _STATUS.search(line)
        if status and status[1] in self._statuses:
            return True
        return bool(_LEFT.search(line)) or any(word in line for word in self._words)

    def _take_line(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self._note(f"{message.type}: {message.text} ({where})")

    def _note(self, line: str) -> None:
        self.troubles.append(line)
