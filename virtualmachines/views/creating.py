"""The page on which a machine is created, and its live part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_POST

from operations.actors import actor_of
from operations.contract import Ask, Forbidden, Invalid, OverQuota, Refusal, Shown
from operations.offers import find_obstacle
from operations.pipeline import run
from permissions.policy import can
from permissions.selectors import list_personas
from permissions.signed_in import person_of
from ui.places import page_of
from virtualmachines.asked import find_asked
from virtualmachines.exports import find_export, find_told, list_exports
from virtualmachines.forms.creating import BLANK, MachineForm, typed_for, with_size
from virtualmachines.forms.pieces import with_part, without_part
from virtualmachines.forms.pieces.piece import Typed, numbers_of
from virtualmachines.forms.pieces.typed import ON
from virtualmachines.operations.creating import Create, CreateParams, faults_of
from virtualmachines.operations.several import called, faults_of_all, list_names, plan_creations
from virtualmachines.outlook import count_room, places_of, shares_of
from virtualmachines.rules import Facts
from virtualmachines.rules.exports import judge_disks_of_export
from virtualmachines.rules.patterns import is_pattern
from virtualmachines.selectors import find_creation, find_vm_called, is_seen, list_clusters_to_create_on, settings_of
from virtualmachines.spec import BadData, VMSpec, spec_from_data
from virtualmachines.template_selectors import cluster_of_called, list_choices
from virtualmachines.views.from_export import ask_what_it_holds, explain_unread, filled_in, is_reading
from virtualmachines.views.using import (
    TemplateInUse,
    answer_asked,
    judge_beside,
    saving_beside,
    say_saved,
    template_beside,
)

CREATE = Create()
_MOST_NAMES = 10
# What a part has by which it is there: its button adds that field. Buttons are not called add and remove: a form has
# methods of these names, which scripts call.
_FIRST_FIELDS = {"disks": "size_mib", "nics": "mac"}


_FIGURES = ("beparams.vcpus", "beparams.maxmem", "beparams.minmem")


class _Page:
    """One request: who asks, what was typed, on which cluster. PermissionDenied for who may create nowhere."""

    def __init__(self, request: HttpRequest, typed: Typed) -> None:
        self.request, self.user, self.typed = request, person_of(request), typed
        self.actor = actor_of(request)
        self.clusters = list(list_clusters_to_create_on(self.user))
        if not self.clusters:
            raise PermissionDenied(
                _("You may not create machines on any cluster (needs create_vm). Ask an administrator for that right.")
            )
        self.barred = {each.slug: find_obstacle(CREATE, each) or "" for each in self.clusters}
        usable = [each for each in self.clusters if not self.barred[each.slug]]
        asked = typed.get("cluster", "")
        wanted = [each for each in self.clusters if each.slug == asked]
        #: a cluster on which one may create no more, or that is gone: the machine is not made on another one instead
        self.lost = asked[:100] if asked and not wanted else ""
        self.cluster: Any = (wanted or usable or self.clusters)[0]
        self.cluster.refresh_from_db(fields=["info", "operating_systems"])
        self.facts = Facts.of(self.cluster)
        self.is_admin = bool(can(self.user, "admin", self.cluster))
        self.may_exceed = self.actor.may_exceed  # ticked before, it stays to be ticked
        self.over_quota_on = ""
        self.personas = list_personas(self.user, self.actor.persona)
        self.typed["cluster"] = self.cluster.slug
        self.told = find_told(self.user, typed.get("reading", ""), self.cluster)
        self.asked = find_asked(self.user, typed.get("asked", ""))
        self.kept = TemplateInUse.find(self.user, typed.get("template", ""), is_admin=self.is_admin)

    def form(self, *, is_judged: bool) -> MachineForm:
        """What was typed."""
        form = MachineForm(
            self.typed,
            actor=self.actor,
            cluster=self.cluster,
            facts=self.facts,
            is_admin=self.is_admin,
            personas=self.personas,
            clusters=self.barred,
            is_judged=is_judged,
            own=self.kept.spec,
        )
        if self.lost:
            form.put_errors({"cluster": _("You may not create machines on %s, or it is gone.") % self.lost})
        return form

    def say_over(self, invalid: Invalid) -> None:
        """If it was refused for a quota, what this person can do about that."""
        self.may_exceed = isinstance(invalid, OverQuota) and bool(can(self.user, "exceed_quotas"))
        self.over_quota_on = invalid.on if isinstance(invalid, OverQuota) else ""

    def fill(self, spec: VMSpec) -> None:
        """As if this machine had been typed: first what decides which fields there are."""
        self.typed |= {"hypervisor": spec.hypervisor, "disk_template": spec.disk_template, "os": spec.os}
        self.typed |= typed_for(self.form(is_judged=False), spec)

    def show(
        self,
        form: MachineForm,
        opened: str = "",
        *,
        refusal: str = "",
        check: Any = None,
        shown: Sequence[Shown] = (),
        left_out: Sequence[str] = (),
        status: int = 200,
    ) -> HttpResponse:
        """The whole page. `left_out`: settings of the machine that was taken as a model which one may not set."""
        context = {
            "sections": form.sections(opened),
            "problems": form.problems() if form.errors else [],
            "namesake": self._find_namesake(form) if "name" in form.errors else "",
            "may_exceed": self.may_exceed,
            "over_quota_on": self.over_quota_on,
            "obstacle": self.barred[self.cluster.slug],
            "refusal": refusal,
            "check": check,
            "shown": shown,
            "left_out": ", ".join(left_out),
            "asked_for": self.asked,
            "from_template": self.kept.name,
            "templates": list_choices(self.user),
            "exports": list_exports(self.user),
            "reading": self.typed.get("reading", "") if self.typed.get("source.node") else "",
            "of_export": self.typed.get("source.node", "").partition("/")[2] if self.told is not None else "",
            "check_url": self.request.get_full_path(),
            **self.outlook(form),
        }
        form.offer(context["places"])
        return render(self.request, "virtualmachines/create.html", context, status=status)

    def _find_namesake(self, form: MachineForm) -> str:
        """The URL of the machine that has the name already, which may be the one that this very form has made."""
        name = form.params().spec.name
        return page_of("vm", self.cluster.slug, name) if is_seen(self.user, self.cluster, name) else ""

    def outlook(self, form: MachineForm) -> dict[str, Any]:
        """What is told while one types: of fields that are still empty it is not said that they are."""
        params = form.params()
        ask = Ask(self.actor, self.cluster, params)
        places = places_of(self.cluster, params.spec)
        usable = [place for place in places if place.is_usable]
        chosen = [place for place in places if place.node.name == params.spec.placement.primary]
        names = list_names(params.spec.name)
        number, where = len(names) or 1, chosen or usable
        faults = {**faults_of_all(ask, self.facts), **{name: " ".join(words) for name, words in form.said.items()}}
        return {
            "form": form,
            "faults": [(path, words) for path, words in faults.items() if self.typed.get(path)],
            "owner": form.owner,
            "names": names,
            "some_names": _some(names),
            "fitting": count_room(self.cluster, params.spec, where, number),
            "shares": shares_of(form.owner, self.cluster, params.spec, number),
            "places": places,
            "usable": usable,
            "place": next(iter(chosen or usable), None),
            "is_chosen": bool(chosen),
        }


class CreateMachine(View):
    """The form; what its buttons do besides sending it shows it again with everything that was typed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Empty, or filled in as an earlier one was, or with the settings of a machine (`like`: cluster/name)."""
        user, typed = person_of(request), {"cluster": request.GET.get("cluster", "")}
        if request.GET.get("template"):
            return _from_template(request, typed | {"template": request.GET["template"]})
        entry = find_creation(user, request.GET.get("check", ""))
        if request.GET.get("asked") and entry is None:
            return _from_request(request, request.GET["asked"])
        typed["asked"] = request.GET.get("asked", "")
        like = request.GET.get("like", "")
        vm = find_vm_called(user, like) if like else None
        settings = settings_of(user, vm) if vm is not None else None
        if entry is not None:
            typed["cluster"] = entry.cluster_name or entry.target_name
            typed["reading"] = request.GET.get("reading") or str(entry.uuid)
        elif vm is not None and not typed["cluster"]:
            typed["cluster"] = like.partition("/")[0]
        if entry is not None and is_reading(request):
            return _show_export(_Page(request, typed), entry)
        page = _Page(request, typed)
        left_out: Sequence[str] = ()
        if entry is not None:
            page.fill(_spec_of(entry))
            page.typed |= {name: str(entry.params.get(name) or "") for name in ("owner", "notes")}
            page.typed |= {"is_protected": ON} if entry.params.get("is_protected") else {}
            page.typed |= {"name": several} if (several := request.GET.get("name", "")) else {}
        elif vm is not None and settings is not None:
            spec, left_out = settings
            page.fill(with_size(spec, vm.beparams))
        else:
            page.fill(BLANK)
        refusal = ""
        if like and vm is None:
            refusal = _("There is no machine %s that you may see.") % like
        elif like and settings is None:
            refusal = _("What is kept of %s can't be read. Try again when it has been updated.") % like
        form = page.form(is_judged=False)
        if entry is not None and entry.verb == CREATE.key and entry.outcome == "failed":
            form.put_refusal(entry.message)
        form.fields["name"].widget.attrs["autofocus"] = True
        return page.show(form, refusal=refusal, check=_check_of(entry), left_out=left_out)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Create it, ask Ganeti whether it would, or change the form."""
        typed = {name: str(value) for name, value in request.POST.items()}
        if "export" in typed:
            return _ask_of_export(request, typed["export"])
        page = _Page(request, typed)
        if added := _FIRST_FIELDS.get(typed.get("more", "")):
            page.typed = with_part(typed["more"], added, typed)
            return page.show(page.form(is_judged=False), typed["more"])
        if "less" in typed:
            page.typed = without_part(typed["less"], typed)
            return page.show(page.form(is_judged=False), typed["less"].partition(".")[0])
        if typed.get("renew") == "size":  # the figures of the size that was chosen now, not those from before
            first = next((f"disks.{number}.size_mib" for number in numbers_of("disks", typed)), "")
            page.typed = {path: text for path, text in page.typed.items() if path not in (*_FIGURES, first)}
            page.typed |= {first: ""} if first else {}
        if "renew" in typed:
            return page.show(page.form(is_judged=False), typed["renew"])
        form = page.form(is_judged=True)
        if form.is_valid() and "show" in typed:
            return _rehearse(page, form)
        if form.is_valid():
            return _send(page, form, is_check="check" in typed)
        return page.show(form, status=422)


