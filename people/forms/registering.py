"""What one is asked before one has an account."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.utils.translation import gettext, gettext_lazy

from people.forms.accounts import longest
from people.forms.lines import LineField
from people.registering import Registration, is_welcome


class RegisterForm(forms.Form):
    """The email address. Nothing is looked up here."""

    email = forms.EmailField(
        label=gettext_lazy("Email address"),
        max_length=254,
        error_messages={"required": gettext_lazy("Enter your email address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )

    def clean_email(self) -> str:
        """Only of the domains that may."""
        address: str = self.cleaned_data["email"]
        if not is_welcome(address):
            raise forms.ValidationError(gettext("Only addresses of certain organisations can register here."))
        return address


class OwnAccountForm(forms.Form):
    """What one wants to be called, and the password twice."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=longest("username"),
        help_text=gettext_lazy("Letters, digits, and @ . + - _; it stays as it is."),
        error_messages={"required": gettext_lazy("Enter a user name.")},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    first_name = LineField(
        label=gettext_lazy("First name"),
        required=False,
        max_length=longest("first_name"),
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = LineField(
        label=gettext_lazy("Last name"),
        required=False,
        max_length=longest("last_name"),
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    password1 = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=4096,
        error_messages={"required": gettext_lazy("Enter a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=gettext_lazy("Password again"),
        strip=False,
        max_length=4096,
        error_messages={"required": gettext_lazy("Enter the password again.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = password_validators_help_text_html()

    def clean(self) -> dict[str, Any]:
        """Twice the same."""
        given = super().clean() or {}
        if given.get("password1") and given.get("password2") and given["password1"] != given["password2"]:
            self.add_error("password2", gettext("You must type the same password each time."))
        return given

    @property
    def registration(self) -> Registration:
        """As it is registered."""
        given = self.cleaned_data
        return Registration(given["username"], given["password1"], given["first_name"], given["last_name"])
