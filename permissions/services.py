"""Changes to personas, grants and roles. The only writers of their tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from django.db.models import Model
from django.utils import timezone

from objectlog.words import gettext as _
from permissions.access import Access
from permissions.models import (
    ClaimedMembership,
    KeepsNames,
    Persona,
    Role,
    RoleGrant,
    RoleVerb,
    Team,
    User,
    content_type_of,
)
from permissions.policy import access_of, grant_tables
from permissions.selectors import EVERY_LIST, list_teams
from ui.tables import Choice


class UnknownVerb(ValueError):
    """A verb that cannot be granted on this kind of object."""


class BadScope(ValueError):
    """A scope that a role cannot have; the text says why."""


def delete_account(person: User) -> None:
    """With what is theirs; what they granted, asked for or decided stays, and says by whom."""
    with transaction.atomic():
        for table in apps.get_models():
            if issubclass(table, KeepsNames):
                for field, name in table.former_names.items():
                    table._default_manager.filter(**{field: person}).update(**{name: person.username})
        person.delete()


def persona_of(who: User | Group) -> Persona:
    """The persona of a person or a group, made at first use."""
    if isinstance(who, User):
        own = Persona.objects.get_or_create(user=who)[0]
        own.user = who
        return own
    return Persona.objects.get_or_create(group_id=who.pk)[0]


def keep_choice(user: User, name: str, choice: Choice) -> None:
    """Keep what a person chose for a list; an empty choice is forgotten, and the list is as declared."""
    with transaction.atomic():
        row = User.objects.select_for_update().only("list_choices").get(pk=user.pk)
        kept = dict(row.list_choices) if isinstance(row.list_choices, dict) else {}
        kept.pop(name, None)
        if data := choice.as_data():
            kept[name] = data
        User.objects.filter(pk=user.pk).update(list_choices=kept or None)


def keep_rows(user: User, per_page: int | None) -> None:
    """Keep how many rows a person wants on a page of every list for which they chose nothing else; None: as set."""
    keep_choice(user, EVERY_LIST, Choice(per_page=per_page))


def keep_reading(user: User, *, language: str, time_zone: str, persona: Persona | None) -> None:
    """Keep in which language and by which clock a person reads, and as whom they act after signing in."""
    user.language, user.time_zone, user.default_persona = language, time_zone, persona
    user.save(update_fields=["language", "time_zone", "default_persona"])


def make_team(name: str, members: Iterable[User] = (), *, by: User | None = None) -> Team:
    """A team whose members may act for it."""
    with transaction.atomic():
        team = Team(name=name)
        team.save()
        team.user_set.set(members)
        grant(["act"], team, team, by=by)
    return team


def rename_team(team: Team, name: str) -> None:
    """Give a team another name; its rights, machines and quotas are tied to its row."""
    team.name = name
    team.save(update_fields=["name"])


def add_member(team: Team, who: User) -> None:
    """Make somebody a member by hand, who may do then what the team may."""
    with transaction.atomic():
        ClaimedMembership.objects.filter(team=team, person=who).delete()
        team.user_set.add(who)


def follow_claims(who: User, teams: Iterable[str], provider: str) -> tuple[list[Team], list[Team]]:
    """Make somebody a member of just these teams, as far as this provider decides; those joined, and those left.

    Teams that they are in by hand, or by another provider, they stay in.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=who.pk)  # two sign-ins at once: one after the other
        claimed = ClaimedMembership.objects.filter(person=who)
        ours = claimed.filter(provider=provider)
        wanted = {team.pk: team for team in list_teams().filter(name__in=set(teams))}
        left = [pk for pk in ours.values_list("team_id", flat=True) if pk not in wanted]
        ours.filter(team__in=left).delete()
        gone = list(list_teams().filter(pk__in=left).exclude(pk__in=claimed.values("team")))
        for team in gone:
            remove_member(team, who)
        member_of = set(who.groups.values_list("pk", flat=True))
        by_hand = member_of - set(claimed.values_list("team_id", flat=True))
        joined = [team for pk, team in wanted.items() if pk not in member_of]
        for pk, team in wanted.items():
            if pk not in by_hand:
                ClaimedMembership.objects.get_or_create(person=who, team=team, provider=provider)
            if pk not in member_of:
                team.user_set.add(who)
    return sorted(joined, key=str), gone


def remove_member(team: Team, who: User) -> None:
    """Take somebody out of a team, with what was granted to them on it."""
    with transaction.atomic():
        team.user_set.remove(who)
        ClaimedMembership.objects.filter(team=team, person=who).delete()
        revoke(list(access_of(Team).verbs), who, team)
        RoleGrant.objects.filter(**_subject(who), **_scope(team)).delete()


def grant(
    verbs: Sequence[str],
    to: User | Group,
    on: Model,
    *,
    by: User | None = None,
    until: datetime | None = None,
) -> None:
    """Give `to` the `verbs` on `on`, for good or until then; UnknownVerb names those that exist.

    What was held already is given anew, with this giver, time and end.
    """
    table, whom = _table_for(to, on)
    known = access_of(type(on)).verbs
    for verb in verbs:
        if table is None or verb not in known:
            raise UnknownVerb(f"“{verb}” cannot be granted on a {access_of(type(on)).noun}; known: {', '.join(known)}")
    rows = Permission.objects.filter(content_type=content_type_of(on), codename__in=verbs)
    story = _story(by, until)
    with transaction.atomic():
        for permission in rows:
            table.objects.update_or_create(permission=permission, content_object=on, **whom, defaults=story)


