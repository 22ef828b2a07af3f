"""What one is asked about oneself."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from permissions.models import User
from ui.listing import PAGE_SIZES


class ProfileForm(forms.Form):
    """Names, and how many rows a list has on a page where nothing else was chosen for it."""

    first_name = forms.CharField(
        label=gettext_lazy("First name"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
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


class EmailForm(forms.Form):
    """The new address, and the password: who finds a session open must not take the account over by mail."""

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
