"""Reading people and personas."""

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from permissions.models import Persona, User


def list_personas_of(user: User) -> QuerySet[Persona]:
    """The personas as which `user` may act: their own, and those of their groups."""
    return (Persona.objects.filter(user=user) | Persona.objects.filter(group__user=user)).distinct()


def order_by_name(personas: QuerySet[Persona]) -> QuerySet[Persona]:
    """By user name or group name."""
    return personas.select_related("user", "group").order_by(Coalesce("user__username", "group__name"))


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
