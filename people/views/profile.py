"""One's own account: names, language and time zone, email address, rows on a page, and where one is signed in."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from django.views.decorators.http import require_http_methods, require_POST

from operations.actors import actor_of
from operations.contract import AnyOperation, Ask, Refusal
from operations.pipeline import run
from people.confirming import read_confirmation
from people.directory.accounts import has_password, keeper_of
from people.factors import list_factors
from people.forms.profile import EmailForm, ProfileForm
from people.languages import language_for
from people.mailing import ask_for_confirmation, can_send
from people.operations.accounts import AccountParams, Edit
from people.operations.mailed import EmailParams, UseEmail
from people.proving import prove_first
from people.sessions import end_sessions, list_sessions
from people.signing_in import refuse_uncounted
from people.ways import list_ways
from permissions.selectors import name_of_persona, rows_of
from permissions.services import keep_reading, keep_rows
from permissions.signed_in import person_of

EDIT: AnyOperation = Edit()
USE_EMAIL: AnyOperation = UseEmail()


class Profile(View):
    """What one is called and how one wants to see lists; with links to all else about oneself."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """As it is."""
        person = person_of(request)
        initial = {
            "first_name": person.first_name,
            "last_name": person.last_name,
            "per_page": rows_of(person) or "",
            "language": person.language,
            "time_zone": person.time_zone,
            "persona": name_of_persona(person.default_persona) if person.default_persona is not None else "",
        }
        return self._show(request, ProfileForm(initial=initial, person=person))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        person = person_of(request)
        form = ProfileForm(request.POST, person=person)
        if not form.is_valid():
            return self._show(request, form, 422)
        chosen = form.cleaned_data
        names = {name: chosen[name] for name in ("first_name", "last_name")}
        keep_rows(person, chosen["per_page"])
        keep_reading(
            person,
            language=chosen["language"],
            time_zone=chosen["time_zone"],
            persona=chosen.get("persona"),
        )
        if any(getattr(person, name) != value for name, value in names.items()):
            run(EDIT, Ask(actor_of(request), person, AccountParams(**names)))
        with translation.override(language_for(request, person)):  # of the page that shows it
            messages.success(request, _("Profile saved."))
        return redirect("profile")

    def _show(self, request: HttpRequest, form: ProfileForm, status: int = 200) -> HttpResponse:
        person = person_of(request)
        sessions = list_sessions(person, request)
        context = {
            "form": form,
            "sessions": sessions,
            "others": sum(not each.is_this for each in sessions),
            "can_send": can_send(),
            "factors": list_factors(person),
            "ways": list_ways(),
            "keeper": keeper_of(person),
            "teams": person.groups.order_by("name"),
        }
        return render(request, "people/profile.html", context, status=status)


class ChangeEmail(View):
    """Asks for another email address, to which a link is mailed: it counts from when that is opened."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who has no password that the form could ask for shows first who they are."""
        if can_send() and not has_password(person_of(request)):
            there = refuse_uncounted(request) or prove_first(request)
            if there is not None:
                return there
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Empty."""
        return self._show(request, EmailForm(person=person_of(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Have the link sent."""
        if not can_send():
            return self._show(request, EmailForm(person=person_of(request)), 409)
        refused = refuse_uncounted(request)
        if refused is not None:
            return refused
        form = EmailForm(request.POST, person=person_of(request))
        if not form.is_valid():
            return self._show(request, form, 422)
        ask_for_confirmation(person_of(request), form.cleaned_data["email"], request.META["REMOTE_ADDR"])
        messages.success(request, _("A link was sent to %s. Open it to use this address.") % form.cleaned_data["email"])
        return redirect("profile")

    def _show(self, request: HttpRequest, form: Any, status: int = 200) -> HttpResponse:
        return render(request, "people/change_email.html", {"form": form, "can_send": can_send()}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def new_email(request: HttpRequest, token: str) -> HttpResponse:
    """Where the mailed link leads: asks once more, for whatever opens links does not mean it."""
    person = person_of(request)
    address = read_confirmation(person, token)
    if address and request.method == "POST":
        try:
            run(USE_EMAIL, Ask(actor_of(request), person, EmailParams(token)))
        except Refusal:  # it was changed just now
            address = ""
        else:
            messages.success(request, _("Your email address is %s now.") % address)
            return redirect("profile")
    return render(request, "people/new_email.html", {"address": address}, status=200 if address else 404)


@require_POST
def end_session(request: HttpRequest, number: int) -> HttpResponse:
    """End one of one's own sessions."""
    if not end_sessions(person_of(request), pk=number):
        raise Http404(_("There is no such session of yours."))
    messages.success(request, _("Session ended."))
    return redirect("profile")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all of them but this."""
    ended = end_sessions(person_of(request), keep=request.session.session_key or "")
    messages.success(request, ngettext("%d other session ended.", "%d other sessions ended.", ended) % ended)
    return redirect("profile")
