"""Asks for one's password, or a passkey, once more, before what can't be undone."""

from typing import Any

from allauth.account import views
from allauth.account.forms import ReauthenticateForm
from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import BaseReauthenticateView
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.generic.edit import FormView

from operations.views.operate import OperateView
from people.demanding import alone
from people.directory.accounts import has_password
from people.factors import list_factors
from people.openid.accounts import list_connected
from people.passkeys import NoPasskey, ask_to_show
from people.proving import can_prove, has_own_proof, prove_first
from people.showing import take_code, take_passkey
from people.signing_in import refuse_uncounted
from people.views.second_factor import UNREADABLE, CodeForm
from permissions.signed_in import person_of
from sealing.fields import SecretUnreadable


class PasswordAgainForm(ReauthenticateForm):
    """One's password; attempts are counted like those to sign in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["password"]
        field.label, field.help_text = gettext_lazy("Your password"), ""
        field.error_messages["required"] = gettext_lazy("Enter your password.")
        field.widget.attrs.pop("placeholder", None)


class CodeAgainForm(CodeForm):
    """A code, of whoever has no password here."""

    def __init__(self, *args: Any, user: Any, request: HttpRequest, **options: Any) -> None:
        super().__init__(*args, has_app=True, **options)
        self._person, self._request = user, request

    def clean_code(self) -> str:
        """Used up by this."""
        code: str = self.cleaned_data["code"]
        try:
            found = take_code(self._request, self._person, code)
        except SecretUnreadable as error:
            raise forms.ValidationError(str(UNREADABLE)) from error
        if found is None:
            raise forms.ValidationError(_("This code is wrong, or was used already."))
        return code


class PasswordAgain(views.ReauthenticateView):
    """Takes a password or a passkey, of whoever has no password a code; leads back to where it was asked for."""

    template_name = "people/again.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """For who has something to show here, and only while attempts can be counted."""
        if not can_prove(person_of(request)):
            raise PermissionDenied(_("Your account has no password here. Ask your administrator."))
        response: HttpResponseBase = refuse_uncounted(request) or super().dispatch(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A passkey, or what the form asks for."""
        if "credential" not in request.POST:
            answer: HttpResponse = super().post(request, *args, **kwargs)
            return answer
        try:
            found = take_passkey(request, person_of(request))
        except NoPasskey:
            return render(request, self.template_name, {**self.get_context_data(), "refused": True}, status=422)
        record_authentication(request, found.user, "mfa", id=found.pk, type=found.type, reauthenticated=True)
        response: HttpResponse = BaseReauthenticateView.form_valid(self, self.get_form())
        return response

    def get_form_class(self) -> type[Any]:
        """Ours."""
        return PasswordAgainForm if has_password(person_of(self.request)) else CodeAgainForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """A code is counted by the request that brings it."""
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | ({"request": self.request} if self.get_form_class() is CodeAgainForm else {})

    def form_valid(self, form: Any) -> HttpResponse:
        """Note by what it was shown."""
        if isinstance(form, CodeAgainForm):
            record_authentication(self.request, person_of(self.request), "mfa", reauthenticated=True)
            answer: HttpResponse = BaseReauthenticateView.form_valid(self, form)
            return answer
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Without links to allauth's other pages."""
        person = person_of(self.request)
        factors = list_factors(person)
        return {
            **FormView.get_context_data(self, **kwargs),
            "next": self.get_next_url() or "",
            "asks_for_code": not has_password(person),
            "passkeys": factors.passkeys,
            "providers": [] if has_own_proof(person) else [each for each, row in list_connected(person) if row],
            **alone(person),
        }


@require_safe
def passkey_again(request: HttpRequest) -> HttpResponse:
    """What a passkey is asked to sign."""
    return ask_to_show(person_of(request)).as_response()


class OperateOnPerson(OperateView):
    """The page behind the buttons of an account; before some of them one's password is asked for."""

    kind = "person"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who may not do it is told so first."""
        if request.method in ("GET", "HEAD", "POST"):
            where = dict(kwargs)
            operation, _target = self._find(request, where.pop("verb"), where)
            if getattr(operation, "asks_again", False) and (there := prove_first(request)):
                return there
        return super().dispatch(request, *args, **kwargs)
