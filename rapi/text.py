"""Text from a cluster, made fit for databases, pages and logs."""

from __future__ import annotations

import re

#: stands for what can't be kept, so that two texts that differ still look odd rather than alike
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
CUT_MARK = "…"

# the C0 and C1 controls but for line breaks and tabs, surrogates (no database stores them), and what turns the
# direction of the text around it: with that, a name can be made to look like another
_UNFIT = "\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_BREAK = "\t\n\x0b\x0c\r\x85\u2028\u2029"
_UNFIT_CHARACTER = re.compile(f"[{_UNFIT}]")
_ANY_BREAK = re.compile(f"[{_BREAK}]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def clean_text(text: str, limit: int, *, keep_lines: bool = False) -> str:
    """The text without NUL, surrogates, control and bidi-control characters, at most ``limit`` characters long.

    A text that was cut ends in "…". Line breaks and tabs become spaces, unless ``keep_lines``: then every kind of
    line break becomes a newline, and tabs stay. Cleaning a clean text changes nothing.
    """
    if len(text) > limit:
        text = text[: max(limit - len(CUT_MARK), 0)] + CUT_MARK[:limit]
    if text.isprintable():  # nearly always, and much faster than looking for each
        return text
    text = _LINE_END.sub("\n", text) if keep_lines else _ANY_BREAK.sub(" ", text)
    return _UNFIT_CHARACTER.sub(REPLACEMENT, text)
