"""Signing in, signing out, changing one's own password."""

from typing import Any

from allauth.account import views
from allauth.account.forms import ChangePasswordForm, LoginForm
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.edit import FormView

from people.directory.accounts import keeper_of
from people.mailing import can_send, tell_of_password
from people.passkeys import has_name
from people.registering import is_open
from people.signing_in import record_password_change, refuse_uncounted
from permissions.signed_in import find_person, person_of
from permissions.viewing import record_viewing, view_as, viewer_of


class SignInForm(LoginForm):
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = gettext_lazy("User name")
        self.fields["login"].error_messages["required"] = gettext_lazy("Enter your user name.")
        self.fields["login"].widget.attrs |= {"spellcheck": "false", "autocapitalize": "none", "autofocus": True}
        self.fields["password"].label = gettext_lazy("Password")
        self.fields["password"].error_messages["required"] = gettext_lazy("Enter your password.")
        self.fields["password"].help_text = ""
        _without_placeholders(self)


class SignIn(views.LoginView):
    """Asks for name and password and returns to where one wanted to go, if that is ours."""

    form_class = SignInForm
    template_name = "people/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only while attempts can be counted."""
        response: HttpResponseBase = refuse_uncounted(request) or super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Without links to allauth's other pages, which do not exist here."""
        return {
            **FormView.get_context_data(self, **kwargs),
            "next": self.get_next_url() or "",
            "can_send": can_send(),
            "can_use_passkeys": has_name(self.request),
            "was_refused": self.request.GET.get("passkey") == "refused",
            "providers": settings.GWM_OPENID_PROVIDERS,
            "may_register": is_open(),
        }


class SignOut(views.LogoutView):
    """By POST alone."""

    http_method_names = ["post"]

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever looks at the pages as somebody else ends that first: it is they who sign out."""
        viewer, person = viewer_of(self.request), find_person(self.request)
        if viewer is not None and person is not None:
            view_as(self.request, None)
            record_viewing(viewer, person, begins=False)
            self.request.user = viewer
        response: HttpResponse = super().post(*args, **kwargs)
        return response


class OwnPasswordForm(ChangePasswordForm):
    """The password that one has, and the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = gettext_lazy("Current password")
        self.fields["oldpassword"].help_text = ""
        self.fields["password1"].label = gettext_lazy("New password")
        self.fields["password1"].help_text = password_validators_help_text_html()
        self.fields["password2"].label = gettext_lazy("New password again")
        self.fields["oldpassword"].error_messages["required"] = gettext_lazy("Enter your current password.")
        self.fields["password1"].error_messages["required"] = gettext_lazy("Enter a new password.")
        self.fields["password2"].error_messages["required"] = gettext_lazy("Enter the new password again.")
        _without_placeholders(self)


class ChangePassword(views.PasswordChangeView):
    """One's own password; all other sessions of the person end with the old one."""

    form_class = OwnPasswordForm
    template_name = "people/password_change.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Not for accounts whose password is kept elsewhere."""
        if (keeper := keeper_of(person_of(request))) is not None:
            where = f" {keeper.password_url}" if keeper.password_url else ""
            raise PermissionDenied(_("Your password is kept by %s. Change it there.") % keeper.name + where)
        if not person_of(request).has_usable_password():
            raise PermissionDenied(_("Your account has no password here. Ask your administrator."))
        response: HttpResponseBase = refuse_uncounted(request) or super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: OwnPasswordForm) -> HttpResponse:
        """Change it and write the journal, both or neither."""
        person = person_of(self.request)
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            record_password_change(person)
            tell_of_password(person)
        messages.success(self.request, _("Password changed. You are signed out everywhere else."))
        return response


def _without_placeholders(form: Any) -> None:
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