def revoke(verbs: Sequence[str], of: User | Group, on: models.Model) -> None:
    """Take the `verbs` on `on` from `of`; what was not held is passed over."""
    table, whom = _table_for(of, on)
    if table is not None:
        table.objects.filter(permission__codename__in=verbs, content_object=on, **whom).delete()


def make_role(name: str, verbs: Mapping[str, Iterable[str]], *, description: str = "") -> Role:
    """A role that holds these verbs by kind. IntegrityError if there is one of this name."""
    with transaction.atomic():
        role = Role.objects.create(name=name, description=description)
        _hold(role, verbs)
    return role


def change_role(role: Role, name: str, verbs: Mapping[str, Iterable[str]], *, description: str = "") -> None:
    """Make a role hold just these verbs by kind: who was granted it holds them from then on."""
    with transaction.atomic():
        role.name, role.description = name, description
        role.save(update_fields=["name", "description"])
        _hold(role, verbs)


def set_role(name: str, verbs: Mapping[str, Iterable[str]], *, description: str = "") -> Role:
    """The role of this name with just these verbs, whether there was one or not."""
    role = Role.objects.filter(name=name).first()
    if role is None:
        return make_role(name, verbs, description=description)
    change_role(role, name, verbs, description=description)
    return role


def delete_role(role: Role) -> None:
    """With all grants of it."""
    role.delete()


def _hold(role: Role, verbs: Mapping[str, Iterable[str]]) -> None:
    wanted = {(kind, verb) for kind, some in verbs.items() for verb in some}
    present = {(each.kind, each.verb): each.pk for each in role.verbs.all()}
    role.verbs.filter(pk__in=[pk for pair, pk in present.items() if pair not in wanted]).delete()
    RoleVerb.objects.bulk_create(
        RoleVerb(role=role, kind=kind, verb=verb) for kind, verb in sorted(wanted - present.keys())
    )


def grant_role(
    role: Role,
    to: User | Group,
    on: Model | None,
    *,
    tag: str = "",
    owner: Persona | None = None,
    by: User | None = None,
    until: datetime | None = None,
) -> RoleGrant:
    """Give `to` a role on an object, on what is in a cluster, or (None) on everything. BadScope.

    With `tag` or `owner` for such machines alone. What was held already is given anew.
    """
    if why := explain_scope(on, tag=tag, owner=owner):
        raise BadScope(why)
    place = _scope(on)
    values = _story(by, until)
    key = {"role": role, **_subject(to), **place, "tag": tag, "owner": owner}
    with transaction.atomic():
        Role.objects.select_for_update().get(pk=role.pk)  # two at once make one row
        return RoleGrant.objects.update_or_create(**key, defaults=values)[0]


def explain_scope(on: Model | None, *, tag: str = "", owner: Persona | None = None) -> str:
    """Why a role can't be granted on this; empty if it can."""
    if on is None:
        return ""
    access = access_of(type(on))
    if not access.kind:
        return _("A role cannot be granted on a %s.") % access.noun
    if (tag or owner) and access.owner:
        return _("A tag or an owner narrows a cluster or everything, not a single machine.")
    return ""


def revoke_role(role: Role, of: User | Group, on: Model | None, *, tag: str = "", owner: Persona | None = None) -> int:
    """Take a role back where it was given with just this scope; how many grants that were."""
    key = {**_subject(of), **_scope(on), "tag": tag, "owner": owner}
    return RoleGrant.objects.filter(role=role, **key).delete()[0]


def forget_grants_of_nothing() -> int:
    """Delete grants of roles on objects that are gone; they give nothing. How many."""
    gone = 0
    for model in apps.get_models():
        access = getattr(model, "access", None)
        if isinstance(access, Access) and access.kind:
            there = model._default_manager.order_by().values("pk")
            gone += RoleGrant.objects.filter(scope_kind=access.kind).exclude(scope_pk__in=there).delete()[0]
    return gone


def _story(by: User | None, until: datetime | None) -> dict[str, Any]:
    return {"granted_by": by, "former_giver": "", "granted_at": timezone.now(), "expires_at": until}


def _table_for(who: User | Group, on: Model) -> tuple[Any, dict[str, Any]]:
    tables = grant_tables(type(on))
    by_user, by_group = tables if tables is not None else (None, None)
    if isinstance(who, User):
        return by_user, {"user": who}
    return by_group, {"group_id": who.pk}


def _subject(who: User | Group) -> dict[str, Any]:
    return {"user": who, "group": None} if isinstance(who, User) else {"user": None, "group_id": who.pk}


def _scope(on: Model | None) -> dict[str, Any]:
    if on is None:
        return {"scope_kind": "", "scope_pk": None}
    return {"scope_kind": access_of(type(on)).kind, "scope_pk": on.pk}
