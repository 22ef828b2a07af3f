"""How log lines look: UTC, one line each, and without secrets."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import Any

_HIDDEN = "[hidden]"
_PATTERNS = (
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+@"), r"\1" + _HIDDEN + "@"),
    (re.compile(r"(?i)\b((?:basic|bearer)\s+)[a-z0-9+/=._~-]{6,}"), r"\1" + _HIDDEN),
    (re.compile(r"(?i)((?:password|passwd|secret|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"), r"\1" + _HIDDEN),
)


class WithoutSecrets(logging.Filter):
    """Takes known secrets, and what looks like one, out of the message and of a traceback."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted(set(secrets), key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; never drops one."""
        record.msg, record.args = self.clean(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self.clean(logging.Formatter().formatException(record.exc_info))
        return True

    def clean(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


class LineInUTC(logging.Formatter):
    """`2026-11-23T06:40:01Z INFO gwm.sync: …`."""

    converter: Any = time.gmtime

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