def _rehearse(page: _Page, form: MachineForm) -> HttpResponse:
    """The command and the call that would be sent, of several those of the first; nothing is."""
    ask = Ask(page.actor, page.cluster, _first(form))
    try:
        CREATE.check(ask)
    except Invalid as invalid:
        form.put_errors(invalid.errors)
        page.say_over(invalid)
        return page.show(form, status=422)
    return page.show(form, shown=CREATE.rehearse(ask))


def _first(form: MachineForm) -> CreateParams:
    """What is asked for; of several the first."""
    params = form.params()
    names = list_names(params.spec.name)
    return called(params, names[0]) if names else params


def _send(page: _Page, form: MachineForm, *, is_check: bool) -> HttpResponse:
    """Through the pipeline. What is refused comes back with everything that was typed, at the field it concerns."""
    name = form.params().spec.name
    if page.typed.get("asked") and page.asked is None:
        refusal = _("Request %s is decided already, or not yours to decide.") % page.typed["asked"][:20]
        return page.show(form, refusal=refusal, status=409)
    wanted = template_beside(form) if form.cleaned_data.get("save_as") else None
    if faults := dict(judge_disks_of_export(form.params().spec, page.told)):
        form.put_errors(faults)
        return page.show(form, status=422)
    try:
        if wanted is not None:
            judge_beside(page.actor, wanted)
        save = saving_beside(page.actor, wanted) if wanted is not None and not is_check else None
        if is_pattern(name) and not is_check:
            answer = _plan(page, form, save)
            say_saved(page.request, wanted)
            return answer
        entry = run(CREATE, Ask(page.actor, page.cluster, _first(form), dry_run=is_check), beside=save)
    except Forbidden as forbidden:
        raise PermissionDenied(str(forbidden)) from forbidden
    except Invalid as invalid:
        form.put_errors(invalid.errors)
        page.say_over(invalid)
        return page.show(form, status=422)
    except Refusal as refusal:
        return page.show(form, refusal=str(refusal), status=409)
    if entry.outcome == "refused":
        if wanted is not None and not is_check:  # it is there, and would be in its own way the next time
            say_saved(page.request, wanted)
            page.typed["save_as"] = ""
            form = page.form(is_judged=True)
        form.put_refusal(entry.message)
        return page.show(form, status=409)
    if is_check:
        asked = {"check": str(entry.uuid), **({"name": name} if is_pattern(name) else {})}
        asked |= {"reading": page.typed["reading"]} if page.told is not None else {}
        asked |= {"asked": page.asked.number} if page.asked is not None else {}
        return redirect(f"{reverse('vms-create')}?{urlencode(asked)}")
    say_saved(page.request, wanted)
    answer_asked(page.request, page.actor, page.asked, entry)
    return redirect(page_of("vm", page.cluster.slug, entry.target_name))


