"""Forms of machines are put together from pieces, each of which asks for a part of a spec.

A field is called by its path in the spec (hvparams.boot_order, disks.0.size_mib), so that what the rules say of a path
stands at its field. All values come as typed texts, a new form's too: see `typed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _

from objectlog.words import is_quoted
from virtualmachines.rules.blame import blame
from virtualmachines.spec import VMSpec

Typed = dict[str, str]
Given = Mapping[str, Any]
#: more parts than Ganeti takes, and few enough to draw
_MOST_PARTS = 32


class Piece:
    """A part of a machine's form."""

    def fields(self, given: Given) -> dict[str, forms.Field]:
        """By path; `given` is what was typed, which says how many disks there are, for instance."""
        raise NotImplementedError

    def typed(self, spec: VMSpec) -> Typed:
        """What would have to be typed for this spec."""
        raise NotImplementedError

    def read(self, values: Given, spec: VMSpec) -> VMSpec:
        """`spec` with what was typed; what the piece has no field for stays as it was."""
        raise NotImplementedError


class SpecForm(forms.Form):
    """A form of pieces. Without `is_judged` it reads what was typed and says nothing of what is wrong with it."""

    def __init__(self, pieces: Sequence[Piece], given: Given, *, is_judged: bool = True) -> None:
        super().__init__(given)
        self.pieces, self.is_judged = pieces, is_judged
        self.said: Mapping[str, Sequence[Any]] = {}
        for piece in pieces:
            self.fields.update(piece.fields(given))

    def full_clean(self) -> None:
        """Read everything, and forget what is wrong where nobody is to be told."""
        super().full_clean()
        self.said = dict(self.errors)
        if not self.is_judged:
            self._errors = ErrorDict()

    def spec(self, base: VMSpec) -> VMSpec:
        """`base` with everything that was typed. Of a form with errors: with what could be read of it."""
        self.errors  # noqa: B018 (what could be read is known once it was looked for errors)
        for piece in self.pieces:
            base = piece.read(self.cleaned_data, base)
        return base

    def put_errors(self, faults: Mapping[str, str]) -> None:
        """What is wrong by path, each at its field, or above the form where there is none. What was read stays read."""
        self.errors  # noqa: B018 (it is read now, if it was not yet)
        values = dict(self.cleaned_data)
        for path, words in faults.items():
            self.add_error(path if path in self.fields else None, words)
        self.cleaned_data = values

    def put_refusal(self, words: str) -> None:
        """Why it was not done: in Ganeti's words at the field that they name, or above the form."""
        ganetis = _("Ganeti says: %s") % (words or _("no reason given"))
        self.put_errors({self._blamed(words): ganetis if is_quoted(words) else words})

    def names(self, words: str) -> bool:
        """Whether Ganeti's words name one of the fields."""
        return bool(self._blamed(words))

    def _blamed(self, words: str) -> str:
        """The path of the field, of disks and cards the first one's; empty if the words name none that is here."""
        if not is_quoted(words):  # of a connection, for instance, and of no field
            return ""
        path = blame(words)
        parts = [each for each in self.fields if path in ("disks", "nics") and each.startswith(f"{path}.")]
        instead = "placement.primary" if path == "placement.allocator" else f"beparams.{path.partition('.')[2]}"
        tables = [each for each in self.fields if each.startswith(("hvparams.", "beparams."))]
        named = [each for each in tables if re.search(rf"\b{re.escape(each.partition('.')[2])}\b", words)]
        return next((each for each in (path, *parts, instead, *named) if each in self.fields), "")


def typed_of(pieces: Sequence[Piece], spec: VMSpec) -> Typed:
    """What would have to be typed for this spec in all pieces."""
    return {path: text for piece in pieces for path, text in piece.typed(spec).items()}


def numbers_of(where: str, given: Given) -> list[int]:
    """The numbers of the parts (disks, nics) of which something was typed."""
    path = re.compile(rf"{where}\.([0-9]{{1,3}})\.\w+")
    return sorted({int(found[1]) for name in given if (found := path.fullmatch(name))})[:_MOST_PARTS]


def with_part(where: str, first: str, given: Given) -> Typed:
    """What was typed, and one more part, of which `first` is a field."""
    numbers = numbers_of(where, given)
    return {**given, f"{where}.{numbers[-1] + 1 if numbers else 0}.{first}": ""}


def without_part(which: str, given: Given) -> Typed:
    """What was typed but for the part `which` (disks.1); the numbers of those after it close up."""
    where, _dot, number = which.partition(".")
    kept = [each for each in numbers_of(where, given) if str(each) != number]
    found = {name: text for name, text in given.items() if not name.startswith(f"{where}.")}
    for new, old in enumerate(kept):
        start = f"{where}.{old}."
        found |= {
            f"{where}.{new}.{name.removeprefix(start)}": text for name, text in given.items() if name.startswith(start)
        }
    return found
