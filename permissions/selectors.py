"""Reading people and personas."""

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from permissions.models import Persona, User


def list_personas_of(user: User) -> QuerySet[Persona]:
    """The personas as which `user` may act: their own, and those of their groups."""
    return (Persona.objects.filter(user=user) | Persona.objects.filter(group__user=user)).distinct()


def order_by_name(personas: QuerySet[Persona]) -> QuerySet[Persona]:
    """By user name or group name."""
    return personas.select_related("user", "group").order_by(Coalesce("user__username", "group__name"))
