"""Sentences of this package, in English, that a program around it can say in another language."""

from __future__ import annotations

from typing import Any, Self


class Words(str):
    """A sentence with its values filled in; `text` has `%(name)s` where these stand, as catalogues of gettext do."""

    text: str
    values: dict[str, Any]

    def __new__(cls, text: str, /, **values: Any) -> Self:
        """Fill in the values; one that is a sentence itself stays one in `values`."""
        self = super().__new__(cls, text % values if values else text)
        self.text, self.values = text, values
        return self


def words(text: str, /, **values: Any) -> Words:
    """The sentence. Imported as `_`, by which xgettext finds the texts."""
    return Words(text, **values)
