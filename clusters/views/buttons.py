"""Buttons: what one can do with an object."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import get_language

from operations.contract import AnyOperation
from operations.groups import Group
from operations.offers import Offer


@dataclass(frozen=True)
class Button:
    """An operation as ui/templatetags/buttons.py draws it. `is_page`: it leads to a page, not to a confirmation."""

    name: str
    label: str
    url: str
    icon: str
    allowed: bool
    reason: str = ""
    style: str = ""
    is_page: bool = False
    group: Group = Group.SETTINGS


def button_of(offer: Offer, url: str, *, style: str = "", is_page: bool = False) -> Button:
    """The button of an offer. What destroys something looks like it."""
    operation = offer.operation
    return Button(
        operation.verb,
        _label_of(get_language(), operation),
        url,
        operation.icon,
        offer.is_usable,
        offer.reason,
        style or ("danger" if operation.is_destructive else ""),
        is_page,
        operation.group,
    )


@lru_cache(maxsize=1024)
def _label_of(language: str | None, operation: AnyOperation) -> str:
    del language  # what is active
    return str(operation.label)


@dataclass(frozen=True)
class Section:
    """A part of a menu with its heading; a menu of one part needs none."""

    label: str | Promise
    buttons: Sequence[Button]


def menu_of(buttons: Sequence[Button]) -> list[Section]:
    """The menu of these buttons, group by group."""
    found = {group: [button for button in buttons if button.group is group] for group in Group}
    sections = [Section(group.label, some) for group, some in found.items() if some]
    return [Section("", sections[0].buttons)] if len(sections) == 1 else sections


def put_first(buttons: Sequence[Button], names: Sequence[str]) -> tuple[list[Button], list[Button]]:
    """The buttons that stand on the page, in the order of `names`, and those that go into the menu."""
    by_name = {button.name: button for button in buttons}
    first = [by_name[name] for name in names if name in by_name]
    return first, [button for button in buttons if button.name not in names]
