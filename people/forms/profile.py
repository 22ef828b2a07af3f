"""What one is asked about oneself."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from people.directory.accounts import has_password
from people.forms.lines import LineField
from people.languages import list_zones
from permissions.models import Persona, User
from permissions.policy import can, teams_to_act_for
from permissions.selectors import find_persona_to_act_as
from ui.listing import PAGE_SIZES
from ui.names import NameInput


class ProfileForm(forms.Form):
    """Names, how many rows a list has where nothing else was chosen for it, and how one is spoken to.

    As whom one acts after signing in is asked of those alone who may act for others.
    """

    first_name = LineField(
        label=gettext_lazy("First name"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = LineField(
        label=gettext_lazy("Last name"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    per_page = forms.TypedChoiceField(
        label=gettext_lazy("Rows on a page"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", gettext_lazy("as this service has it")), *((size, str(size)) for size in PAGE_SIZES)],
        help_text=gettext_lazy("For lists for which you have chosen nothing else."),
    )

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("as the browser asks for")), *settings.LANGUAGES],
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        choices=lambda: [("", gettext_lazy("that of the browser")), *((name, name) for name in list_zones())],
        help_text=gettext_lazy("Of the times on pages, the days of the journal, and the times you type."),
    )
    persona = forms.CharField(
        label=gettext_lazy("After signing in, act for"),
        required=False,
        max_length=151,
        help_text=gettext_lazy("A team as @team; empty: yourself."),
        widget=NameInput(teams=True),
    )

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person
        if not can(person, "act_as_anybody") and not teams_to_act_for(person).exists():
            del self.fields["persona"]

    def clean_persona(self) -> Persona | None:
        """One as whom the person may act; none for themselves."""
        name = str(self.cleaned_data["persona"]).strip()
        if name in ("", self.person.username):
            return None
        found = find_persona_to_act_as(self.person, name)
        if found is None:
            raise forms.ValidationError(_("You may not act for %s.") % name)
        return found


class EmailForm(forms.Form):
    """The new address, and the password: who finds a session open must not take the account over by mail.

    Who has no password here has shown before who they are.
    """

    email = forms.EmailField(
        label=gettext_lazy("New email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": gettext_lazy("Enter an email address.")},
    )
    password = forms.CharField(
        label=gettext_lazy("Current password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Enter your current password.")},
    )

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person
        if not has_password(person):
            del self.fields["password"]

    def clean_email(self) -> str:
        """Another one than before."""
        email = str(self.cleaned_data["email"])
        if email == self.person.email:
            raise forms.ValidationError(_("This is your email address already."))
        return email

    def clean_password(self) -> str:
        """One's own; attempts are counted like those to sign in."""
        password = str(self.cleaned_data["password"])
        if not get_adapter().reauthenticate(self.person, password):
            raise forms.ValidationError(_("Wrong password"))
        return password
