"""The one place that decides who may do what.

Nothing else reads `is_superuser`, guardian's tables, roles' grants or group membership. `can`, `verbs_on` and `held`
answer for one object, `visible` filters a queryset; all are made of the same ways in (`permissions.policy.ways`), which
follow the declaration (`permissions.access`) on the model. Nothing is kept from one request to the next: a grant
withdrawn or ended counts at once.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from objectlog.words import gettext, told
from permissions.models import User
from permissions.policy.acting import may_act_for, may_look_after, may_speak_as, teams_to_act_for
from permissions.policy.endings import find_endings, last_endings
from permissions.policy.given import Given, find_given
from permissions.policy.holders import count_holders, find_candidates, find_grants, granted_roles, granted_verbs
from permissions.policy.holdings import (
    Holding,
    find_holdings,
    find_holdings_by_role,
    find_holdings_everywhere,
    find_holdings_of,
    find_holdings_of_team,
    list_people,
)
from permissions.policy.lists import (
    as_statement,
    condition,
    count_read_ahead,
    held_by_parent,
    is_held_somewhere,
    means,
    read_ahead,
)
from permissions.policy.reach import Covered, holds_everywhere, reach_kept, verbs_by_reach
from permissions.policy.rowtest import among
from permissions.policy.sources import GrantKey, Source, find_sources
from permissions.policy.verdicts import OTHER_SITE_VERB, SITE_VERBS, Allowed, Denied, SiteVerb, Verdict
from permissions.policy.ways import access_of, grant_tables
from ui.kept import Condition, Kept

__all__ = [
    "SITE_VERBS",
    "Actor",
    "Allowed",
    "Denied",
    "Given",
    "GrantKey",
    "Holding",
    "SiteVerb",
    "Source",
    "Verdict",
    "access_of",
    "among",
    "as_statement",
    "by_parent",
    "can",
    "can_somewhere",
    "count_holders",
    "count_read_ahead",
    "find_endings",
    "find_given",
    "find_grants",
    "find_holdings",
    "find_holdings_by_role",
    "find_holdings_everywhere",
    "find_holdings_of",
    "find_holdings_of_team",
    "grant_tables",
    "granted_roles",
    "granted_verbs",
    "held",
    "held_until",
    "is_administrator",
    "last_endings",
    "list_people",
    "may_act_for",
    "may_look_after",
    "may_speak_as",
    "means_visible",
    "reach_kept",
    "read_ahead",
    "read_visible",
    "sifting",
    "teams_to_act_for",
    "verbs_on",
    "visible",
    "visible_by_parent",
    "who_may",
]

M = TypeVar("M", bound=Model)
Actor = User | AnonymousUser
SUPERUSER = "superuser"


def is_administrator(person: User) -> bool:
    """Whether an account is that of somebody who may do everything, while it is active: for pages of accounts."""
    return bool(person.is_superuser)


def visible(user: Actor, verb: str, queryset: QuerySet[M]) -> QuerySet[M]:
    """The rows of `queryset` on which `user` may do `verb` (`view`: which they may see at all)."""
    access_of(queryset.model)
    if not isinstance(user, User) or not user.is_active:
        return queryset.none()
    if user.is_superuser:
        return queryset
    return queryset.filter(condition(user, verb, queryset.model))


def means_visible(user: Actor, verb: str, model: type[Model], column: str, *, looked_up: bool = False) -> Q | None:
    """Of another table: that `column` is the key of a row of `model` on which `user` may do `verb`; None if of none.

    Rows are `looked_up` by it where they are few, else each is tested as it comes by. Of who may do everything nobody
    needs to ask.
    """
    access_of(model)
    if not isinstance(user, User) or not user.is_active:
        return None
    return means(user, verb, model, column, looked_up=looked_up)


def read_visible(user: Actor, verb: str, kept: Kept, **given: Any) -> list[Any]:
    """What `kept` is asked for, of the same rows of its model as are `visible`, with what is `given` to it."""
    which = sifting(user, verb, kept.model)
    return [] if which is False else kept.read(None if which is True else which, **given)


def sifting(user: Actor, verb: str, model: type[Model], *, of_few: bool = False) -> Condition | bool:
    """By what the rows on which `user` may do `verb` are told from the others; whether it is all of them, or none.

    `of_few`: where a query is about few rows anyway, each of them is tested instead of looking up all that is held.
    """
    access_of(model)
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or as_statement(condition(user, verb, model, of_few=of_few), model)


def visible_by_parent(user: Actor, verb: str, queryset: QuerySet[M]) -> tuple[QuerySet[Any], QuerySet[M]]:
    """The same rows in two: the parents all of whose rows are among them (of every such row of the table, whatever
    `queryset` leaves out), and the rows of `queryset` that belong to no such parent."""
    field: Any = queryset.model._meta.get_field(access_of(queryset.model).parent)
    parents = field.related_model._default_manager.order_by()
    covered, rows = by_parent(user, verb, queryset.model)
    if not covered.everything:
        parents = parents.filter(pk__in=covered.parents)
    return parents, queryset.filter(rows).exclude(**{f"{field.name}__in": parents.values("pk")})


def by_parent(user: Actor, verb: str, model: type[Model]) -> tuple[Covered, Q]:
    """By which parents and by which condition they are told: these alone are none of them for their parent."""
    if not isinstance(user, User) or not user.is_active:
        return Covered(), Q(pk__in=[])
    return (Covered(everything=True), Q(pk__in=[])) if user.is_superuser else held_by_parent(user, verb, model)


def can(user: Actor, verb: str, obj: Model | None = None) -> Verdict:
    """Whether `user` may do `verb` on `obj` (None: something of the site, see SITE_VERBS)."""
    if not isinstance(user, User):
        return Denied(gettext("Sign in first."))
    if not user.is_active:
        return Denied(gettext("This account is disabled."))
    if user.is_superuser:
        return Allowed("administrator")
    if obj is None:
        declared = SITE_VERBS.get(verb, OTHER_SITE_VERB)
        if declared.for_staff and user.is_staff:
            return Allowed("staff")
        if declared.held_on is not None and holds_everywhere(user, *declared.held_on):
            return Allowed("role")
        return Denied(told(declared.refusal))
    return Allowed() if verb in verbs_on(user, obj) else Denied(access_of(type(obj)).refuse(verb))


def can_somewhere(user: User, verb: str, model: type[Model], among: Collection[int] | None = None) -> bool:
    """Whether `user` may do `verb` on something of a kind to which others belong, as clusters, if there is any; where
    it is known which there are, on one `among` these keys."""
    if user.is_active and user.is_superuser:
        return among is None or bool(among)
    return user.is_active and is_held_somewhere(user, verb, model, among)


def verbs_on(user: Actor, obj: Model) -> frozenset[str]:
    """Every verb that `user` may do on `obj`: the same answer as `can` for each verb, in one query; in none where the
    reach of their rights is kept and tells it."""
    if isinstance(user, User) and user.is_active and not user.is_superuser:
        by_reach = verbs_by_reach(user, obj)
        if by_reach is not None:
            return by_reach
    return frozenset(source.verb for source in held(user, obj))


def held(user: Actor, obj: Model, *, with_ended: bool = False) -> list[Source]:
    """Why `user` may do what they may on `obj`: each verb with each of its sources; those that have ended if wanted."""
    access = access_of(type(obj))
    if not isinstance(user, User) or not user.is_active:
        return []
    if user.is_superuser:
        return [Source(verb, SUPERUSER) for verb in sorted(access.every)]
    now = timezone.now()
    return [source for source in find_sources(user, obj) if with_ended or not source.has_ended(now)]


def held_until(user: Actor, verb: str, obj: Model) -> datetime | None:
    """When `user` can do `verb` on `obj` no more if nobody gives them more; None: no end is set."""
    ends = [source.until for source in held(user, obj) if source.verb == verb]
    return max((end for end in ends if end is not None), default=None) if None not in ends else None


def who_may(verb: str, obj: Model) -> list[User]:
    """Everybody who may do `verb` on `obj`, by name: for explanations, not for pages of many."""
    return [user for user in find_candidates(obj) if can(user, verb, obj)]
