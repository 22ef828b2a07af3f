"""What accounts can be asked for, and the columns of their list."""

from typing import Any

from django.db.models import Q
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from permissions.models import User
from permissions.policy import is_administrator
from ui.columns import Column, ago, number, text
from ui.filtering import Language, of_choices, of_moment, of_number, of_text
from ui.tables import Table, declare
from ui.templatetags.parts import draw, linked, state
from ui.templatetags.places import page
from ui.templatetags.units import DASH

# Parts of the list, and what `status:` can be.
GROUPS: dict[str, tuple[Any, Q]] = {
    "active": (_("Active"), Q(is_active=True)),
    "deactivated": (_("Deactivated"), Q(is_active=False)),
    "administrator": (_("Administrators"), Q(is_superuser=True)),
}


def _named(value: str) -> Q:
    return Q(username__icontains=value) | Q(first_name__icontains=value) | Q(last_name__icontains=value)


def _in_team(name: str) -> Q:
    return Q(pk__in=User.objects.filter(groups__name__iexact=name).order_by().values("pk"))


PEOPLE = Language(
    keys={
        "name": of_text(_("user name or name"), "name:alice", _named, equals=lambda value: Q(username__iexact=value)),
        "email": of_text(_("email address"), "email:example.org", lambda value: Q(email__icontains=value)),
        "status": of_choices(_("state"), "status:deactivated", {name: each for name, (__, each) in GROUPS.items()}),
        "team": of_text(_("team"), "team:web", _in_team),
        "machines": of_number(_("number of machines"), "machines>10", "machines"),
        "joined": of_moment(_("when the account was added"), "joined>2026-11-01", "date_joined"),
        "seen": of_moment(_("when they last signed in"), "seen<2026-01-01", "last_login"),
    },
    word=lambda value: _named(value) | Q(email__icontains=value),
    says=_("name, email address, or status: team: seen:"),
    aliases={"group": "team"},
)


def state_of(person: Any) -> SafeString:
    """Whether an account can be used."""
    if person.is_active:
        return state(kind="ok", word=gettext("active"))
    return state(kind="off", word=gettext("deactivated"))


def _name(person: Any, _context: Context) -> SafeString:
    full = person.get_full_name()
    return draw(
        "<div>{}{}{}</div>",
        linked(page("person", person.username), person.username),
        draw(' <span class="dim">{}</span>', full) if full else "",
        draw(' <span class="chip">{}</span>', gettext("administrator")) if is_administrator(person) else "",
    )


def _teams(person: Any, _context: Context) -> object:
    return ", ".join(team.name for team in person.groups.all()) or DASH


PEOPLE_TABLE = declare(
    Table(
        name="people",
        title=_("People"),
        kind="person",
        language=PEOPLE,
        order="name",
        fields=("username", "is_active"),
        row_css=lambda person: "" if person.is_active else "is-dimmed",
        columns=(
            Column(
                name="status",
                label=_("State"),
                cell=lambda person, _context: state_of(person),
                values={"active": lambda person: person.is_active},
                sort=("is_active", "username"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="name",
                label=_("Name"),
                cell=_name,
                values={
                    "username": lambda person: person.username,
                    "name": lambda person: person.get_full_name(),
                    "administrator": is_administrator,
                },
                fields=("first_name", "last_name", "is_superuser"),
                sort=("username",),
                stands="name",
                width=300,
                is_fixed=True,
            ),
            text("email", name="email", label=_("Email address"), sort=("email", "username"), css="p2", width=220),
            Column(
                name="teams",
                label=_("Teams"),
                cell=_teams,
                values={"teams": lambda person: [team.name for team in person.groups.all()]},
                css="p1",
                width=180,
            ),
            number(
                "machines",
                name="machines",
                label=_("Machines"),
                about=_("How many machines they own"),
                fields=(),
                sort=("machines", "username"),
            ),
            ago("last_login", name="seen", label=_("Last sign-in")),
            ago("date_joined", name="joined", label=_("Added"), css="num dim p3"),
        ),
    )
)
