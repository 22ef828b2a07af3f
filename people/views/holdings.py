"""What somebody or a team holds, wherever: the rows of the pages that tell it."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from people.views.everywhere import door_to
from people.views.rights import typed_for
from permissions.kinds import kind_of
from permissions.policy import Holding, access_of
from ui.places import url_of


@dataclass(frozen=True)
class Row:
    """What was given in one way: where, what, and what can be done about it."""

    held: Holding
    name: str
    belongs_to: str
    url: str
    change: str = ""
    revoke: str = ""


def row_of(held: Holding, back: str) -> Row:
    """It is changed where it was given, and one comes `back` then; without that nothing is changed from here."""
    if held.on is None:
        revoke = door_to("revoke-role", {**typed_for(held), "next": back}) if back else ""
        return Row(held, _("everything"), "", reverse("site-rights") if back else "", "", revoke)
    parent = access_of(type(held.on)).parent
    told = str(held.on), str(getattr(held.on, parent) or "") if parent else "", kind_of(held.on).url_of(held.on)
    if not back:
        return Row(held, *told)
    who = {"who": held.name, "next": back}
    if held.role is None:
        return Row(held, *told, door_on(held.on, "set-rights", who), door_on(held.on, "revoke", who))
    return Row(held, *told, "", door_on(held.on, "revoke-role", {**typed_for(held), "next": back}))


def door_on(obj: Model, verb: str, filled: dict[str, str]) -> str:
    """Where this is done to an object; empty where it has no such page."""
    kind = kind_of(obj)
    try:
        return f"{url_of(kind.name, kind.place_of(obj), f'{kind.name}-do', verb)}?{_as_query(*filled.items())}"
    except NoReverseMatch:
        return ""


# Most of those of a page are the same: it tells what one person or team holds.
@lru_cache(maxsize=256)
def _as_query(*filled: tuple[str, str]) -> str:
    return urlencode(filled)
