"""Before and after of a change, field by field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from objectlog.messages import Message, as_data, read

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


def as_rows(changes: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Label, before and after in the reader's language; of what is hidden, "changed" alone."""
    return [
        (_label_of(change), read(change["before"]), read(change["after"]))
        if "after" in change
        else (_label_of(change), "", gettext(_("changed")))
        for change in changes
    ]


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
