"""Reading people and personas."""

from django.contrib.auth.models import Group

from permissions.models import Persona, User


def find_user(name: str) -> User | None:
    """The person with this user name."""
    return User.objects.filter(username=name).first()


def find_group(name: str) -> Group | None:
    """The group with this name."""
    return Group.objects.filter(name=name).first()


def find_persona(user: User, group_name: str) -> Persona | None:
    """The persona of one of the person's groups, by the group's name; made at first use."""
    group = user.groups.filter(name=group_name).first()
    return Persona.objects.get_or_create(group=group)[0] if group is not None else None
