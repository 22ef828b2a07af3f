"""Reading people, teams, roles and personas."""

from typing import Any

from django.db.models import QuerySet

from permissions.models import Persona, Role, Team, User


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


def find_role(name: str) -> Role | None:
    """The role with this name."""
    return Role.objects.filter(name=name).first()


def list_verbs(role: Role) -> list[str]:
    """What a role holds, each "kind.verb"."""
    return sorted(f"{each.kind}.{each.verb}" for each in role.verbs.all())


def find_persona(user: User, group_name: str) -> Persona | None:
    """The persona of one of the person's groups, by the group's name; made at first use."""
    group = user.groups.filter(name=group_name).first()
    return Persona.objects.get_or_create(group=group)[0] if group is not None else None
