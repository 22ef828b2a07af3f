"""The list of accounts, and the form in which one is added."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from operations.actors import actor_of
from operations.contract import SITE, AnyOperation, Ask, Forbidden, Invalid
from operations.pipeline import run
from operations.views.denying import refuse
from people.account_columns import GROUPS, PEOPLE_TABLE
from people.account_selectors import list_accounts
from people.forms.accounts import AddAccountForm
from people.operations.accounts import Add
from permissions.policy import Denied, can
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.tables import answer, show

ADD: AnyOperation = Add()


@require_safe
def people_list(request: HttpRequest) -> HttpResponseBase:
    """All accounts, for who looks after them or audits everything."""
    user = person_of(request)
    verdict = can(user, "see_people")
    if isinstance(verdict, Denied):
        raise PermissionDenied(verdict.reason)
    shown = show(request, PEOPLE_TABLE, choice_of(user, PEOPLE_TABLE.name))
    groups = [("", _("All"), None), *((name, label, None) for name, (label, __) in GROUPS.items())]
    nothing = _("No account matches. Leave out a word.")

    def more(_people: Any) -> dict[str, Any]:
        return {"may_change_people": bool(can(user, "change_people"))}

    return answer(request, shown, list_accounts(user), "people/people.html", nothing, groups=groups, more=more)


class AddPerson(View):
    """The form of a new account. A password that is made here is shown once, in the answer, and kept nowhere."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """For who looks after accounts."""
        if request.method in ("GET", "HEAD", "POST"):
            verdict = can(person_of(request), "change_people")
            if isinstance(verdict, Denied):
                refuse(request, ADD, SITE, verdict.reason)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Empty."""
        return self._show(request, AddAccountForm(target=SITE))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add it."""
        actor = actor_of(request)
        form = AddAccountForm(request.POST, target=SITE, actor=actor)
        if not form.is_valid():
            return self._show(request, form, status=422)
        params = form.params(ADD)
        try:
            entry = run(ADD, Ask(actor, SITE, params))
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            for field, words in invalid.errors.items():
                form.add_error(field if field in form.fields else None, words)
            return self._show(request, form, status=422)
        context = {"name": entry.target_name, "password": params.password}
        return render(request, "people/person_added.html", context)

    def _show(self, request: HttpRequest, form: AddAccountForm, status: int = 200) -> HttpResponse:
        return render(request, "people/person_add.html", {"form": form}, status=status)
