"""How log lines look: UTC, one line each, without secrets, and none that somebody else wrote."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import Error

from gwm.outages import explain_outage
from objectlog.logged import read_ids

_HIDDEN = "[hidden]"
_PATTERNS = (
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+@"), r"\1" + _HIDDEN + "@"),
    (re.compile(r"(?i)\b((?:basic|bearer)\s+)[a-z0-9+/=._~-]{6,}"), r"\1" + _HIDDEN),
    (re.compile(r"(?i)((?:password|passwd|secret|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"), r"\1" + _HIDDEN),
)
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# Of a message and values that do not fit, and of values that raise when they are asked for their words.
_SPEECHLESS = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError, OSError, Error)


class WithoutSecrets(logging.Filter):
    """Takes known secrets, and what looks like one, out of the message and of a traceback."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = sorted(set(secrets), key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; never drops one."""
        record.msg, record.args = self.clean(_said(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self.clean(logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = self.clean(record.stack_info)
        return True

    def clean(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def _said(record: logging.LogRecord) -> str:
    """The message. Whoever logs what does not fit together, a library among them, goes on: the line says what it was.

    From a filter an error would come out where the line was written; and logging itself would show values as they are.
    """
    return _say(record.getMessage, record.msg if isinstance(record.msg, str) else type(record.msg).__name__)


def _say(say: Callable[[], str], otherwise: str) -> str:
    try:
        return say()
    except _SPEECHLESS as error:
        return f"{otherwise} [its values cannot be written: {type(error).__name__}]"


class KnownInOneLine(logging.Filter):
    """A full disk, a database that is away, or what somebody may not do is one line: a traceback of it says no more."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; never drops one."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and (isinstance(error, PermissionDenied) or explain_outage(error) is not None):
            said = _said(record).partition("\n")[0]
            reason = _say(lambda: str(error).strip(), type(error).__name__)
            record.msg = said if reason in said else f"{said}: {reason}"
            record.args, record.exc_info, record.exc_text, record.stack_info = None, None, None, None
        return True


class LineInUTC(logging.Formatter):
    """`2026-11-23T06:40:01Z INFO updates.cycle: …`.

    A record begins at the beginning of a line and nothing else does: control characters of a message are escaped,
    and the lines of a traceback are indented, so that no text from outside can pass for a record of ours.
    """

    converter: Any = time.gmtime

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - named by logging
        """The line itself."""
        return escape_controls(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the traceback, whose text other handlers may have made."""
        bare = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None, "stack_info": None})
        parts = [super().format(bare)]
        if record.exc_text or record.exc_info:
            parts.append(_indent(record.exc_text or self.formatException(record.exc_info or (None, None, None))))
        if record.stack_info:
            parts.append(_indent(self.formatStack(record.stack_info)))
        return "\n".join(parts)


# A line that is longer is cut in two by what collects them (48 KiB by systemd's journal), and neither can be read.
_LONGEST = 10_000


class JsonLine(logging.Formatter):
    """`{"time": "2026-11-23T06:40:01.123456Z", "level": "INFO", "logger": "updates.cycle", "message": "…", …}`.

    One object in one line of ASCII, whatever is in the message; with what it is about (`objectlog.logged`).
    """

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST],
            "pid": os.getpid(),
            **read_ids(),
        }
        if record.exc_text or record.exc_info:
            traceback = record.exc_text or self.formatException(record.exc_info or (None, None, None))
            told["traceback"] = traceback[-_LONGEST:]  # what was raised stands at its end
        return json.dumps(told)


def escape_controls(text: str) -> str:
    """Every control character, line separator, direction mark and lone surrogate as `\\x1b` or `\\u202e`."""
    return text if text.isprintable() else _CONTROL.sub(lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _indent(text: str) -> str:
    return "\n".join(f"    {escape_controls(line)}" for line in text.split("\n"))
