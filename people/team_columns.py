"""What teams and their members can be asked for, and the columns of their lists."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.template import Context
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from permissions.models import User
from ui.columns import Column, ago, number
from ui.filtering import Language, of_moment, of_number, of_text
from ui.tables import Table, declare
from ui.templatetags.buttons import small_action
from ui.templatetags.parts import draw, linked
from ui.templatetags.places import page
from ui.templatetags.units import DASH


def _with_member(name: str) -> Q:
    return Q(pk__in=User.objects.filter(username__iexact=name).values("groups"))


TEAMS = Language(
    keys={
        "name": of_text(
            _("name"), "name:web", lambda value: Q(name__icontains=value), equals=lambda value: Q(name__iexact=value)
        ),
        "member": of_text(_("user name of a member"), "member:alice", _with_member),
        "members": of_number(_("members"), "members>5", "members"),
        "machines": of_number(_("machines"), "machines>0", "machines"),
    },
    word=lambda value: Q(name__icontains=value),
    says=_("name, or member: members: machines:"),
)


def _team(team: Any, _context: Context) -> SafeString:
    return linked(page("team", team.name), team.name)


def _mine(team: Any, context: Context) -> object:
    held = context["held_on"].get(team.pk, ())
    words = gettext("you are an admin") if "admin" in held else gettext("you may act for it") if "act" in held else ""
    return draw('<span class="dim">{}</span>', words) if words else DASH


TEAM_TABLE = declare(
    Table(
        name="teams",
        title=_("Teams"),
        kind="team",
        language=TEAMS,
        order="name",
        fields=("name",),
        columns=(
            Column(
                name="name",
                label=_("Name"),
                cell=_team,
                values={"name": lambda team: team.name},
                sort=("name",),
                stands="name",
                width=320,
                is_fixed=True,
            ),
            Column(
                name="mine",
                label=_("Your rights"),
                cell=_mine,
                values={},
                width=200,
                css="p2",
            ),
            number("members", name="members", label=_("Members"), fields=(), sort=("members", "name")),
            number("machines", name="machines", label=_("Machines"), fields=(), sort=("machines", "name")),
        ),
    )
)

MEMBERS = Language(
    keys={
        "name": of_text(
            _("user name"),
            "name:alice",
            lambda value: Q(username__icontains=value),
            equals=lambda value: Q(username__iexact=value),
        ),
        "joined": of_moment(_("when the account was made"), "joined>2026-11-01", "date_joined"),
    },
    word=lambda value: Q(username__icontains=value) | Q(first_name__icontains=value) | Q(last_name__icontains=value),
    says=_("user name or name"),
)


def _member(person: Any, _context: Context) -> SafeString:
    inactive = draw(' <span class="chip">{}</span>', gettext("deactivated")) if not person.is_active else ""
    claimed = draw(' <span class="chip">{}</span>', gettext("by sign-in provider")) if person.is_claimed else ""
    return draw("<div><strong>{}</strong>{}{}</div>", person.username, inactive, claimed)


def _may(person: Any, context: Context) -> object:
    verbs, by_team = context["held_by"].get(person.pk, set()), {"act"} & context["held_by_team"]
    words = {"admin": gettext("team admin"), "act": gettext("acts for the team")}
    if not verbs and by_team:
        return draw('<span class="dim">{}</span>', words["act"])
    verbs = {"admin"} if "admin" in verbs else verbs | by_team  # it includes the others
    said = [draw('<span class="chip">{}</span>', words.get(verb, verb)) for verb in sorted(verbs)]
    return draw(f'<span class="chips">{"{}" * len(said)}</span>', *said) if said else DASH


def _changes(person: Any, context: Context) -> object:
    where, name = context["team"].name, person.username
    is_admin = "admin" in context["held_by"].get(person.pk, ())
    turn = ("remove-admin", gettext("Remove as admin")) if is_admin else ("add-admin", gettext("Make admin"))
    links = [
        small_action(f"{reverse('team-do', args=[where, verb])}?{urlencode({'who': name})}", label, name)
        for verb, label in (turn, ("remove-member", gettext("Remove")))
    ]
    return draw("{} {}", *links)


MEMBER_TABLE = declare(
    Table(
        name="members",
        title=_("Members"),
        kind="person",
        language=MEMBERS,
        order="name",
        fields=("username", "is_active"),
        columns=(
            Column(
                name="name",
                label=_("User name"),
                cell=_member,
                values={"name": lambda person: person.username},
                sort=("username",),
                stands="name",
                width=220,
                is_fixed=True,
            ),
            Column(
                name="full_name",
                label=_("Name"),
                cell=lambda person, _context: person.get_full_name() or DASH,
                values={"full_name": lambda person: person.get_full_name()},
                fields=("first_name", "last_name"),
                sort=("first_name", "last_name", "username"),
                width=200,
            ),
            Column(name="may", label=_("Rights"), cell=_may, values={}, width=180),
            ago("date_joined", name="joined", label=_("Account made"), is_extra=True),
            Column(name="change", label=_("Change"), cell=_changes, values={}, css="num", width=240, is_fixed=True),
        ),
    )
)
