"""One's own second factors: what one has, setting up, taking away. Nobody's but one's own."""

import time
from typing import Any

from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from qrcode.main import QRCode

from people.demanding import alone, is_demanded
from people.factors import (
    PASSKEY,
    Adapter,
    Factors,
    add_app,
    find_own,
    find_step,
    has_factor,
    list_factors,
    make_codes,
    remove,
)
from people.forms.lines import LineField
from people.mailing import tell_of_factors
from people.passkeys import NoPasskey, add_passkey, ask_to_make, has_name, read_made
from people.proving import prove_first
from people.signing_in import count_second_factor, forgive, record_factor, refuse_uncounted
from permissions.signed_in import person_of
from permissions.viewing import viewer_of
from sealing.fields import Sealed, SecretUnreadable, seal

_PENDING = "factor_app_secret"
_NEW_CODES = "factor_new_codes"
_SHOWN_S = 600
_MOST_PASSKEYS = 20


class Own(View):
    """A page that concerns one's own factors: asks who one is first, and is closed to who looks as somebody else."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """See the class."""
        if viewer_of(request) is not None:
            raise PermissionDenied(_("You look at this as %s sees it. Second factors are theirs alone.") % request.user)
        if request.method in ("GET", "HEAD", "POST"):
            self.person = person_of(request)
            there = refuse_uncounted(request) or prove_first(request)
            if there is not None:
                return there
        return super().dispatch(request, *args, **kwargs)

    def show(self, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """A page, alone where one must set a factor up first."""
        return render(self.request, template, {**context, **alone(self.person)}, status=status)

    def done(self, factors: Factors) -> HttpResponse:
        """After one more was set up; `factors` is what there was before. The first one brings recovery codes."""
        if factors.is_any:
            return redirect("factors")
        # Sessions that were begun with the password alone, perhaps somebody else's, end.
        self.person.sign_outs += 1
        self.person.save(update_fields=["sign_outs"])
        update_session_auth_hash(self.request, self.person)
        UserSession.objects.create_from_request(self.request)
        return show_new_codes(self.request, self.person)


class Overview(View):
    """What one has. Whoever looks as somebody else sees it, too."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """With links to what can be done."""
        person = person_of(request)
        factors = list_factors(person)
        context = {
            "factors": factors,
            "is_demanded": is_demanded(person),
            "is_viewed": viewer_of(request) is not None,
            "can_add_passkey": len(factors.passkeys) < _MOST_PASSKEYS,
            **alone(person),
        }
        return render(request, "people/factors.html", context)


class AppForm(forms.Form):
    """The first code of a new app, which shows that it has the secret."""

    code = forms.CharField(
        label=gettext_lazy("Code that the app shows"),
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={"required": gettext_lazy("Enter the code.")},
    )


class SetUpApp(Own):
    """Sets an authenticator app up. Its secret waits sealed in the session until a code shows that the app has it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """With a new secret."""
        secret = generate_totp_secret()
        request.session[_PENDING] = seal(secret)
        return self._show(AppForm(), secret)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        try:
            secret = Sealed(request.session.get(_PENDING, ""), "second factor").reveal()
        except SecretUnreadable:
            secret = ""
        if not secret:
            return redirect("factor-app")
        form = AppForm(request.POST)
        if not form.is_valid():
            return self._show(form, secret, 422)
        counted = count_second_factor(request, self.person)
        step = find_step(secret, form.cleaned_data["code"])
        if step is None:
            form.add_error("code", _("This code is wrong. Check that the clock of your device is right."))
            return self._show(form, secret, 422)
        forgive(counted)
        before = list_factors(self.person)
        with transaction.atomic():
            add_app(self.person, secret, step)
            record_factor(self.person, "add-app")
            tell_of_factors(self.person)
            del request.session[_PENDING]
            messages.success(request, _("Authenticator app set up."))
            return self.done(before)

    def _show(self, form: AppForm, secret: str, status: int = 200) -> HttpResponse:
        context = {
            "form": form,
            "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            "drawing": draw_code(Adapter().build_totp_url(self.person, secret)),
            "replaces": list_factors(self.person).app is not None,
        }
        return self.show("people/factor_app.html", context, status)


