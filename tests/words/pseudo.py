"""A language in which every translated letter is accented, so that a plain one on a page was never translated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html.parser import HTMLParser

from django.utils import translation
from django.utils.translation import trans_real

LANGUAGE = "en-xa"
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTED = "áƀćđéƒğĥíĵķĺɱńóƥɋŕšţúṽŵẋýžÁƁĆĐÉƑĞĤÍĴĶĹṀŃÓƤɊŔŠŢÚṼŴẊÝŽ"
_LETTERS = str.maketrans(_PLAIN, ACCENTED)
# What a translator leaves as it is: values, markup, entities.
_KEPT = re.compile(r"%\(\w+\)[\d.]*[sdf]|%[\d.]*[sdf]|%%|\{\w*\}|<[^>]*>|&#?\w+;")


@cache  # pages say the same words again and again
def accent(message: str) -> str:
    """The message in the pseudo-language."""
    message = message.rpartition(trans_real.CONTEXT_SEPARATOR)[2]
    pieces, at = [], 0
    for kept in _KEPT.finditer(message):
        pieces += [message[at : kept.start()].translate(_LETTERS), kept[0]]
        at = kept.end()
    return "".join([*pieces, message[at:].translate(_LETTERS)])


class _Pseudo:
    """As Django's catalogue of a language: what django.utils.translation asks of one."""

    def gettext(self, message: str) -> str:
        return accent(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return accent(singular if number == 1 else plural)

    def to_language(self) -> str:
        return LANGUAGE


@contextmanager
def spoken() -> Iterator[None]:
    """While it lasts everything is translated into the pseudo-language, and pages in English are in it, too."""
    catalogues: dict[str, object] = trans_real._translations
    english = trans_real.translation("en")
    default = trans_real._default
    catalogues[LANGUAGE] = catalogues["en"] = _Pseudo()
    with translation.override(LANGUAGE):
        try:
            yield
        finally:
            del catalogues[LANGUAGE]
            catalogues["en"], trans_real._default = english, default


_WORD = re.compile(r"[A-Za-z]{2,}")
_ATTRIBUTES = frozenset(
    {"title", "placeholder", "aria-label", "alt", "data-label", "data-away", "data-obstacle", "data-remedy"}
)
# What is on a page and not ours to translate: keys of a keyboard, commands, Ganeti's parameters and its log.
_UNTRANSLATED_TAGS = frozenset({"script", "style", "code", "kbd", "pre", "textarea"})
_UNTRANSLATED_CLASSES = frozenset({"mono", "log-line", "console-keys", "bare-mark", "mark", "fingerprint"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


class _Reader(HTMLParser):
    """Collects what people see or are read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        silent = tag in _UNTRANSLATED_TAGS or bool(_UNTRANSLATED_CLASSES & set(given.get("class", "").split()))
        silent = silent or (bool(self._open) and self._open[-1][1])
        shown = [f"{name}: {given[name]}" for name in _ATTRIBUTES & given.keys()]
        if tag == "button" or (tag == "input" and given.get("type") in ("submit", "button", "reset")):
            shown += [given["value"]] if len(given.get("value", "")) > 1 and tag == "input" else []
        if not silent:
            self.found += shown
        if tag not in _VOID:
            self._open.append((tag, silent))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return  # drawings

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self._open and self._open[-1][1]):
            self.found.append(data)


@cache  # likewise, and there are many that are known
def plain_words(text: str, known: re.Pattern[str]) -> tuple[str, ...]:
    """The words of a text that are neither translated nor `known`."""
    for name in _ATTRIBUTES:
        text = text.removeprefix(f"{name}: ")
    return tuple(_WORD.findall(known.sub(" ", text)))


def find_untranslated(page: str, known: re.Pattern[str]) -> list[str]:
    """Every visible text and attribute of a page with words that are neither translated nor `known` as data."""
    reader = _Reader()
    reader.feed(page)
    return sorted({" ".join(text.split()) for text in reader.found if plain_words(text, known)})
