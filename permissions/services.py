"""Changes to personas and grants. The only writers of guardian's tables."""

from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Model
from guardian.shortcuts import assign_perm, remove_perm

from permissions.models import Persona, User
from permissions.policy import access_of


class UnknownVerb(ValueError):
    """A verb that cannot be granted on this kind of object."""


def persona_of(who: User | Group) -> Persona:
    """The persona of a person or a group, made at first use."""
    if isinstance(who, User):
        return Persona.objects.get_or_create(user=who)[0]
    return Persona.objects.get_or_create(group=who)[0]


def grant(verbs: Sequence[str], to: User | Group, on: Model) -> None:
    """Give `to` the `verbs` on `on`; UnknownVerb names those that exist."""
    known = access_of(type(on)).verbs
    for verb in verbs:
        if verb not in known:
            raise UnknownVerb(f"“{verb}” cannot be granted on a {access_of(type(on)).noun}; known: {', '.join(known)}")
    for verb in verbs:
        assign_perm(verb, to, on)


def revoke(verbs: Sequence[str], of: User | Group, on: models.Model) -> None:
    """Take the `verbs` on `on` from `of`; what was not held is passed over."""
    for verb in verbs:
        remove_perm(verb, of, on)
