"""Words and numbers that are said hundreds of times on a page: what a language says of them is kept."""

from functools import lru_cache

from django.utils.formats import get_format
from django.utils.translation import get_language, gettext


def said(message: str) -> str:
    """What `gettext` says of a message that was marked with `gettext_noop`."""
    return _said(get_language(), message)


@lru_cache(maxsize=512)
def _said(language: str | None, message: str) -> str:
    del language  # what is active
    return gettext(message)


def in_figures(number: float, decimals: int | None = None) -> str:
    """A number as the language writes it: "1,247", "4.5"; with all its decimals, or so many."""
    figures = f"{number:,}" if decimals is None else f"{number:,.{decimals}f}"
    if figures.isdecimal():
        return figures  # the same in every language, and most numbers of a list are so short
    separators = _separators(get_language())
    return figures.translate(separators) if separators else figures


@lru_cache(maxsize=16)
def _separators(language: str | None) -> dict[int, str]:
    """What stands for the comma and the point of English; nothing in English."""
    thousands, point = (get_format(name, language) for name in ("THOUSAND_SEPARATOR", "DECIMAL_SEPARATOR"))
    return {} if (thousands, point) == (",", ".") else {ord(","): thousands, ord("."): point}
