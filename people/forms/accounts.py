"""What one is asked about an account."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy, pgettext_lazy

from operations.contract import AnyOperation
from operations.forms import OperationForm, asks_for
from people.forms.lines import LineField
from people.mailing import can_send
from people.openid.accounts import list_providers_of
from people.operations.accounts import NewAccountParams, make_password
from people.ways import Way, find_way
from permissions.models import User


def longest(name: str) -> int | None:
    """How long what is known of a person may be."""
    field: Any = User._meta.get_field(name)
    longest: int | None = field.max_length
    return longest


class _PasswordField(forms.CharField):
    """A password is taken as it is, blanks included."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(
            required=required,
            label=gettext_lazy("Password"),
            strip=False,
            max_length=4096,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        )


@asks_for("person.edit")
class AccountForm(OperationForm):
    """Address and names; what is not said stays as it is."""

    email = forms.EmailField(label=gettext_lazy("Email address"), required=False, max_length=longest("email"))
    first_name = LineField(label=gettext_lazy("First name"), required=False, max_length=longest("first_name"))
    last_name = LineField(label=gettext_lazy("Last name"), required=False, max_length=longest("last_name"))

    def fit(self) -> None:
        for name in ("email", "first_name", "last_name"):
            self.fields[name].initial = getattr(self.target, name, "")

    def clean(self) -> dict[str, Any]:
        """Nothing for what was left out."""
        given = super().clean() or {}
        return {name: value if name in self.data else None for name, value in given.items()}


@asks_for("person.add")
class NewAccountForm(AccountForm):
    """The same, with the name and the first password, or an invitation in its place."""

    username = forms.CharField(label=gettext_lazy("User name"), max_length=longest("username"))
    password = _PasswordField(required=False)
    invite = forms.BooleanField(label=gettext_lazy("Invite by mail"), required=False)

    def clean(self) -> dict[str, Any]:
        """Nothing for what was left out."""
        given = super().clean()
        return {**given, **{name: given.get(name) or empty for name, empty in (("password", ""), ("invite", False))}}


class AddAccountForm(AccountForm):
    """The same on a page, which makes the password itself."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=longest("username"),
        help_text=gettext_lazy("Letters, digits, and @ . + - _; it stays as it is."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    how = forms.ChoiceField(
        label=gettext_lazy("First password"),
        choices=[
            ("show", gettext_lazy("Make one, and show it once")),
            ("invite", gettext_lazy("Mail a link with which they choose one")),
        ],
        initial="show",
        widget=forms.RadioSelect,
    )
    field_order = ("username", "first_name", "last_name", "email", "how")

    def fit(self) -> None:
        super().fit()
        if not can_send():
            self.fields["how"].widget = forms.HiddenInput()
            self.fields["how"].required = False  # the page doesn't ask; who asks all the same is told why not

    def params(self, operation: AnyOperation) -> Any:
        """With a password that nobody has chosen."""
        given = dict(self.cleaned_data)
        is_invited = given.pop("how") == "invite"
        return NewAccountParams(**given, password="" if is_invited else make_password(), invite=is_invited)


@asks_for("person.set-password")
class PasswordForm(OperationForm):
    """A new password."""

    password = _PasswordField()


@asks_for("person.use-email")
class UseEmailForm(OperationForm):
    """What stands in the link."""

    token = forms.CharField(label=pgettext_lazy("in a mail", "Link"), max_length=1000)


class _ProviderField(forms.ChoiceField):
    """One of those that are connected."""

    def clean(self, value: Any) -> Way | None:
        """The provider."""
        return find_way(str(super().clean(value)))


@asks_for("person.disconnect")
class DisconnectForm(OperationForm):
    """Which provider."""

    provider = _ProviderField(label=gettext_lazy("Sign in with"))

    def fit(self) -> None:
        connected = list_providers_of(self.target) if isinstance(self.target, User) else []
        field: Any = self.fields["provider"]
        field.choices = [(provider.key, provider.name) for provider in connected]
