"""Asking for more quota or for a machine: the list of requests, the page of one, and the forms."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from clusters.views.buttons import Button, button_of
from operations.actors import actor_of
from operations.contract import SITE, Ask, Forbidden, Invalid
from operations.forms import OperationForm, form_for
from operations.offers import list_offers
from operations.pipeline import run
from operations.table import OPERATIONS
from people.operations import REQUEST_OPERATIONS
from people.request_columns import GROUPS, REQUEST_TABLE
from people.request_selectors import (
    list_clusters_to_ask_for,
    list_made,
    list_requests,
    may_decide,
    may_withdraw,
    pick_request,
)
from people.requests import LOOKS
from people.usage import figures_of_request, usage_of_persona
from permissions.acting import acting_as
from permissions.selectors import choice_of, name_of_persona
from permissions.services import persona_of
from permissions.signed_in import person_of
from ui.tables import answer, show


@require_safe
def request_list(request: HttpRequest) -> HttpResponseBase:
    """One's own, and those on which one decides."""
    user = person_of(request)
    shown = show(request, REQUEST_TABLE, choice_of(user, REQUEST_TABLE.name))
    groups = [("", _("All"), None), *((name, label, None) for name, (label, __) in GROUPS.items())]
    nothing = _("No request that you may see matches. Leave out a word.")
    return answer(request, shown, list_requests(user), "people/requests.html", nothing, groups=groups)


@require_safe
def request_page(request: HttpRequest, number: int) -> HttpResponse:
    """What is asked for, why, and what was decided; for who decides also what is used now and may be."""
    user = person_of(request)
    asked = pick_request(list_requests(user), number)
    decides = may_decide(user, asked)
    allowed = frozenset({"decide"} if decides else ()) | frozenset({"view"} if may_withdraw(user, asked) else ())
    can_create = decides and asked.is_open and asked.kind == asked.Kind.MACHINE
    usage = usage_of_persona(asked.persona, None) if asked.cluster is not None else []
    context = {
        "asked": asked,
        "look": LOOKS[asked.State(asked.state)],
        "owner": name_of_persona(asked.persona),
        "figures": figures_of_request(asked),
        "usage": [each for each in usage if each.cluster.pk == asked.cluster_id],
        "decides": decides,
        "made": list_made(user, asked),
        "buttons": _buttons(asked, allowed) if asked.is_open else [],
        "create": f"{reverse('vms-create')}?{urlencode({'asked': asked.pk})}" if can_create else "",
    }
    return render(request, "people/request.html", context)


def _buttons(asked: Any, allowed: frozenset[str]) -> list[Button]:
    """What this person may do about it."""
    offers = list_offers(asked, [each for each in REQUEST_OPERATIONS if each.needs in allowed], allowed)
    first = "approve" if asked.kind == asked.Kind.QUOTA else ""  # a machine is created first
    return [
        button_of(
            offer,
            reverse("request-do", args=[asked.pk, offer.operation.verb]),
            style="primary" if offer.operation.verb == first else "",
        )
        for offer in offers
    ]


class AskFor(View):
    """The form in which one asks for quota or for a machine, as whom one acts."""

    verb = ""

    def get(self, request: HttpRequest) -> HttpResponse:
        """With the quota as it is on the cluster that the address names."""
        form_class = self._form_class()
        given = {name: request.GET[name] for name in form_class.base_fields if name in request.GET}
        return self._show(request, form_class(target=SITE, actor=actor_of(request), initial=given))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        operation, actor = OPERATIONS[f"request.{self.verb}"], actor_of(request)
        form = self._form_class()(request.POST, target=SITE, actor=actor)
        if not form.is_valid():
            return self._show(request, form, status=422)
        try:
            entry = run(operation, Ask(actor, SITE, form.params(operation)))
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            for field, words in invalid.errors.items():
                form.add_error(field if field in form.fields else None, words)
            form.reopen()
            return self._show(request, form, status=422)
        messages.success(request, _("Asked. You are told here what was decided."))
        return redirect("request", entry.target_pk)

    def _form_class(self) -> type[OperationForm]:
        return form_for(OPERATIONS[f"request.{self.verb}"])

    def _show(self, request: HttpRequest, form: OperationForm, status: int = 200) -> HttpResponse:
        user = person_of(request)
        persona = acting_as(request) or persona_of(user)
        clusters = [each.slug for each in list_clusters_to_ask_for(user, persona)]
        is_quota = self.verb == "ask-quota"
        chosen = form.data.get("cluster") or form.initial.get("cluster", "")
        context = {
            "form": form,
            "owner": name_of_persona(persona),
            "is_quota": is_quota,
            "clusters": clusters if is_quota and chosen not in clusters else [],
            "knows_none": is_quota and not clusters,
        }
        return render(request, "people/ask.html", context, status=status)
