"""The tokens of a person: their own page, and that of administrators, which auditors of everything read."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from operations.actors import actor_of
from operations.contract import Ask, Forbidden, Invalid, Refusal
from operations.pipeline import run
from people.forms.tokens import TokenForm
from people.operations.tokens import AddToken
from people.selectors import list_people, pick_person
from people.tokens import make_secret
from permissions.policy import may_look_after
from permissions.signed_in import person_of


def own_tokens(request: HttpRequest) -> HttpResponse:
    """One's own."""
    return person_tokens(request, person_of(request).username)


@require_http_methods(["GET", "HEAD", "POST"])
def person_tokens(request: HttpRequest, name: str) -> HttpResponse:
    """The list; of one's own with a form for one more, whose secret is shown once, in the answer."""
    user = person_of(request)
    person = pick_person(list_people(user), name)
    actor = actor_of(request)
    if request.method != "POST":
        return _page(request, user, person, TokenForm(target=person, actor=actor))
    secret = make_secret()
    given = request.POST.copy()
    given["secret"] = secret
    form = TokenForm(given, target=person, actor=actor)
    operation = AddToken()
    if form.is_valid():
        try:
            run(operation, Ask(actor, person, form.params(operation)))
            return _page(request, user, person, TokenForm(target=person, actor=actor), made=secret)
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            for field, words in invalid.errors.items():
                form.add_error(field if field in form.fields else None, words)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    return _page(request, user, person, form, status=422)


def _page(
    request: HttpRequest, user: Any, person: Any, form: TokenForm, *, status: int = 200, made: str = ""
) -> HttpResponse:
    back = reverse("person-tokens", args=[person.username])

    def withdraw(name: str) -> str:
        where = [person.username, name, "withdraw"]
        return f"{reverse('token-do', args=where)}?{urlencode({'next': back})}"

    own = person.pk == user.pk
    context = {
        "person": person,
        "is_own": own,
        "may_change": bool(may_look_after(user, person)),
        "title": _("Your tokens") if own else _("Tokens of %s") % person,
        "tokens": [{"token": each, "withdraw": withdraw(each.name)} for each in person.tokens.all()],
        "form": form,
        "made": made,
        "command": f'curl -H "Authorization: Bearer {made}" {request.build_absolute_uri(reverse("key-feed"))}',
    }
    if not own:
        context["crumbs"] = [
            (_("People"), reverse("people")),
            (person.username, reverse("person", args=[person.username])),
        ]
    return render(request, "people/tokens.html", context, status=status)
