"""For whom somebody may act: themselves, and teams they are in and have the right to act for; and whose account they
may look after."""

from typing import Any

from django.db.models import QuerySet

from objectlog.words import gettext as _
from permissions.models import Persona, Team, User
from permissions.policy.lists import condition
from permissions.policy.verdicts import Allowed, Denied, Verdict


def teams_to_act_for(user: User) -> QuerySet[Team]:
    """The teams, by name; a superuser may act for all of them."""
    teams: Any = Team._default_manager.order_by("name")
    found: QuerySet[Team] = teams
    if not user.is_active:
        return found.none()
    return found if user.is_superuser else found.filter(condition(user, "act", Team), user=user)


def may_act_for(user: User, persona: Persona) -> Verdict:
    """Whether what `user` does may be done as `persona`: owned by it, and charged to its quota."""
    if user.is_active and (
        persona.user_id == user.pk
        or user.is_superuser
        or (persona.group_id is not None and teams_to_act_for(user).filter(pk=persona.group_id).exists())
    ):
        return Allowed()
    return Denied(_("You may not act for %s.") % persona)


def may_look_after(user: User, person: User) -> Verdict:
    """Whether what belongs to the account of `person` (keys, tokens) may be changed by `user`: oneself, or an
    administrator. Nobody who administers a team, a cluster or a machine gets at anybody's account by that."""
    if user.is_active and (user.is_superuser or user.pk == person.pk):
        return Allowed()
    return Denied(_("You may look after your own account only."))


def may_speak_as(user: User, person: User) -> Verdict:
    """Whether a script may be let in by `user` in the name of `person`: nobody's but one's own, whoever one is."""
    if user.is_active and user.pk == person.pk:
        return Allowed()
    return Denied(_("You may make tokens for yourself only."))
