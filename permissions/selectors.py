"""Reading people, teams, roles and personas."""

from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from permissions.models import Persona, Role, Team, User
from permissions.policy import can, teams_to_act_for
from ui.tables import Choice

# Among what is kept for lists by their names, what counts for all of them.
EVERY_LIST = "*"


def find_user(name: str) -> User | None:
    """The person with this user name."""
    return User.objects.filter(username=name).first()


def find_group(name: str) -> Team | None:
    """The team with this name."""
    return list_teams().filter(name=name).first()


def list_teams() -> QuerySet[Team]:
    """All teams. Django's stubs take them for groups."""
    teams: Any = Team._default_manager.order_by("name")
    found: QuerySet[Team] = teams
    return found


def pick_team(teams: QuerySet[Team], name: str) -> Team:
    """The one of `teams` with this name. Http404."""
    found = teams.filter(name=name).first()
    if found is None:
        raise Http404(_("There is no team %s that you may see.") % name)
    return found


def find_role(name: str) -> Role | None:
    """The role with this name."""
    return Role.objects.filter(name=name).first()


def list_roles() -> QuerySet[Role]:
    """All roles with what they hold, by name."""
    return Role.objects.prefetch_related("verbs").order_by("name")


def list_roles_to_look_at(user: User) -> QuerySet[Role]:
    """The same, for who changes them or audits everything; who grants one there needs no more than their names."""
    return list_roles() if can(user, "change_roles") or can(user, "see_journal_of_all") else Role.objects.none()


def pick_role(roles: QuerySet[Role], name: str) -> Role:
    """The one of `roles` with this name. Http404."""
    found = roles.filter(name=name).first()
    if found is None:
        raise Http404(_("There is no role “%s”.") % name)
    return found


def has_role_called(name: str, *, besides: Role | None = None) -> bool:
    """Whether another role has this name, in whatever case."""
    roles = Role.objects.filter(name__iexact=name)
    return (roles.exclude(pk=besides.pk) if besides is not None else roles).exists()


def list_verbs(role: Role) -> list[str]:
    """What a role holds, each "kind.verb"."""
    return sorted(f"{each.kind}.{each.verb}" for each in role.verbs.all())


def find_persona(user: User, name: str) -> Persona | None:
    """As whom `user` may act, by name: their own, or a team's (with or without @); made at first use."""
    if name == user.username:
        return Persona.objects.get_or_create(user=user)[0]
    team = teams_to_act_for(user).filter(name=name.removeprefix("@")).first()
    return Persona.objects.get_or_create(group_id=team.pk)[0] if team is not None else None


def find_persona_of_anybody(name: str) -> Persona | None:
    """The persona of this person or (with @) team, whoever asks; made at first use."""
    if name.startswith("@"):
        team = find_group(name.removeprefix("@"))
        return Persona.objects.get_or_create(group_id=team.pk)[0] if team is not None else None
    person = User.objects.filter(username=name, is_active=True).first()
    return Persona.objects.get_or_create(user=person)[0] if person is not None else None


def find_persona_to_act_as(user: User, name: str) -> Persona | None:
    """The same where a team is named with @ alone, and superusers may name anybody."""
    if name == user.username or name.startswith("@"):
        return find_persona(user, name)
    return find_persona_of_anybody(name) if can(user, "act_as_anybody") else None


def find_acted_as(user: User, key: int) -> Persona | None:
    """The persona with this key, if `user` may act for it. One query."""
    personas = Persona.objects.select_related("user", "group").filter(pk=key)
    if not can(user, "act_as_anybody"):
        personas = personas.filter(Q(user=user) | Q(group__in=teams_to_act_for(user)))
    return personas.first()


def name_of_persona(persona: Persona) -> str:
    """What one types for a persona: a user name, or @ and the name of a team."""
    return f"@{persona.name}" if persona.group_id is not None else persona.name


def list_personas(user: User, first: Persona | None = None) -> list[Persona]:
    """All as whom `user` may act, made at first use: the one they act as, they themselves, then teams by name."""
    own = Persona.objects.get_or_create(user=user)[0]
    teams = [Persona.objects.get_or_create(group_id=team.pk)[0] for team in teams_to_act_for(user)]
    return list(dict.fromkeys([*([first] if first is not None else []), own, *teams]))


def choice_of(user: User, name: str) -> Choice:
    """What `user` chose for the list of this name; it was read with the person."""
    kept = user.list_choices
    if not isinstance(kept, dict):
        return Choice()
    own = Choice.read(kept.get(name))
    return own if own.per_page else replace(own, per_page=rows_of(user))


def rows_of(user: User) -> int | None:
    """How many rows `user` wants on a page of every list; None: as set."""
    kept = user.list_choices
    return Choice.read(kept.get(EVERY_LIST)).per_page if isinstance(kept, dict) else None
