"""The SSH keys of a person: their own page, and that of administrators, which auditors of everything read."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from operations.actors import actor_of
from operations.contract import Ask, Forbidden, Invalid, Refusal
from operations.pipeline import run
from people.forms.keys import KeyForm
from people.operations.keys import AddKey
from people.selectors import list_people, pick_person
from permissions.policy import may_look_after
from permissions.signed_in import person_of


def own_keys(request: HttpRequest) -> HttpResponse:
    """One's own."""
    return person_keys(request, person_of(request).username)


@require_http_methods(["GET", "HEAD", "POST"])
def person_keys(request: HttpRequest, name: str) -> HttpResponse:
    """The list, with a field for one more below."""
    user = person_of(request)
    person = pick_person(list_people(user), name)
    actor = actor_of(request)
    if request.method != "POST":
        return _page(request, user, person, KeyForm(target=person, actor=actor))
    form = KeyForm(request.POST, target=person, actor=actor)
    operation = AddKey()
    if form.is_valid():
        try:
            run(operation, Ask(actor, person, form.params(operation)))
            return redirect("person-keys", name=person.username)
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            for field, words in invalid.errors.items():
                form.add_error(field if field in form.fields else None, words)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    return _page(request, user, person, form, status=422)


def _page(request: HttpRequest, user: Any, person: Any, form: KeyForm, status: int = 200) -> HttpResponse:
    back = reverse("person-keys", args=[person.username])

    def link(verb: str, fingerprint: str) -> str:
        return f"{reverse('key-do', args=[person.username, fingerprint, verb])}?{urlencode({'next': back})}"

    keys = [
        {"key": key, "edit": link("edit", key.fingerprint), "remove": link("remove", key.fingerprint)}
        for key in person.ssh_keys.order_by("pk")
    ]
    own, may_change = person.pk == user.pk, bool(may_look_after(user, person))
    title = _("Your SSH keys") if own else _("SSH keys of %s") % person
    context = {"person": person, "is_own": own, "title": title, "keys": keys, "form": form, "may_change": may_change}
    if not own:
        context["crumbs"] = [
            (_("People"), reverse("people")),
            (person.username, reverse("person", args=[person.username])),
        ]
    return render(request, "people/keys.html", context, status=status)
