"""Templates: their list, the page of one, and the form in which one is made or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clusters.described import page_for
from clusters.views.buttons import Button, button_of, menu_of, put_first
from operations.actors import actor_of
from operations.contract import SITE, AnyOperation, Ask, Forbidden, Invalid, Refusal
from operations.offers import list_offers
from operations.pipeline import run
from operations.views.denying import refuse
from permissions.policy import Denied, can, verbs_on
from permissions.selectors import choice_of, list_personas
from permissions.signed_in import person_of
from ui.places import page_of, tabs_of
from ui.tables import answer, show
from virtualmachines.described_template import describe_parts, describe_template
from virtualmachines.forms.creating import BLANK, typed_for, with_size
from virtualmachines.forms.pieces import with_part, without_part
from virtualmachines.forms.pieces.piece import Typed
from virtualmachines.forms.templates import TemplateForm, fields_of_template
from virtualmachines.operations import TEMPLATE_OPERATIONS
from virtualmachines.operations.templates import (
    CreateTemplate,
    EditTemplate,
    may_create,
    sees_all_of,
    spec_of_template,
    version_of,
)
from virtualmachines.rules import Facts
from virtualmachines.selectors import find_vm_called, list_clusters_to_create_on, settings_of
from virtualmachines.spec import VMSpec
from virtualmachines.spec.copying import numbered
from virtualmachines.template_columns import TEMPLATE_TABLE
from virtualmachines.template_selectors import called, get_template, list_templates, place_of_template

CREATE: AnyOperation = CreateTemplate()
EDIT: AnyOperation = EditTemplate()
_FIRST_FIELDS = {"disks": "size_mib", "nics": "mac"}


@require_safe
def template_list(request: HttpRequest) -> HttpResponseBase:
    """The templates of all clusters on which the person may create machines."""
    user = person_of(request)
    shown = show(request, TEMPLATE_TABLE, choice_of(user, TEMPLATE_TABLE.name))
    nothing = _("None of the templates you may see matches. Leave out a word.")
    return answer(request, shown, list_templates(user), "virtualmachines/templates.html", nothing)


def template_page(user: Any, template: Any, current: str) -> dict[str, Any]:
    """Buttons and tabs of a template's page."""
    where = place_of_template(template)
    held = verbs_on(user, template)
    use = f"{reverse('vms-create')}?{urlencode({'template': called(template)})}"
    reason = "" if "use" in held else type(template).access.refuse("use")
    buttons = [Button("use", _("Create a machine"), use, "plus", not reason, reason, "primary", is_page=True)]
    for offer in list_offers(template, TEMPLATE_OPERATIONS, held):
        verb, is_page = offer.operation.verb, offer.operation.has_own_page
        url = reverse("template-edit", args=where) if is_page else reverse("template-do", args=[*where, verb])
        buttons.append(button_of(offer, url, is_page=is_page))
    first, more = put_first(buttons, ["use", "edit", "copy"])
    tabs = tabs_of("template", where, current, held)
    return {"held": held, "template": template, "buttons": first, "menu": menu_of(more), "tabs": tabs}


