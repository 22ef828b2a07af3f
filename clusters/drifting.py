"""What of a row was changed past this program, in words. `clusters.sync.drift` notes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_noop

from clusters.models import Node, Watched
from objectlog.changes import Change


@dataclass(frozen=True)
class Field:
    """What a field is called, and how its values are written."""

    label: str
    show: Callable[[Any], Any] = str
    is_hidden: bool = False


_OF_NODES: Mapping[str, Field] = {
    "name": Field(gettext_noop("name")),
    "group": Field(gettext_noop("node group")),
    "primary_ip": Field(gettext_noop("address")),
    "secondary_ip": Field(gettext_noop("secondary address")),
}


def tell_drift(
    row: Watched,
    fields: Mapping[str, Field],
    other: Callable[[str], tuple[Field, Any]] | None = None,
    *,
    sees_all: bool = True,
) -> list[Change]:
    """Before and after of each field; `other` knows those that are no column, with what they are now."""
    told = []
    for path, before in row.drift.items():
        field = fields.get(path)
        if field is not None:
            after: Any = getattr(row, path)
            after = str(after) if isinstance(after, Model) else after
        elif other is not None:
            field, after = other(path)
        else:
            continue
        is_hidden = field.is_hidden and not sees_all
        told.append(Change(path, field.label, _shown(field, before), _shown(field, after), is_hidden=is_hidden))
    return told


def tell_drift_of_node(node: Node) -> list[Change]:
    """Before and after of each."""
    return tell_drift(node, _OF_NODES)


def _shown(field: Field, value: Any) -> Any:
    return "" if value in (None, "") else field.show(value)