def _plan(page: _Page, form: MachineForm, save: Callable[[Any], None] | None) -> HttpResponse:
    """Several: their plan asks before any is made. Raises Invalid, and Refusal."""
    if obstacle := page.barred[page.cluster.slug]:
        raise Refusal(obstacle)
    return redirect("batch", uuid=plan_creations(CREATE, page.actor, page.cluster, form.params(), save).uuid)


def _ask_of_export(request: HttpRequest, called: str) -> HttpResponse:
    """Have Ganeti read an export, from the list of those that the person may use."""
    export = find_export(list_exports(person_of(request)), called)
    page = _Page(request, {"cluster": export.cluster if export is not None else ""})
    try:
        if export is not None:
            return ask_what_it_holds(page.actor, page.cluster, page.facts, export)
        refusal = _("There is no export %s of which you may make a machine.") % called
    except Forbidden as forbidden:
        raise PermissionDenied(str(forbidden)) from forbidden
    except Refusal as refused:
        refusal = str(refused)
    page.fill(BLANK)
    return page.show(page.form(is_judged=False), refusal=refusal, status=409)


def _show_export(page: _Page, entry: Any) -> HttpResponse:
    """What Ganeti told of an export is filled in; while it is asked, the page waits for that alone."""
    asked = _spec_of(entry)
    if entry.is_open:
        context = {"check_url": page.request.get_full_path(), "called": asked.source and asked.source.path}
        return render(page.request, "virtualmachines/create_reading.html", context)
    page.fill(filled_in(asked, page.told, page.cluster.pk))
    return page.show(page.form(is_judged=False), refusal=explain_unread(entry) if page.told is None else "")


