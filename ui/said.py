"""Words and numbers that are said hundreds of times on a page: what a language says of them is kept.

To ask Django which language is active costs more than to say a word in it. So what says several things at once asks for
the `voice` first.
"""

from functools import lru_cache

from django.utils.formats import get_format
from django.utils.translation import get_language, gettext, override


class Voice:
    """What one language says of words and numbers."""

    def __init__(self, language: str | None) -> None:
        self._language = language
        # What stands for the comma and the point of English; nothing in English.
        thousands, point = (get_format(name, language) for name in ("THOUSAND_SEPARATOR", "DECIMAL_SEPARATOR"))
        self._separators = {} if (thousands, point) == (",", ".") else {ord(","): thousands, ord("."): point}

    def said(self, message: str) -> str:
        """What `gettext` says of a message that was marked with `gettext_noop`."""
        return _said(self._language, message)

    def in_figures(self, number: float, decimals: int | None = None) -> str:
        """A number as the language writes it: "1,247", "4.5"; with all its decimals, or so many."""
        figures = _in_english(number, decimals)
        return figures.translate(self._separators) if self._separators else figures


def voice() -> Voice:
    """That of the language that is active."""
    return _voice(get_language())


def said(message: str) -> str:
    """A single word of it, see `Voice.said`."""
    return _said(get_language(), message)


def in_figures(number: float, decimals: int | None = None) -> str:
    """A single number of it, see `Voice.in_figures`."""
    figures = _in_english(number, decimals)
    # The same in every language, and most numbers of a list are so short.
    return figures if figures.isdecimal() else voice().in_figures(number, decimals)


def _in_english(number: float, decimals: int | None) -> str:
    return f"{number:,}" if decimals is None else f"{number:,.{decimals}f}"


@lru_cache(maxsize=16)
def _voice(language: str | None) -> Voice:
    return Voice(language)


@lru_cache(maxsize=512)
def _said(language: str | None, message: str) -> str:
    with override(language):
        return gettext(message)
