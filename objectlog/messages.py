"""Sentences that can be read in any language, also when everything they name is gone.

A message is a gettext message id with named placeholders, and their values as they were when it was written. As JSON
it is `{"message": ..., "values": {...}}`; a value may be a message itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from objectlog.words import Told, as_kept, in_english, say, told

NOTHING = "—"


@dataclass(frozen=True)
class Message:
    """A sentence, or a word of one, that is translated when it is read."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"message": self.text, "values": {name: as_data(value) for name, value in self.values.items()}}


def as_data(value: Any) -> Any:
    """A value of a message or of a change as JSON keeps it; what JSON has no form for as text."""
    if isinstance(value, Message):
        return value.as_data()
    if isinstance(value, Mapping):
        return {str(name): as_data(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_data(each) for each in value]
    if isinstance(value, Told) and "shown" in value.data:
        return in_english(value)
    if isinstance(value, Promise | Told):
        return as_kept(told(value))
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def read(value: Any) -> str:
    """A value that was kept as JSON, in the reader's language.

    A translation that does not fit its values any more gives way to the words as they were written.
    """
    if isinstance(value, Mapping) and set(value) == {"message", "values"}:
        values = {name: read(each) for name, each in value["values"].items()}
        for text in (gettext(value["message"]) if value["message"] else "", value["message"]):
            try:
                return text % values
            except (KeyError, TypeError, ValueError):
                continue
        return str(value["message"])
    if isinstance(value, Mapping) and "said" in value:
        return say(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={read(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(read(each) for each in value) or NOTHING
    if isinstance(value, bool):
        return gettext(_("yes")) if value else gettext(_("no"))
    return NOTHING if value is None or value == "" else str(value)
