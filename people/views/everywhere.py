"""Roles: who has one on everything, what each holds, and where administrators give, take and change them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from operations.contract import SITE, Site
from operations.views.operate import OperateView
from people.views.rights import Row, typed_for
from permissions.policy import Holding, can, find_holdings_everywhere
from permissions.selectors import list_roles, list_verbs
from permissions.signed_in import person_of


@dataclass(frozen=True)
class RoleRow:
    """A role, what it holds, and where that is changed; those from the beginning are not deleted."""

    role: Any
    verbs: Sequence[str]
    edit: str
    delete: str


@require_safe
def site_rights(request: HttpRequest) -> HttpResponse:
    """For administrators, and to look at for who audits everything."""
    user = person_of(request)
    verdict, may_change = can(user, "grant_everywhere"), bool(can(user, "change_roles"))
    if not verdict and not can(user, "see_journal_of_all"):
        raise PermissionDenied(verdict.reason)
    context = {
        "rows": [_row(each, may_change=bool(verdict)) for each in find_holdings_everywhere()],
        "grant_role": door_to("grant-role", {}) if verdict else "",
        "roles": [_role_row(role, may_change=may_change) for role in list_roles()],
        "create_role": reverse("role-create") if may_change else "",
    }
    return render(request, "people/site_rights.html", context)


def _role_row(role: Any, *, may_change: bool) -> RoleRow:
    edit, delete = ("", "")
    if may_change:
        edit = reverse("role-do", args=[role.name, "edit"])
        delete = "" if role.is_built_in else reverse("role-do", args=[role.name, "delete"])
    return RoleRow(role, list_verbs(role), edit, delete)


def door_to(verb: str, filled: Mapping[str, str]) -> str:
    """Where a role on everything is given or taken, with the form filled in so."""
    url = reverse("site-do", args=[verb])
    return f"{url}?{urlencode(filled)}" if filled else url


def _row(held: Holding, *, may_change: bool) -> Row:
    revoke = door_to("revoke-role", typed_for(held)) if may_change else ""
    return Row(held, [], held.ends, is_here=False, revoke=revoke)


class OperateOnSite(OperateView):
    """The page behind these buttons: what it is done to is everything."""

    kind = "site"

    def find(self, user: Any, where: Mapping[str, Any]) -> Site:
        """There is one."""
        return SITE

    def url_of(self, target: Any) -> str:
        """The page of roles on everything."""
        return reverse("site-rights")

    def url_after(self, target: Any, pk: int | None) -> str:
        """The same."""
        return self.url_of(target)

    def crumbs_of(self, target: Any) -> list[tuple[str, str]]:
        """To that page."""
        return [(_("People"), reverse("people")), (_("Roles on everything"), self.url_of(target))]
