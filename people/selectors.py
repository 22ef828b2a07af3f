"""Reading accounts."""

from typing import Any

from django.db import connection
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.translation import gettext as _

from people.account_names import find_alike
from permissions.models import ClaimedMembership, SshKey, Team, Token, User
from permissions.policy import can, find_holdings, visible
from permissions.selectors import list_teams, pick_team
from virtualmachines.models import VirtualMachine


def list_people(user: User) -> QuerySet[User]:
    """The accounts that a person may see: all, or their own."""
    people = User.objects.order_by("username")
    return people if can(user, "see_people") else people.filter(pk=user.pk, is_active=True)


def pick_person(people: QuerySet[User], name: str) -> User:
    """The one of `people` with this user name. Http404."""
    found = people.filter(username=name).first()
    if found is None:
        raise Http404(_("There is no account %s that you may see.") % name)
    return found


def list_administrators() -> list[User]:
    """Those who may do everything."""
    return list(User.objects.filter(is_superuser=True, is_active=True).order_by("pk"))


def lock_administrators() -> list[User]:
    """Those who may do everything, locked until the transaction ends. OperationalError if somebody has locked one.

    It does not wait: two who take each other's rights away would wait for each other. Where no transaction runs, a page
    asks whether to do it, and locks nothing.
    """
    if not connection.in_atomic_block:
        return list_administrators()
    found = User.objects.select_for_update(nowait=True).filter(is_superuser=True, is_active=True)
    return list(found.order_by("pk"))


def count_machines(person: User) -> int:
    """How many machines a person owns."""
    return VirtualMachine.objects.filter(owner__user=person).count()


def list_keys(user: User) -> QuerySet[SshKey]:
    """The SSH keys that a person may see."""
    keys = SshKey.objects.filter(person__in=list_people(user))
    return keys.select_related("person").order_by("person__username", "pk")


def pick_key(keys: QuerySet[SshKey], name: str, fingerprint: str) -> SshKey:
    """The key of the person `name` with this fingerprint. Http404."""
    found = keys.filter(person__username=name, fingerprint=fingerprint).first()
    if found is None:
        raise Http404(_("There is no such key that you may see."))
    return found


def list_tokens(user: User) -> QuerySet[Token]:
    """The tokens that a person may see."""
    tokens = Token.objects.filter(person__in=list_people(user))
    return tokens.select_related("person").order_by("person__username", "name")


def pick_token(tokens: QuerySet[Token], name: str, token: str) -> Token:
    """The token of the person `name` that is called so. Http404."""
    found = tokens.filter(person__username=name, name=token).first()
    if found is None:
        raise Http404(_("There is no such token that you may see."))
    return found


def list_team_rows(user: User) -> QuerySet[Team]:
    """The teams a person may see, with how many members and machines each has."""
    members = User.groups.through._default_manager.filter(group=OuterRef("pk")).order_by()
    machines = VirtualMachine.objects.filter(owner__group=OuterRef("pk"), missing_since__isnull=True).order_by()
    rows: Any = visible(user, "view", list_teams())
    found: QuerySet[Team] = rows.annotate(members=_number_of(members), machines=_number_of(machines))
    return found


def _number_of(rows: QuerySet[Any]) -> Any:
    """How many rows a subquery finds."""
    return Coalesce(Subquery(rows.annotate(number=Func(F("pk"), function="COUNT")).values("number")), 0)


def get_team(user: User, name: str) -> Team:
    """The team of this name, if the person may see it. Http404."""
    return pick_team(visible(user, "view", list_teams()), name)


def list_members(team: Team) -> QuerySet[User]:
    """Who is in a team, and whether a sign-in provider says so."""
    claimed = ClaimedMembership.objects.filter(team=team.pk, person=OuterRef("pk"))
    return User.objects.filter(groups=team.pk).annotate(is_claimed=Exists(claimed)).order_by("username")


def list_keys_of_team(team: Team) -> QuerySet[SshKey]:
    """The SSH keys of its members."""
    members = list_members(team).filter(is_active=True).order_by().values("pk")
    return SshKey.objects.filter(person__in=members).select_related("person").order_by("person__username", "pk")


def verbs_by_person(team: Team) -> tuple[dict[int, set[str]], set[str]]:
    """What was given on a team to single people, by their keys, and what to the team itself."""
    people: dict[int, set[str]] = {}
    own: set[str] = set()
    for each in find_holdings(team):
        if not each.is_team:
            people.setdefault(each.who.pk, set()).update(each.gives - {"view"})
        elif each.who.pk == team.pk:
            own |= each.gives
    return people, own


def is_member(team: Team, who: User) -> bool:
    """Whether somebody is in a team."""
    return User.objects.filter(pk=who.pk, groups=team.pk).exists()


def is_member_by_hand(team: Team, who: User) -> bool:
    """Whether somebody is in a team, and not only because a sign-in provider says so."""
    return is_member(team, who) and not ClaimedMembership.objects.filter(team=team.pk, person=who).exists()


def find_team_alike(name: str, *, besides: Team | None = None) -> str:
    """The name of another team that people would take for this one, or that is this one; empty if there is none."""
    teams = list_teams().exclude(pk=besides.pk) if besides is not None else list_teams()
    return find_alike(name, teams.values_list("name", flat=True))


def count_machines_of_team(team: Team) -> int:
    """How many machines a team owns."""
    return VirtualMachine.objects.filter(owner__group=team.pk).count()


def held_on_teams(user: User, teams: Any) -> dict[int, set[str]]:
    """What a person may do with these teams, by their keys: act for them, or more."""
    found: dict[int, set[str]] = {}
    keys = [team.pk for team in teams]
    for verb in ("admin", "act"):
        for pk in visible(user, verb, list_teams()).filter(pk__in=keys).values_list("pk", flat=True):
            found.setdefault(pk, set()).add(verb)
    return found


def find_names(user: User, text: str, *, teams: bool, most: int) -> list[tuple[str, str]]:
    """People whose user name or name begins so, and (with @) teams, as far as `user` knows of them: at most so many.

    Who sees all accounts knows everybody; others who is in a team with them, and the teams that they may see.
    """
    found: list[tuple[str, str]] = []
    if teams:
        names = visible(user, "view", list_teams()).filter(name__istartswith=text.removeprefix("@"))
        found = [(f"@{name}", "") for name in names.values_list("name", flat=True)[:most]]
    if text.startswith("@"):
        return found
    people = User.objects.filter(is_active=True).filter(
        Q(username__istartswith=text) | Q(first_name__istartswith=text) | Q(last_name__istartswith=text)
    )
    if not can(user, "see_people"):
        people = people.filter(Q(pk=user.pk) | Q(groups__in=user.groups.all())).distinct()
    rows = people.order_by("username")[:most]
    return [*((each.username, each.get_full_name()) for each in rows), *found][:most]
