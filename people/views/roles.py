"""Roles: the form in which one is made, and what is done to one. They are listed with the roles on everything."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from operations.actors import actor_of
from operations.contract import SITE, Ask, Forbidden, Invalid
from operations.pipeline import run
from operations.views.denying import refuse
from operations.views.operate import OperateView
from people.forms.roles import NewRoleForm
from people.operations.roles import CreateRole
from permissions.policy import Denied, can
from permissions.signed_in import person_of


@require_http_methods(["GET", "HEAD", "POST"])
def role_create(request: HttpRequest) -> HttpResponse:
    """What it is called and holds; it is granted where everything is."""
    verdict = can(person_of(request), "change_roles")
    if isinstance(verdict, Denied):
        refuse(request, CreateRole(), SITE, verdict.reason)
    actor = actor_of(request)
    form = NewRoleForm(request.POST if request.method == "POST" else None, target=SITE, actor=actor)
    if request.method == "POST" and form.is_valid():
        operation = CreateRole()
        try:
            run(operation, Ask(actor, SITE, form.params(operation)))
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            for field, words in invalid.errors.items():
                form.add_error(field if field in form.fields else None, words)
        else:
            messages.success(request, _("Role %s created. Grant it to people and teams.") % form.cleaned_data["name"])
            return redirect("site-rights")
    return render(request, "people/role_create.html", {"form": form}, status=422 if form.errors else 200)


class OperateOnRole(OperateView):
    """The page behind the buttons of a role; it has no page of its own to come back to."""

    kind = "role"

    def url_of(self, target: Any) -> str:
        """Where it is listed."""
        return reverse("site-rights")

    def url_after(self, target: Any, pk: int | None) -> str:
        """The same."""
        return self.url_of(target)

    def crumbs_of(self, target: Any) -> list[tuple[str, str]]:
        """To that page."""
        return [(_("People"), reverse("people")), (_("Roles on everything"), self.url_of(target))]
