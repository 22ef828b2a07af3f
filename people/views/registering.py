"""Registering: an address is asked for, and the link that is mailed there leads to where the account is made."""

from typing import Any

from allauth.core.internal import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from people.answers import too_many_requests
from people.forms.registering import OwnAccountForm, RegisterForm
from people.limits import name_to_count
from people.mailing import ask_for_registration
from people.registering import Unregistered, is_open, read_link_token, register
from people.signing_in import refuse_uncounted
from permissions.answers import answer


def _closed(request: HttpRequest) -> HttpResponse | None:
    """403 where nobody may register."""
    if is_open():
        return None
    return answer(
        request,
        403,
        _("Registration is closed"),
        _("Accounts are made by the administrators of this service."),
        remedy=_("Ask your administrator for one."),
    )


class Register(View):
    """Asks for the address, and answers the same whether or not anybody has it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Where it is allowed, and while requests can be counted."""
        return _closed(request) or refuse_uncounted(request) or super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Empty."""
        return self._show(request, RegisterForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Have the mail sent."""
        form = RegisterForm(request.POST)
        key = name_to_count(form.data.get("email", "").strip())
        if not ratelimit.consume(request, app="allauth.account", action="register", key=key):
            return too_many_requests(request, wait_s=900)
        if not form.is_valid():
            return self._show(request, form, 422)
        ask_for_registration(form.cleaned_data["email"], request.META["REMOTE_ADDR"])
        return redirect("register-sent")

    def _show(self, request: HttpRequest, form: RegisterForm, status: int = 200) -> HttpResponse:
        return render(request, "people/register.html", {"form": form}, status=status)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Says what happens next."""
    return _closed(request) or render(request, "people/register.html", {"is_sent": True})


class MakeAccount(View):
    """Where the mailed link leads."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """With a link that is good; none is where registration is closed."""
        refused = refuse_uncounted(request)
        if refused is None and not ratelimit.consume(request, app="allauth.account", action="make_account"):
            refused = too_many_requests(request)
        if refused is None and not read_link_token(kwargs["token"]):
            refused = self._no_good(request)
        return refused or super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Empty."""
        return self._show(request, token, OwnAccountForm())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Make it."""
        form = OwnAccountForm(request.POST)
        if not form.is_valid():
            return self._show(request, token, form, 422)
        try:
            register(token, form.registration, request.META["REMOTE_ADDR"])
        except Unregistered as wrong:
            if not wrong.errors:
                return self._no_good(request)
            for field, words in wrong.errors.items():
                form.add_error(field, words)
            return self._show(request, token, form, 422)
        messages.success(request, _("Your account is made. Sign in with it."))
        return redirect("login")

    def _show(self, request: HttpRequest, token: str, form: OwnAccountForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "address": read_link_token(token)}
        return render(request, "people/register_account.html", context, status=status)

    def _no_good(self, request: HttpRequest) -> HttpResponse:
        return render(request, "people/register_account.html", {}, status=404)
