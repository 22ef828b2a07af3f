"""Before and after of a change, field by field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from objectlog.messages import NOTHING, Message, as_data, read
from ui.templatetags.units import DASH

# So many are told in a sentence; the others are counted.
TOLD = 4
# Of longer values a sentence tells only that they were changed.
LONGEST = 80


@dataclass(frozen=True)
class Change:
    """One field: its name, its label as a gettext message id or a message, its value before and after (`None`: none).

    Of what `is_hidden` (secrets, long texts) only that it was changed is known, and kept.
    """

    field: str
    label: str | Message
    before: Any = None
    after: Any = None
    is_hidden: bool = False

    def as_data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        kept = {"field": self.field, "label": as_data(self.label)}
        return kept if self.is_hidden else {**kept, "before": as_data(self.before), "after": as_data(self.after)}


class Tags(str):
    """Tags in a text; `tags` are they one by one, so that a page can colour them."""

    __slots__ = ("tags",)
    tags: tuple[str, ...]


def _tags_of(value: Any) -> str:
    """From what is kept of them: a list, or a text with commas between them."""
    found = value.split(", ") if isinstance(value, str) else value
    text = Tags(read(value))
    text.tags = tuple(each for each in found if each and each not in (DASH, NOTHING)) if isinstance(found, list) else ()
    return text


def as_rows(changes: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Label, before and after in the reader's language; of what is hidden, "changed" alone."""
    return [(_label_of(change), *_values_of(change)) for change in changes]


def _values_of(change: Mapping[str, Any]) -> tuple[str, str]:
    if "after" not in change:
        return "", gettext(_("changed"))
    shown = _tags_of if change.get("field") == "tags" else read
    return shown(change["before"]), shown(change["after"])


def _label_of(change: Mapping[str, Any]) -> str:
    label = change["label"]
    return gettext(label) if isinstance(label, str) else read(label)


def _tell_one(label: str, before: str, after: str) -> str:
    if len(before) + len(after) > LONGEST:
        before, after = "", gettext(_("changed"))
    return f"{label} {before} → {after}" if before else f"{label} {after}"


def tell(changes: Sequence[Mapping[str, Any]]) -> str:
    """Changes in words, "trust pin → CA, password changed"; what was set or removed as a whole is not told."""
    told = [change for change in changes if "after" not in change or None not in (change["before"], change["after"])]
    words = [_tell_one(*row) for row in as_rows(told)]
    if len(words) > TOLD:
        more = gettext(_("%(count)s more")) % {"count": len(words) - TOLD}
        words = [*words[:TOLD], more]
    return ", ".join(words)
