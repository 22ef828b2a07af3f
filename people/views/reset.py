"""A new password for who has forgotten the old one, by a link that is mailed."""

from typing import Any

from allauth.account import views
from allauth.account.forms import ResetPasswordKeyForm, UserTokenForm
from django import forms
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.base import TemplateView
from django.views.generic.edit import FormView

from people.directory.accounts import keeper_of
from people.mailing import ask_for_reset, can_send, tell_of_password
from people.signing_in import record_password_reset, refuse_uncounted


class ForgotForm(forms.Form):
    """The email address of one's account. Nothing is looked up here."""

    email = forms.EmailField(
        label=gettext_lazy("Email address"),
        max_length=254,
        error_messages={"required": gettext_lazy("Enter your email address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )

    def save(self, request: HttpRequest) -> None:
        """Have the mail sent."""
        ask_for_reset(self.cleaned_data["email"], request.META["REMOTE_ADDR"])


class Forgot(views.PasswordResetView):
    """Asks for the address, and answers the same whether or not anybody has it."""

    form_class = ForgotForm
    template_name = "people/forgot.html"
    success_url = reverse_lazy("forgot-password-sent")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only while requests can be counted; a service without mail says so."""
        if not can_send():
            closed: HttpResponse = self.render_to_response({"can_send": False})
            return closed
        response: HttpResponseBase = refuse_uncounted(request) or super().dispatch(request, *args, **kwargs)
        return response

    def get_form_class(self) -> type[ForgotForm]:
        """Ours."""
        return self.form_class

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Without links to allauth's other pages."""
        return {**FormView.get_context_data(self, **kwargs), "can_send": True}


class ForgotSent(TemplateView):
    """Says what happens next."""

    template_name = "people/forgot.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """See the class."""
        return {**super().get_context_data(**kwargs), "can_send": can_send(), "is_sent": True}


class LinkForm(UserTokenForm):
    """The two parts of the link; those of an account that is switched off mean nothing."""

    def _get_user(self, uidb36: str) -> Any:
        person = super()._get_user(uidb36)
        # Nor does a link that was mailed before set a password beside the one that a directory keeps.
        return person if person is not None and person.is_active and keeper_of(person) is None else None


class NewPasswordForm(ResetPasswordKeyForm):
    """The new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = gettext_lazy("New password")
        self.fields["password1"].help_text = password_validators_help_text_html()
        self.fields["password2"].label = gettext_lazy("New password again")
        self.fields["password1"].error_messages["required"] = gettext_lazy("Enter a new password.")
        self.fields["password2"].error_messages["required"] = gettext_lazy("Enter the new password again.")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class NewPassword(views.PasswordResetFromKeyView):
    """Sets it, once for each link. All sessions of the person end with the old one."""

    form_class = NewPasswordForm
    template_name = "people/new_password.html"
    success_url = reverse_lazy("login")

    def get_form_class(self) -> type[NewPasswordForm]:
        """Ours."""
        return self.form_class

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Without links to allauth's other pages; no form where the link is no good."""
        if kwargs.get("token_fail"):
            return {"token_fail": True}
        return {**FormView.get_context_data(self, **kwargs), "name": self.reset_user.get_username()}

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """A link that is no good leads nowhere."""
        status = 404 if context.get("token_fail") else 200
        response: HttpResponse = super().render_to_response(context, **{"status": status, **kwargs})
        return response

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        """Set it and write the journal, both or neither."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            record_password_reset(self.reset_user, self.request.META["REMOTE_ADDR"])
            tell_of_password(self.reset_user)
        messages.success(self.request, _("Password set. Sign in with it."))
        return response
