"""What one is asked about teams."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.forms import OperationForm, asks_for
from permissions.models import Persona, User
from permissions.selectors import find_persona_to_act_as, find_user
from ui.names import NameInput


class PersonField(forms.CharField):
    """The user name of somebody there is."""

    widget = NameInput

    def clean(self, value: Any) -> User | None:
        """Whoever is meant."""
        text = str(super().clean(value)).strip()
        found = find_user(text) if text else None
        if text and found is None:
            raise forms.ValidationError(_("There is no user “%s”.") % text)
        return found


@asks_for("team.create")
@asks_for("team.rename")
class TeamForm(OperationForm):
    """What it is called."""

    name = forms.CharField(label=gettext_lazy("Name"))

    def fit(self) -> None:
        """A new name begins as the old one."""
        self.initial.setdefault("name", getattr(self.target, "name", ""))


@asks_for("team.add-member")
class MemberForm(OperationForm):
    """Who."""

    who = PersonField(label=gettext_lazy("Who"), help_text=gettext_lazy("The user name of somebody with an account."))

    from_address = ("who",)


@asks_for("team.remove-member")
@asks_for("team.add-admin")
@asks_for("team.remove-admin")
class ThoseInItForm(MemberForm):
    """Which member."""

    who = PersonField(label=gettext_lazy("Member"))


class ActingForm(forms.Form):
    """As whom one acts: oneself, a team, and for administrators anybody."""

    persona = forms.CharField(
        label=gettext_lazy("Act for"),
        max_length=151,
        help_text=gettext_lazy("A team as @team; administrators may name a person, too."),
        widget=NameInput(teams=True),
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    def clean_persona(self) -> Persona:
        """One as whom the person may act; others and those who are not there get the same answer."""
        name = str(self.cleaned_data["persona"]).strip()
        found = find_persona_to_act_as(self.user, name)
        if found is None:
            raise forms.ValidationError(_("You may not act for %s.") % name)
        return found


class ViewAsForm(forms.Form):
    """As whom one looks."""

    who = PersonField(label=gettext_lazy("Who"))

    def clean_who(self) -> User:
        """Somebody who can sign in."""
        who: User = self.cleaned_data["who"]
        if not who.is_active:
            raise forms.ValidationError(_("%s is deactivated and sees nothing.") % who)
        return who
