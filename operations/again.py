"""Asking once more for what failed or was refused: the page of its operation, filled in with what was asked for then.

Who asked is led there from whatever tells of it (the machine's page, that of the job, the journal); what somebody else
has typed is theirs. What an operation's form takes of what the journal keeps is for the form (`OperationForm.again`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from objectlog.models import Outcome
from objectlog.sentences import CHECK
from operations.table import OPERATIONS
from ui.places import OwnPage, find_own_page, has_pages, url_of

if TYPE_CHECKING:
    from operations.contract import AnyOperation
    from permissions.models import User

# What ended so was not done, or nobody can tell.
_BADLY = (Outcome.FAILED, Outcome.CANCELED, Outcome.REFUSED, Outcome.NOT_SUBMITTED, Outcome.LOST)
_AGAIN, _CHECK = "again", "check"


def again_url(user: User, entry: Any, place: Sequence[Any] | None) -> str:
    """Where `user` asks once more for what an entry of the journal, or its last event, tells of; empty: nowhere.

    `place`: where the pages of its target are, None if they may not see it. No query.
    """
    uuid = entry.entry_uuid if hasattr(entry, "entry_uuid") else entry.uuid
    key = entry.verb.removesuffix(CHECK)
    operation = OPERATIONS.get(key)
    if operation is None or uuid is None or entry.actor_id != user.pk or entry.outcome not in _BADLY:
        return ""
    page = find_own_page(key)
    if operation.has_own_page and page is None:
        return ""
    parameter = page.parameter if page is not None else _AGAIN if key == entry.verb else _CHECK
    there = _page_of(operation, page, entry.target_kind, place)
    return f"{there}?{urlencode({parameter: uuid})}" if there else ""


def _page_of(operation: AnyOperation, page: OwnPage | None, kind: str, place: Sequence[Any] | None) -> str:
    if page is not None and not page.is_of_target:
        return reverse(page.url_name)
    if place is None or not has_pages(kind):
        return ""
    try:
        if page is not None:
            return url_of(kind, place, page.url_name)
        return url_of(kind, place, f"{kind}-do", operation.verb)
    except NoReverseMatch:  # an odd name that could not stand in a URL
        return ""
