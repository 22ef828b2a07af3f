"""What Ganeti says when it does not do what it was asked, and what that means."""

from __future__ import annotations

import html
import re

from rapi.errors import (
    BadCredentials,
    Garbled,
    MasterDown,
    NotAllowed,
    NotFound,
    NotSupported,
    QueueClosed,
    RapiError,
    Refused,
    Unreachable,
)
from rapi.text import clean_text
from rapi.transport import Answer
from rapi.words import words as _

#: RAPI connects to the master daemon for 30 s, and waits 180 s for its answer: a 504 sooner than this is of the former
GIVES_UP_READING_S = 120.0

#: nobody reads more; the output of hooks and allocators fits
MAX_MESSAGE = 8000
_MAX_CODE = 64

# Python's way of writing a text. Possessive: never more than one pass.
_TEXT = r"""(?:'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+")"""
_TEXT_AND_CODE = re.compile(rf"\(\s*({_TEXT})\s*(?:,\s*(?:({_TEXT})\s*(?:,.*)?)?)?\)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def read_message(answer: Answer) -> tuple[str, str | None]:
    """Ganeti's own words of an error, unescaped, and its error code where the message is a tuple of both."""
    if not isinstance(answer.value, dict):
        return "", None
    # ``explain`` is boilerplate of the HTTP status; ``message`` says what went wrong
    found = (answer.value.get(key) for key in ("message", "explain"))
    text = next((each for each in found if isinstance(each, str) and each), "")
    # cut before anything looks at it
    text = html.unescape(text[: 2 * MAX_MESSAGE]).strip()
    parts = _TEXT_AND_CODE.fullmatch(text)
    if parts is None:
        return clean_text(text, MAX_MESSAGE, keep_lines=True), None
    code = parts[2] and clean_text(_read_literal(parts[2]), _MAX_CODE)
    return clean_text(_read_literal(parts[1]), MAX_MESSAGE, keep_lines=True), code or None


def _read_literal(literal: str) -> str:
    """The text that Python writes like this."""

    def unescape(found: re.Match[str]) -> str:
        number = found[1] or found[2]
        return chr(int(number, 16)) if number else _ESCAPED.get(found[3], found[3])

    return _ESCAPE.sub(unescape, literal[1:-1])


_BY_STATUS: dict[int, type[Refused]] = {403: NotAllowed, 404: NotFound, 501: NotSupported}
#: what Ganeti says when it has nothing to say
_EMPTY_WORDS = frozenset({"Not Found", "Forbidden"})
_FALLBACK_WORDS = {
    403: _("The RAPI user may not do this: it needs “write” in Ganeti's users file."),
    404: _("Ganeti doesn't know it."),
    501: _("This release of Ganeti has no such function."),
    503: _("Ganeti says that this is not available now."),
}


def explain_refusal(answer: Answer, where: str, *, changes: bool, anonymous: bool = False) -> RapiError:
    """The error for an answer other than 200; ``anonymous`` when no credentials were sent."""
    text, error_code = read_message(answer)
    status = answer.status
    if status == 401:
        if anonymous:
            return BadCredentials(_("The cluster wants a RAPI user name and password."), where=where)
        return BadCredentials(_("The cluster rejects the RAPI user name or password."), where=where)
    if status in (502, 504):
        return _explain_gateway(answer, text, where, changes=changes)
    if not isinstance(answer.value, dict):
        words = _("HTTP %(status)s without Ganeti's explanation: this may not be a Ganeti RAPI.", status=status)
        return Garbled(words, where=where, may_have_run=changes and status >= 500)
    if text in _EMPTY_WORDS:
        text = ""
    said: str = text or _FALLBACK_WORDS.get(
        status, _("Ganeti answered HTTP %(status)s without a reason.", status=status)
    )
    kind = _BY_STATUS.get(status, Refused)
    if status == 500 and error_code == "unknown_entity":
        kind = NotFound
    elif "queue" in text.lower() and ("drained" in text.lower() or "full" in text.lower()) and status in (500, 503):
        kind = QueueClosed
    return kind(said, where=where, code=status, text=said, error_code=error_code)


def _explain_gateway(answer: Answer, text: str, where: str, *, changes: bool) -> RapiError:
    """502 and 504: RAPI could not talk to the master daemon, or not to the end.

    RAPI gives up connecting after 30 s, and then nothing was submitted; it gives up reading after 180 s, and then a
    job may have been. Where its words don't tell which of the two it was, the time does. Without Ganeti's own JSON
    (a proxy in between) anything may have happened.
    """
    status = answer.status
    if not isinstance(answer.value, dict):
        words = _(
            "HTTP %(status)s without Ganeti's JSON: a proxy or another server answers here, and reaches no Ganeti.",
            status=status,
        )
        return Unreachable(words, where=where, may_have_run=changes)
    if "Failed to parse request" in text:
        return Refused(text, where=where, code=status, text=text)
    never_sent = any(words in text for words in ("Can't connect", "seems to be unreachable", "Connect timed out"))
    if status == 504 and answer.seconds < GIVES_UP_READING_S:
        never_sent = True
    if status == 502:
        message = _("This node's RAPI can't reach a master daemon: it is not the master, or the daemon is down.")
    else:
        message = _("The master daemon does not answer (Ganeti's luxid hangs or is down).")
    return MasterDown(message, where=where, code=status, may_have_run=changes and not never_sent)
