"""What is done to teams: administrators make and delete them, whoever has `admin` on one looks after it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy, gettext_noop

from objectlog.changes import Change
from objectlog.services import Target
from objectlog.words import gettext as _
from objectlog.words import moment, ngettext
from operations.contract import Ask, Claims, Invalid, NoParams, Operation, Site
from people.selectors import count_machines_of_team, find_team_alike, is_member, is_member_by_hand
from permissions.models import Team, User
from permissions.policy import Verdict, can, granted_verbs, held_until
from permissions.services import add_member, grant, make_team, remove_member, rename_team, revoke

P = TypeVar("P")
# What a name may be made of: it stands in URLs, after @, and between commas.
_NAME = re.compile(r"\w([\w .+-]*[\w.+-])?")
_LONGEST = Team._meta.get_field("name").max_length or 150


@dataclass(frozen=True)
class TeamParams:
    """The name of a team."""

    name: str = ""


@dataclass(frozen=True)
class MemberParams:
    """Which of the people there are."""

    who: User


class _OnTeams(Operation[Team, P]):
    kind = "team"
    needs = "admin"
    icon = "people"
    sends = False
    needs_target = False
    locks = False

    def target_of(self, target: Any) -> Target:
        return Target(self.kind, target.pk, f"@{target.name}")


class CreateTeam(Operation[Site, TeamParams]):
    """Make a team, without members yet, whose members may act for it."""

    kind = "team"
    verb = "create"
    label = gettext_lazy("Create team")
    needs = "change_teams"
    icon = "plus"
    sends = False
    locks = False
    has_own_page = True
    is_on_site = True
    params_type = TeamParams

    def check(self, ask: Ask[Site, TeamParams]) -> None:
        _judge_name(ask.params.name)

    def target_of(self, target: Any) -> Target:
        return Target("team", target.pk, f"@{target.name}") if isinstance(target, Team) else Target("team", None, "")

    def claim(self, ask: Ask[Site, TeamParams], entry: UUID) -> Claims:
        try:
            with transaction.atomic():
                return Claims(made=make_team(ask.params.name, by=ask.actor.user))
        except IntegrityError as error:  # somebody was faster
            raise Invalid({"name": _taken(ask.params.name)}) from error

    def perform(self, ask: Ask[Site, TeamParams]) -> str:
        return ""


class RenameTeam(_OnTeams[TeamParams]):
    """Give a team another name: rights, machines and quotas stay its own."""

    verb = "rename"
    label = gettext_lazy("Rename")
    icon = "edit"
    question = gettext_lazy("Rename team {target}?")
    consequence = gettext_lazy("Owner tags in Ganeti say the old name until they are written again.")
    params_type = TeamParams

    def check(self, ask: Ask[Team, TeamParams]) -> None:
        _judge_name(ask.params.name, ask.target)

    def changes(self, ask: Ask[Team, TeamParams]) -> Sequence[Change]:
        old, new = ask.target.name, ask.params.name
        return [Change("name", gettext_noop("name"), old, new)] if old != new else []

    def alters(self, ask: Ask[Team, TeamParams], changes: Sequence[Change]) -> bool:
        return bool(changes)

    def perform(self, ask: Ask[Team, TeamParams]) -> str:
        try:
            with transaction.atomic():
                rename_team(ask.target, ask.params.name)
        except IntegrityError as error:
            raise Invalid({"name": _taken(ask.params.name)}) from error
        return ""


class DeleteTeam(_OnTeams[NoParams]):
    """Delete a team with what was granted to it, and with its quotas; its machines stay, without owner."""

    verb = "delete"
    label = gettext_lazy("Delete team")
    needs = "change_teams"
    icon = "trash"
    is_destructive = True
    wants_typed_name = True
    question = gettext_lazy("Delete team {target}?")
    consequence = gettext_lazy(
        "Its members lose what they could do through it. Its machines stay and have no owner then; its quotas go."
    )

    def judge(self, ask: Ask[Team, NoParams]) -> Verdict:
        return can(ask.actor.user, self.needs)

    def perform(self, ask: Ask[Team, NoParams]) -> str:
        machines = count_machines_of_team(ask.target)
        ask.target.delete()
        if not machines:
            return ""
        return ngettext("%d machine has no owner now.", "%d machines have no owner now.", machines) % machines


class _OnMembers(_OnTeams[MemberParams]):
    params_type = MemberParams

    def journal_params(self, params: MemberParams) -> dict[str, Any]:
        return {"who": params.who.username}


class AddMember(_OnMembers):
    """Put somebody into a team: they may do from then on what the team may."""

    verb = "add-member"
    label = gettext_lazy("Add member")
    icon = "plus"
    question = gettext_lazy("Add a member to {target}?")

    def check(self, ask: Ask[Team, MemberParams]) -> None:
        if is_member_by_hand(ask.target, ask.params.who):
            raise Invalid({"who": _("%s is a member already.") % ask.params.who})

    def perform(self, ask: Ask[Team, MemberParams]) -> str:
        add_member(ask.target, ask.params.who)
        return ""


class _OnThoseInIt(_OnMembers):
    def check(self, ask: Ask[Team, MemberParams]) -> None:
        if not is_member(ask.target, ask.params.who):
            raise Invalid({"who": _not_in_it(ask)})


class RemoveMember(_OnThoseInIt):
    """Take somebody out of a team, with what was granted to them on it."""

    verb = "remove-member"
    label = gettext_lazy("Remove member")
    icon = "close"
    is_destructive = True
    question = gettext_lazy("Remove a member of {target}?")
    consequence = gettext_lazy("What was granted to them on the team goes, too. Machines of the team stay the team's.")

    def perform(self, ask: Ask[Team, MemberParams]) -> str:
        remove_member(ask.target, ask.params.who)
        return ""


class AddAdmin(_OnThoseInIt):
    """Let a member look after the team."""

    verb = "add-admin"
    label = gettext_lazy("Make team admin")
    icon = "shield"
    question = gettext_lazy("Make a member admin of {target}?")
    consequence = gettext_lazy("Team admins change its name, its members and the rights on it.")

    def check(self, ask: Ask[Team, MemberParams]) -> None:
        super().check(ask)
        if "admin" in granted_verbs(ask.params.who, ask.target):
            raise Invalid({"who": _("%s is an admin of the team already.") % ask.params.who})

    def perform(self, ask: Ask[Team, MemberParams]) -> str:
        end = held_until(ask.actor.user, "admin", ask.target)
        grant(["admin"], ask.params.who, ask.target, by=ask.actor.user, until=end)
        return "" if end is None else _("They are admin until %s, as you are.") % moment(end)


class RemoveAdmin(_OnMembers):
    """Make a team admin an ordinary member."""

    verb = "remove-admin"
    label = gettext_lazy("Remove team admin")
    icon = "shield"
    is_destructive = True
    question = gettext_lazy("Take the rights of an admin of {target} away?")
    consequence = gettext_lazy("They stay a member.")

    def check(self, ask: Ask[Team, MemberParams]) -> None:
        if "admin" not in granted_verbs(ask.params.who, ask.target):
            raise Invalid({"who": _("%s is no admin of the team.") % ask.params.who})

    def perform(self, ask: Ask[Team, MemberParams]) -> str:
        revoke(["admin"], ask.params.who, ask.target)
        return ""


def _judge_name(name: str, own: Team | None = None) -> None:
    """Raise Invalid for one that nobody could type, or that another team has."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        words = _("A name has letters, digits, spaces and any of . _ + -, begins with a letter or digit, and is short.")
        raise Invalid({"name": words})
    if alike := find_team_alike(name, besides=own):
        raise Invalid({"name": _taken(alike)})


def _taken(name: str) -> str:
    return _("There is a team “%s” already.") % name


def _not_in_it(ask: Ask[Team, MemberParams]) -> str:
    return _("%(who)s is no member of %(team)s.") % {"who": ask.params.who, "team": ask.target}
