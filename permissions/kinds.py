"""The table of kinds: what there is, and for each kind its model, how it is named and found, and where its pages are.

Each app puts its own in, from its module `kinds`, so that what works on all kinds alike (the command line, the page
behind a button, batches, links of jobs and journal) asks here and knows none of them. Their tabs and lists stand in
`ui.places`, what one may hold on them in the model's `access`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import NoReverseMatch

from permissions.models import Team, User
from permissions.policy import access_of, visible
from permissions.selectors import list_teams, pick_team
from ui.listed import one_by_one
from ui.places import has_pages, page_of


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    `typed` is what a command calls one, and `pattern` takes that apart into what its URL calls it. `rows` are those
    that a person may see, and `pick` finds one of some rows by what its URL calls it (Http404). `place` are the
    arguments of its pages' URLs, for which these columns are `needed`. `in_ganeti` is Ganeti's word for it, and
    `journal` the verb with which one may read what was done to it. `get` finds one for a person, where there is more to
    say of one that is not there than `pick` knows.
    """

    name: str
    model: type[Model]
    typed: str
    pattern: str
    rows: Callable[[User], QuerySet[Any]]
    pick: Callable[..., Any]
    place: Callable[[Any], tuple[Any, ...]] = lambda obj: ()
    needed: tuple[str, ...] = ()
    named: Callable[[Any], str] = str
    in_ganeti: str = ""
    journal: str = ""
    get: Callable[..., Any] | None = None

    @property
    def noun(self) -> str:
        """What one is called in a sentence."""
        return str(access_of(self.model).noun)

    @property
    def grantable(self) -> frozenset[str]:
        """The verbs that can be granted on one."""
        return frozenset(access_of(self.model).verbs)

    def find(self, user: User, **where: Any) -> Any:
        """The one that `where` in a URL means, if the person may see it. Http404; Moved where it has another URL."""
        return self.get(user, **where) if self.get is not None else self.pick(self.rows(user), **where)

    def parse(self, text: str) -> dict[str, str] | None:
        """What a command calls it, as a URL would; None if no object of this kind can be called that."""
        found = re.fullmatch(self.pattern, text)
        return found.groupdict() if found else None

    def place_of(self, obj: Any) -> tuple[Any, ...]:
        """The arguments of its pages' URLs."""
        return self.place(obj)

    def url_of(self, obj: Any) -> str:
        """The page of one; empty where there is none."""
        if not has_pages(self.name):
            return ""
        try:
            return page_of(self.name, *self.place(obj))
        except NoReverseMatch:  # an odd name that could not stand in a URL
            return ""


KINDS: dict[str, Kind] = {}


def add_kind(kind: Kind) -> None:
    """Put a kind into the table. ValueError if there is one of that name, or of that model, already."""
    if any(each.name == kind.name or each.model is kind.model for each in KINDS.values()):
        raise ValueError(f"There are two kinds “{kind.name}”, or two of its model.")
    KINDS[kind.name] = kind


def kind_of(obj: Model) -> Kind:
    """The kind of an object. LookupError if it is of none."""
    for kind in KINDS.values():
        if isinstance(obj, kind.model):
            return kind
    raise LookupError(f"Objects of {type(obj).__name__} are of no kind.")


def name_of_kind(in_ganeti: str) -> str:
    """Our name of what Ganeti calls so; empty if it is none of the kinds here."""
    return next((kind.name for kind in KINDS.values() if kind.in_ganeti and kind.in_ganeti == in_ganeti), "")


def places_of(user: User, keys: Iterable[tuple[str, int | None]]) -> dict[tuple[str, int | None], tuple[Any, ...]]:
    """Where the pages of objects, given by kind and key, are, as far as `user` may see them. A query for each kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for name, pk in keys:
        if pk is not None and name in KINDS and has_pages(name):
            wanted[name].add(pk)
    places: dict[tuple[str, int | None], tuple[Any, ...]] = {}
    for name, pks in wanted.items():
        kind = KINDS[name]
        related = {column.rpartition("__")[0] for column in kind.needed} - {""}
        rows = one_by_one(visible(user, "view", kind.model._default_manager.order_by())).filter(pk__in=pks)
        rows = rows.select_related(*related) if related else rows
        places |= {(name, row.pk): kind.place_of(row) for row in rows.only(*kind.needed)}
    return places


add_kind(
    Kind(
        "team",
        Team,
        typed="@TEAM",
        pattern=r"@(?P<name>.+)",
        rows=lambda user: visible(user, "view", list_teams()),
        pick=pick_team,
        place=lambda team: (team.name,),
        needed=("name",),
        journal="audit",
    )
)