def _from_request(request: HttpRequest, number: str) -> HttpResponse:
    """Filled in with what somebody asked for."""
    asked = find_asked(person_of(request), number)
    page = _Page(request, {"cluster": asked.cluster if asked is not None else "", "asked": number})
    page.fill(asked.spec if asked is not None else BLANK)
    page.typed |= {"owner": asked.owner} if asked is not None else {}
    refusal = "" if asked is not None else _("There is no open request %s on which you decide.") % number[:20]
    return page.show(page.form(is_judged=False), refusal=refusal)


def _from_template(request: HttpRequest, typed: Typed) -> HttpResponse:
    """Filled in as a template says, and what of it can't be had on this cluster said at its field."""
    typed["cluster"] = typed["cluster"] or cluster_of_called(typed["template"])
    page = _Page(request, typed)
    if not page.kept.name:
        page.fill(BLANK)
        words = _("There is no template %s that you may see, or what it says can't be read.") % typed["template"]
        return page.show(page.form(is_judged=False), refusal=words)
    page.fill(page.kept.spec)
    page.typed |= page.kept.typed
    form = page.form(is_judged=False)
    left_out = page.kept.find_left_out(form.params().spec)
    faults = faults_of(Ask(page.actor, page.cluster, form.params()), page.facts)
    form.put_errors({path: words for path, words in faults.items() if path not in ("name", "owner")})
    return page.show(form, left_out=left_out)


@require_POST
def create_live(request: HttpRequest) -> HttpResponse:
    """The live part: quotas, room, and what of that which was typed can't be."""
    page = _Page(request, {name: str(value) for name, value in request.POST.items()})
    form = page.form(is_judged=False)
    return render(request, "virtualmachines/_create_live.html", {**page.outlook(form), "sections": form.sections()})


def _spec_of(entry: Any) -> VMSpec:
    """The machine that was asked for; one that this release can't read any more is a new one."""
    try:
        return spec_from_data(entry.params.get("spec"))
    except BadData:
        return BLANK


def _check_of(entry: Any) -> Any:
    """The entry, if it is a check."""
    return entry if entry is not None and entry.verb != CREATE.key else None


def _some(names: list[str]) -> list[str]:
    """Few enough to be read, the last among them."""
    return names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 2], "…", names[-1]]
