"""Connecting one's account with one's entry in the LDAP directory, which keeps the password from then on."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from objectlog.words import gettext
from operations.actors import actor_of
from people.answers import refuse
from people.directory.accounts import Taken, connect, directory, follow
from people.directory.asking import Found, may_enter
from people.directory.backend import ask_who
from people.directory.described import Directory
from people.directory.turned_away import TurnedAway
from people.limits import BY_ACCOUNT, BY_ACCOUNT_THERE, BY_ADDRESS, name_to_count
from people.proving import prove_first
from people.signing_in import count_attempt, forgive, record_failure, refuse_uncounted
from permissions.signed_in import person_of


class EntryForm(forms.Form):
    """What one is called there, and the password that one has there."""

    username = forms.CharField(
        label=gettext_lazy("User name there"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
        error_messages={"required": gettext_lazy("Enter your user name.")},
    )
    password = forms.CharField(
        label=gettext_lazy("Password there"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Enter your password.")},
    )


class ConnectDirectory(View):
    """Asks for them. Who is signed in has shown before who they are."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only where there is a directory."""
        there = directory()
        if there is None:
            raise Http404(_("There is no such way to sign in."))
        self.there: Directory = there
        return refuse_uncounted(request) or prove_first(request) or super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """As the account is called here, to begin with."""
        return self._show(request, EntryForm(initial={"username": person_of(request).username}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Connect it."""
        form = EntryForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, 422)
        name, person = form.cleaned_data["username"], person_of(request)
        key = name_to_count(name)
        counted = count_attempt(
            request, [(BY_ACCOUNT_THERE, f"{key}\nconnecting {person.pk}"), (BY_ADDRESS, ""), (BY_ACCOUNT, key)]
        )
        try:
            found = ask_who(self.there, name, form.cleaned_data["password"], is_new=True)
            if found is None:
                record_failure(person, request.META["REMOTE_ADDR"])
                form.add_error(None, _("Wrong user name or password"))
                return self._show(request, form, 422)
            self._connect(request, found)
        except TurnedAway as why:
            record_failure(person, request.META["REMOTE_ADDR"], why.words)
            return refuse(request, why.words, status=why.status, remedy=why.remedy)
        forgive(counted)
        messages.success(request, _("You sign in with the password of %s now.") % self.there.name)
        return redirect("connections")

    def _connect(self, request: HttpRequest, found: Found) -> None:
        if not may_enter(self.there, found):
            raise TurnedAway(gettext("You are in no group of %s that may sign in here.") % self.there.name)
        person = person_of(request)
        try:
            link = connect(self.there, person, found)
        except Taken as error:
            raise TurnedAway(
                gettext("What you chose at %s belongs to another account here.") % self.there.name
            ) from error
        follow(self.there, link, found, actor_of(request).via)
        person.refresh_from_db()
        update_session_auth_hash(request, person)  # all other sessions end with the password that was here

    def _show(self, request: HttpRequest, form: EntryForm, status: int = 200) -> HttpResponse:
        return render(request, "people/connect_directory.html", {"form": form, "there": self.there}, status=status)
