"""Sentences that know what they are made of, so that what is kept of them can be read in any language.

`gettext` and `ngettext` here say what Django's say, in the language of whoever is there. Their answer is a `Told`: a
`str` that keeps its message and its values, through `%`, as the text of an exception, and inside another sentence. A
`ToldField` writes both down, and says the sentence again in the language of whoever reads the row. What is not ours,
Ganeti's words for instance, is a plain `str` and stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import translation
from django.utils.functional import Promise

from ui.moments import tell
from ui.templatetags import units

# Between the sentence in English and what it is made of. It stands in no text: what comes from outside is cleaned.
_MARK = "\x02"


class Told(str):
    """A sentence as it is said now. `data` is what it is made of, as JSON keeps it."""

    data: dict[str, Any]

    def __new__(cls, data: dict[str, Any]) -> Told:
        """The sentence in the language that is active."""
        told = super().__new__(cls, say(data))
        told.data = data
        return told

    def __mod__(self, values: Any) -> Told:
        """With values filled in; those that are sentences themselves stay so."""
        if isinstance(values, Mapping):
            return Told({**self.data, "values": {str(name): _kept(value) for name, value in values.items()}})
        parts = values if isinstance(values, tuple) else (values,)
        return Told({**self.data, "values": [_kept(value) for value in parts]})

    def __str__(self) -> Told:
        """Itself, so that `str()` of an exception with this text is a sentence, too."""
        return self

    def __reduce__(self) -> tuple[type[Told], tuple[dict[str, Any]]]:
        return Told, (self.data,)


def gettext(message: str) -> str:
    """Imported as `_` wherever what is said may be kept."""
    return Told({"said": message})


def ngettext(singular: str, plural: str, number: int) -> str:
    """As Django's."""
    return Told({"said": singular, "plural": plural, "number": number})


def mib(size: float | None) -> str:
    """A size given in MiB, with the figures of whoever reads it."""
    return Told({"shown": "mib", "value": size})


def moment(when: datetime) -> str:
    """A point in time, by the clock of whoever reads it."""
    return Told({"shown": "moment", "value": when.isoformat()})


_SHOWN: dict[str, Callable[[Any], str]] = {
    "mib": units.mib,
    "moment": lambda value: tell(datetime.fromisoformat(value)),
}


def told(words: str | Promise) -> str:
    """A sentence of `gettext_lazy` as one that can be kept; whatever else comes as it is."""
    if not isinstance(words, Promise):
        return words
    with translation.override(None):
        message = str(words)
    return gettext(message)


def joined(by: str, parts: Iterable[str]) -> str:
    """Sentences and other texts one after the other, without those that are empty."""
    there = [part for part in parts if part]
    if len(there) < 2:
        return there[0] if there else ""
    return Told({"said": "", "values": [_kept(part) for part in there], "by": by})


def is_quoted(words: str) -> bool:
    """Whether these are somebody else's words, Ganeti's for instance, and no sentence of ours is among them."""
    return not (isinstance(words, Told) and _holds_sentence(words.data))


def _holds_sentence(kept: Any) -> bool:
    if not isinstance(kept, Mapping):
        return False
    if "by" not in kept:
        return True
    return any(_holds_sentence(each) for each in kept.get("values") or ())


def say(kept: Any) -> str:
    """What was kept of a sentence, in the language that is active.

    A translation that does not fit its values any more gives way to the words as they were written.
    """
    if not isinstance(kept, Mapping):
        return str(kept)
    values = kept.get("values")
    if "shown" in kept:
        return _SHOWN[kept["shown"]](kept["value"])
    if "by" in kept:
        return str(kept["by"]).join(say(each) for each in values or ())
    texts = [kept["said"], kept["said"]]
    if "plural" in kept:
        forms = (kept["said"], kept["plural"], kept["number"])
        texts = [translation.ngettext(*forms), kept["said"] if kept["number"] == 1 else kept["plural"]]
    elif kept["said"]:
        texts[0] = translation.gettext(kept["said"])
    filled = _filled(values)
    for text in texts if filled is not None else ():
        try:
            return str(text % filled)
        except (KeyError, TypeError, ValueError):
            continue
    return str(texts[0])


def in_english(words: str) -> str:
    """As it is written in the program."""
    if not isinstance(words, Told):
        return words
    with translation.override(None):
        return say(words.data)


def as_kept(words: str) -> Any:
    """For JSON: what a sentence is made of, or a text as it is. `say` reads it."""
    return words.data if isinstance(words, Told) else words


def _kept(value: Any) -> Any:
    """A value of a sentence: numbers stay numbers, for "%d"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = told(value) if isinstance(value, Promise) else str(value)
    return text.data if isinstance(text, Told) else text


def _filled(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {name: each if isinstance(each, int | float) else say(each) for name, each in values.items()}
    if isinstance(values, list):
        return tuple(each if isinstance(each, int | float) else say(each) for each in values)
    return None


class ToldField(models.TextField):  # type: ignore[type-arg]
    """A text in which sentences can be read in any language: first in English, to be searched and sorted by."""

    def deconstruct(self) -> Any:
        """To the database it is a text like others."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        """With what it is made of behind it."""
        if isinstance(value, Promise):
            value = told(value)
        if isinstance(value, Told):
            return f"{in_english(value)}{_MARK}{json.dumps(value.data, ensure_ascii=False)}"
        value = super().get_prep_value(value)
        return value.replace(_MARK, "") if isinstance(value, str) else value

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Any:
        """The sentence in the reader's language."""
        if not isinstance(value, str) or _MARK not in value:
            return value
        english, _mark, data = value.partition(_MARK)
        try:
            return Told(json.loads(data))
        except (ValueError, KeyError, AttributeError):  # cut by another program
            return english
