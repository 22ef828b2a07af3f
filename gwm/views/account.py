"""Signing in and out."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView


class SignInForm(AuthenticationForm):
    """Django's, with errors that say what to do."""

    error_messages = {
        "invalid_login": "This user name and password do not belong together. Both are case-sensitive.",
        "inactive": "This account is switched off. Ask an administrator.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"
        self.fields["username"].error_messages["required"] = "Type your user name."
        self.fields["password"].error_messages["required"] = "Type your password."
        if isinstance(self.fields["username"].widget, forms.TextInput):
            self.fields["username"].widget.attrs["spellcheck"] = "false"


class SignIn(LoginView):
    """Asks for name and password and returns to where one wanted to go (Django checks that it is ours)."""

    template_name = "gwm/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """By POST alone."""