@require_safe
def template_overview(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Everything that it says."""
    user = person_of(request)
    template = get_template(user, slug, name)
    page = template_page(user, template, "overview")
    try:
        spec = spec_of_template(template)
    except Refusal as refusal:
        return render(request, "virtualmachines/template.html", {**page, "refusal": str(refusal)})
    context = {
        **page,
        "spec": spec,
        "parts": describe_parts(spec),
        "shown": page_for(describe_template(spec), sees_all_of(user, template)),
    }
    return render(request, "virtualmachines/template.html", context)


class _Desk:
    """Who makes a template, or changes `before`; what was typed; on which cluster its choices are those that are shown.

    PermissionDenied for who may create machines nowhere.
    """

    def __init__(self, request: HttpRequest, typed: Typed, before: Any = None) -> None:
        self.request, self.user, self.typed, self.before = request, person_of(request), typed, before
        self.actor = actor_of(request)
        self.clusters = list(list_clusters_to_create_on(self.user))
        if not self.clusters:
            verdict = may_create(self.user, None)
            raise PermissionDenied(verdict.reason if isinstance(verdict, Denied) else "")
        asked = typed.get("cluster", "")
        slug = asked or (before.cluster.slug if before is not None and before.cluster else "")
        wanted = [each for each in self.clusters if each.slug == slug]
        #: a cluster on which one may create no more, or that is gone: the template is not for another one instead
        self.lost = asked[:100] if asked and not wanted else ""
        self.cluster: Any = (wanted or self.clusters)[0]
        self.cluster.refresh_from_db(fields=["info", "operating_systems"])
        self.facts = Facts.of(self.cluster)
        self.is_admin = bool(can(self.user, "admin", self.cluster))
        self.typed["cluster"] = self.cluster.slug
        self.spec = spec_of_template(before) if before is not None else VMSpec("")

    def form(self, *, is_judged: bool) -> TemplateForm:
        """What was typed."""
        form = TemplateForm(
            self.typed,
            actor=self.actor,
            cluster=self.cluster,
            facts=self.facts,
            is_admin=self.is_admin,
            personas=lambda: list_personas(self.user, self.actor.persona),
            clusters=lambda: {each.slug: "" for each in self.clusters},
            is_judged=is_judged,
            own=self.spec,
        )
        if self.lost:
            form.put_errors({"cluster": _("You may not create machines on %s, or it is gone.") % self.lost})
        return form

    def fill(self, spec: VMSpec) -> None:
        """As if this had been typed: first what decides which fields there are."""
        self.typed |= {"hypervisor": spec.hypervisor, "disk_template": spec.disk_template, "os": spec.os}
        self.typed |= typed_for(self.form(is_judged=False), numbered(spec))

    def show(self, form: TemplateForm, opened: str = "", *, status: int = 200, **more: Any) -> HttpResponse:
        """The page."""
        title = _("Create a template")
        back = reverse("templates")
        if self.before is not None:
            title = _("Edit template %s") % self.before
            back = page_of("template", *place_of_template(self.before))
        context: Mapping[str, Any] = {
            "form": form,
            "sections": form.sections(opened),
            "problems": form.problems() if form.errors else [],
            "title": title,
            "back_url": back,
            **more,
        }
        return render(self.request, "virtualmachines/template_form.html", context, status=status)

    def answer(self) -> HttpResponse:
        """What a button of the form does: change the form, or save."""
        typed = self.typed
        if added := _FIRST_FIELDS.get(typed.get("more", "")):
            self.typed = with_part(typed["more"], added, typed)
            return self.show(self.form(is_judged=False), typed["more"])
        if "less" in typed:
            self.typed = without_part(typed["less"], typed)
            return self.show(self.form(is_judged=False), typed["less"].partition(".")[0])
        if "renew" in typed:
            return self.show(self.form(is_judged=False), typed["renew"])
        form = self.form(is_judged=True)
        return self._save(form) if form.is_valid() else self.show(form, status=422)

    def _save(self, form: TemplateForm) -> HttpResponse:
        params = form.template_params(self.spec)
        target = self.before if self.before is not None else SITE
        try:
            entry = run(EDIT if self.before is not None else CREATE, Ask(self.actor, target, params))
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            form.put_errors(invalid.errors)
            return self.show(form, status=422)
        except Refusal as refusal:
            return self.show(form, refusal=str(refusal), status=409)
        messages.success(self.request, _("Template %s saved.") % entry.target_name)
        return redirect("template", entry.cluster_name or "-", entry.target_name)


@require_http_methods(["GET", "HEAD", "POST"])
def template_create(request: HttpRequest) -> HttpResponse:
    """Empty, or with the settings of a machine (`like`: cluster/name)."""
    given = request.POST if request.method == "POST" else request.GET
    like = given.get("like", "")
    typed = {name: str(value) for name, value in request.POST.items()}
    typed.setdefault("cluster", request.GET.get("cluster", "") or like.partition("/")[0])
    desk = _Desk(request, typed)
    vm = find_vm_called(desk.user, like) if like else None
    settings = settings_of(desk.user, vm) if vm is not None else None
    left_out: Sequence[str] = ()
    if vm is not None and settings is not None:
        desk.spec, left_out = with_size(settings[0], vm.beparams), settings[1]
    if request.method == "POST":
        return desk.answer()
    refusal = ""
    if vm is not None and settings is not None:
        desk.fill(desk.spec)
        desk.typed |= {"notes": vm.notes, "like": like}
    else:
        desk.fill(BLANK)
        if like:
            refusal = _("There is no machine %s that you may see, or what is kept of it can't be read.") % like
    form = desk.form(is_judged=False)
    return desk.show(form, refusal=refusal, left_out=", ".join(left_out), like=desk.typed.get("like", ""))


@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Filled in with what it says."""
    user = person_of(request)
    template = get_template(user, slug, name)
    verdict = can(user, "admin", template)
    if isinstance(verdict, Denied):
        refuse(request, EditTemplate(), template, verdict.reason)
    if request.method == "POST":
        typed = {name: str(value) for name, value in request.POST.items()}
    else:
        typed = {"cluster": template.cluster.slug} if template.cluster is not None else {}
    try:
        desk = _Desk(request, typed, template)
    except Refusal as refusal:
        messages.warning(request, str(refusal))
        return redirect("template", slug, name)
    if request.method == "POST":
        return desk.answer()
    desk.typed |= {**fields_of_template(template), "opened": version_of(template)}
    desk.fill(desk.spec)
    return desk.show(desk.form(is_judged=False))
