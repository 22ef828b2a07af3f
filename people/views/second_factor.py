"""Signing in by a passkey alone, and the second step after the password."""

from typing import Any

from allauth.account.internal.flows.login import perform_login
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from allauth.account.stages import LoginStageController
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.base.internal.flows import post_authentication
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from objectlog.words import gettext
from people.factors import list_factors
from people.limits import BY_ADDRESS
from people.passkeys import NoPasskey, ask_to_show, find_owner, read_shown
from people.showing import take_code, take_passkey
from people.signing_in import SecondFactorStage, count_attempt, forgive, record_failure, refuse_uncounted
from sealing.fields import SecretUnreadable

UNREADABLE = gettext_lazy("What is kept of your authenticator app can't be read. Ask your administrator.")


class CodeForm(forms.Form):
    """A code of an authenticator app, or one of the recovery codes."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "none", "autofocus": True}
        ),
        error_messages={"required": gettext_lazy("Enter a code.")},
    )

    def __init__(self, *args: Any, has_app: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if has_app:
            self.fields["code"].help_text = _("From your authenticator app, or one of your recovery codes.")
        else:
            self.fields["code"].label = _("Recovery code")


class SecondFactor(View):
    """Asks for a code or a passkey of whoever has given the right password, or came from another service."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only in the middle of a sign-in that can still be finished, and while attempts can be counted."""
        if request.user.is_authenticated:
            return redirect(resolve_url(settings.LOGIN_REDIRECT_URL))
        stage = LoginStageController.enter(request, SecondFactorStage.key)
        if stage is None:
            return redirect("login")
        if stage.is_void or (request.method == "POST" and "cancel" in request.POST):
            clear_login(request)
            return redirect("login")
        self.stage, self.person = stage, stage.login.user
        return refuse_uncounted(request) or super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self._show(CodeForm(has_app=self._factors.app is not None))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Let them in, or say what was wrong."""
        form = CodeForm(request.POST, has_app=self._factors.app is not None)
        if "credential" not in request.POST and not form.is_valid():
            return self._show(form, 422)
        try:
            if "credential" in request.POST:
                found = take_passkey(request, self.person)
            else:
                found = take_code(request, self.person, form.cleaned_data["code"])
        except NoPasskey:
            form = CodeForm(has_app=self._factors.app is not None)
            return self._show(form, 422, _("The passkey was not accepted. Try again."))
        except SecretUnreadable:
            form.add_error("code", str(UNREADABLE))
            return self._show(form, 422)
        if found is None:
            form.add_error("code", _("This code is wrong, or was used already."))
            return self._show(form, 422)
        post_authentication(request, found)
        response: HttpResponse = self.stage.exit()
        return response

    @property
    def _factors(self) -> Any:
        if not hasattr(self, "_found"):
            self._found = list_factors(self.person)
        return self._found

    def _show(self, form: CodeForm, status: int = 200, problem: str = "") -> HttpResponse:
        context = {"form": form, "factors": self._factors, "problem": problem}
        return render(self.request, "people/second_factor.html", context, status=status)


@require_safe
def second_factor_options(request: HttpRequest) -> HttpResponse:
    """What a passkey is asked to sign as second factor, or at once to sign in."""
    stage = LoginStageController.enter(request, SecondFactorStage.key)
    return ask_to_show(stage.login.user if stage is not None and not stage.is_void else None).as_response()


@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by a passkey that knows its owner: it is both factors."""
    refused = refuse_uncounted(request)
    if refused is not None:
        return refused
    if request.user.is_authenticated:
        return redirect(resolve_url(settings.LOGIN_REDIRECT_URL))
    posted, address = request.POST.get("credential", ""), request.META["REMOTE_ADDR"]
    counted = count_attempt(request, [(BY_ADDRESS, "")])
    try:
        found = read_shown(request, None, posted)
    except NoPasskey:
        record_failure(find_owner(posted), address, gettext("The passkey was not accepted."))
        # In the URL and not in the session: a stranger leaves no row there.
        again = {"passkey": "refused", "next": get_next_redirect_url(request) or ""}
        return redirect(f"{reverse('login')}?{urlencode(again)}")
    forgive(counted)
    post_authentication(request, found, passwordless=True)
    response: HttpResponse = perform_login(request, Login(found.user, redirect_url=get_next_redirect_url(request)))
    return response