class PasskeyForm(forms.Form):
    """What one calls it."""

    name = LineField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("So that you know it again, such as “phone” or “key on my key ring”."),
        error_messages={"required": gettext_lazy("Enter a name.")},
    )


class AddPasskey(Own):
    """Adds a passkey."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for its name."""
        return self.show("people/factor_passkey.html", {"form": PasskeyForm(), "can_here": has_name(request)})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        form, problem = PasskeyForm(request.POST), ""
        before = list_factors(self.person)
        if len(before.passkeys) >= _MOST_PASSKEYS:
            problem = _("You have %d passkeys. Remove one first.") % len(before.passkeys)
        elif form.is_valid():
            try:
                credential = read_made(request, self.person, request.POST.get("credential", ""))
            except NoPasskey:
                problem = _("The passkey was not accepted. Try again.")
            else:
                with transaction.atomic():
                    row = add_passkey(self.person, form.cleaned_data["name"], credential)
                    record_factor(self.person, "add-passkey", name=row.data["name"])
                    tell_of_factors(self.person)
                    messages.success(request, _("Passkey %s added.") % row.data["name"])
                    return self.done(before)
        context = {"form": form, "problem": problem, "can_here": has_name(request)}
        return self.show("people/factor_passkey.html", context, 422)


class PasskeyOptions(Own):
    """What the browser is asked to make."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """For the script of the page."""
        return ask_to_make(self.person).as_response()


class Codes(Own):
    """Makes new recovery codes, and shows them until they are kept: a page that is reloaded must not lose them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show those that were made just now, or ask whether the old ones may go."""
        codes = _read_codes(request)
        if codes:
            return render(request, "people/recovery_codes.html", {"as_text": codes, "layout": "base.html"})
        if not has_factor(self.person):
            return redirect("factors")
        return self.show("people/factor_codes.html", {"left": list_factors(self.person).codes_left})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make them, or forget to show them."""
        if "kept" in request.POST:
            request.session.pop(_NEW_CODES, None)
            return redirect("factors")
        if not has_factor(self.person):
            return redirect("factors")
        with transaction.atomic():
            tell_of_factors(self.person)
            return show_new_codes(request, self.person)


class Remove(Own):
    """Takes an app or a passkey away."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Nobody is asked who they are for what is none of theirs."""
        if find_own(person_of(request), kwargs["number"]) is None:
            raise Http404(_("You have no such second factor."))
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """Ask."""
        return self.show("people/factor_remove.html", self._context(number))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Do it."""
        context = self._context(number)
        if context["obstacle"]:
            return self.show("people/factor_remove.html", context, 409)
        row = context["row"]
        with transaction.atomic():
            remove(row)
            if row.type == PASSKEY:
                record_factor(self.person, "remove-passkey", name=row.data["name"])
            else:
                record_factor(self.person, "remove-app")
            tell_of_factors(self.person)
        messages.success(request, _("Second factor removed."))
        return redirect("factors")

    def _context(self, number: int) -> dict[str, Any]:
        row = find_own(self.person, number)
        if row is None:
            raise Http404(_("You have no such second factor."))
        factors = list_factors(self.person)
        is_last = len(factors.passkeys) + bool(factors.app) == 1
        obstacle = _("This service demands a second factor. Set another one up first.")
        return {
            "row": row,
            "name": row.data["name"] if row.type == PASSKEY else "",
            "is_last": is_last,
            "obstacle": obstacle if is_last and is_demanded(self.person) else "",
        }


def show_new_codes(request: HttpRequest, person: Any) -> HttpResponse:
    """Make new recovery codes and lead to where they are shown; until then they wait sealed in the session."""
    with transaction.atomic():
        request.session[_NEW_CODES] = [time.time(), seal("\n".join(make_codes(person)))]
        record_factor(person, "make-recovery-codes")
    return redirect("factor-codes")


def _read_codes(request: HttpRequest) -> str:
    made_at, sealed = request.session.get(_NEW_CODES, (0.0, ""))
    try:
        return Sealed(sealed, "recovery codes").reveal() if time.time() - made_at < _SHOWN_S else ""
    except SecretUnreadable:
        return ""


def draw_code(text: str) -> dict[str, Any]:
    """A QR code as the path of an SVG: one square a module."""
    code = QRCode(border=4)
    code.add_data(text)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return {"size": len(rows), "path": path}
