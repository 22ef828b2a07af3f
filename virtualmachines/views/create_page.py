"""What the page of a new machine is made of: who asks, what was typed, on which cluster, and what that would mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from clusters.selectors import list_clusters
from objectlog.words import gettext
from operations.actors import actor_of
from operations.contract import SITE, Ask, Invalid, OverQuota, Shown
from operations.offers import find_obstacle
from operations.pipeline import note_denied
from permissions.policy import access_of, can, reach_kept, verbs_on
from permissions.selectors import list_personas
from permissions.signed_in import person_of
from ui.places import page_of
from virtualmachines.asked import find_asked
from virtualmachines.exports import find_told, list_exports
from virtualmachines.forms.creating import MachineForm
from virtualmachines.forms.machine_pieces import MachinePieces
from virtualmachines.forms.pieces.piece import Typed
from virtualmachines.operations.creating import Create, CreateParams
from virtualmachines.operations.several import faults_of_all, list_names
from virtualmachines.outlook import count_room, places_of, shares_of
from virtualmachines.rules import Facts
from virtualmachines.selectors import is_seen, list_clusters_to_create_on
from virtualmachines.spec import VMSpec
from virtualmachines.template_selectors import list_choices
from virtualmachines.views.using import TemplateInUse

CREATE = Create()
_MOST_NAMES = 10


class Page:
    """One request: who asks, what was typed, on which cluster. PermissionDenied for who may create nowhere.

    `tries`: a machine is asked for; without it the form is shown, and nothing was tried.
    """

    def __init__(self, request: HttpRequest, typed: Typed, *, tries: bool = False) -> None:
        self.request, self.user, self.typed = request, person_of(request), typed
        self.actor, self._tries = actor_of(request), tries
        self.asked = find_asked(self.user, typed.get("asked", ""))
        slug = typed.get("cluster") or (self.asked.cluster if self.asked is not None else "")
        with reach_kept():  # nothing is changed yet
            self._there = list_clusters_to_create_on(self.user)
            found = self._there.defer(None).filter(slug=slug).first() if slug else None
            self.cluster: Any = found or self._find_another()
            self.held = verbs_on(self.user, self.cluster)
        #: a cluster on which one may create no more, or that is gone: the machine is not made on another one instead
        self.lost = slug[:100] if slug and found is None else ""
        if self.lost and (seen := list_clusters(self.user).filter(slug=slug).first()) is not None:
            self._note_denied(seen, access_of(type(seen)).refuse(CREATE.needs))
        self.facts = Facts.of(self.cluster)
        self.is_admin = "admin" in self.held
        self.may_exceed = self.actor.may_exceed  # ticked before, it stays to be ticked
        self.over_quota_on = ""
        self.typed["cluster"] = self.cluster.slug
        self.told = find_told(self.user, typed.get("reading", ""), self.cluster)
        self.kept = TemplateInUse.find(self.user, typed.get("template", ""), is_admin=self.is_admin)

    @cached_property
    def barred(self) -> dict[str, str]:
        """The clusters to choose from, by short name, and why nothing can be created there now."""
        return {each.slug: find_obstacle(CREATE, each) or "" for each in self._there}

    @property
    def obstacle(self) -> str:
        """Why nothing can be created on this one now."""
        return find_obstacle(CREATE, self.cluster) or ""

    def _find_another(self) -> Any:
        """Where something can be created, if there is such a one."""
        slug = next((slug for slug, reason in self.barred.items() if not reason), next(iter(self.barred), ""))
        found = self._there.defer(None).filter(slug=slug).first()
        if found is None:
            reason = gettext(
                "You may not create machines on any cluster (needs create_vm). Ask an administrator for that right."
            )
            self._note_denied(SITE, reason)
            raise PermissionDenied(reason)
        return found

    def _note_denied(self, target: Any, reason: str) -> None:
        """Somebody tried to create a machine where they may not."""
        if self._tries:
            params = CreateParams(VMSpec(self.request.POST.get("name", "").strip()[:255]))
            is_check = not {"check", "export"}.isdisjoint(self.request.POST)
            note_denied(CREATE, Ask(self.actor, target, params, dry_run=is_check), reason)

    def form(self, *, is_judged: bool) -> MachineForm:
        """What was typed."""
        form = MachineForm(
            self.typed,
            actor=self.actor,
            cluster=self.cluster,
            facts=self.facts,
            is_admin=self.is_admin,
            personas=lambda: list_personas(self.user, self.actor.persona),
            clusters=lambda: self.barred,
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
        pieces = MachinePieces(
            self.typed, cluster=self.cluster, facts=self.facts, is_admin=self.is_admin, own=self.kept.spec
        )
        self.typed |= pieces.typed(spec)

    def start(self, spec: VMSpec) -> None:
        """The same with what the request says that this machine is for: whose it is, its name, and what `spec` leaves
        open of its size."""
        self.fill(spec if self.asked is None else _for(self.asked.spec, spec))
        self.typed |= {"owner": self.asked.owner} if self.asked is not None else {}

    def show(
        self,
        form: MachineForm,
        opened: str = "",
        *,
        refusal: str = "",
        check: Any = None,
        is_check_told: bool = False,
        shown: Sequence[Shown] = (),
        like: str = "",
        left_out: Sequence[str] = (),
        status: int = 200,
    ) -> HttpResponse:
        """The whole page. `is_check_told`: what Ganeti said to the check stands at a field. `like`: the machine that is
        the model, `left_out`: its settings which one may not set."""
        context = {
            "sections": form.sections(opened),
            "problems": form.problems() if form.errors else [],
            "namesake": self._find_namesake(form) if "name" in form.errors else "",
            "may_exceed": self.may_exceed,
            "over_quota_on": self.over_quota_on,
            "obstacle": self.obstacle,
            "refusal": refusal,
            "check": check,
            "is_check_told": is_check_told,
            "shown": shown,
            "like": like,
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
        if self.request.method == "GET":
            form.fields["name"].widget.attrs["autofocus"] = True
        return render(self.request, "virtualmachines/create.html", context, status=status)

    def _find_namesake(self, form: MachineForm) -> str:
        """The URL of the machine that has the name already, which may be the one that this very form has made."""
        name = form.params().spec.name
        return page_of("vm", self.cluster.slug, name) if is_seen(self.user, self.cluster, name) else ""

    def faults(self, params: CreateParams) -> dict[str, str]:
        """What is wrong with the machine as far as it could be read, by path."""
        return faults_of_all(Ask(self.actor, self.cluster, params), self.facts, self.held)

    def outlook(self, form: MachineForm) -> dict[str, Any]:
        """What is told while one types: of fields that are still empty it is not said that they are."""
        params = form.params()
        places = places_of(self.cluster, params.spec)
        usable = [place for place in places if place.is_usable]
        chosen = [place for place in places if place.node.name == params.spec.placement.primary]
        names = list_names(params.spec.name)
        number, where = len(names) or 1, chosen or usable
        faults = {**self.faults(params), **{name: " ".join(words) for name, words in form.said.items()}}
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


def _for(asked: VMSpec, spec: VMSpec) -> VMSpec:
    """What was asked for, made as `spec` says."""
    disks = spec.disks if any(disk.size_mib for disk in spec.disks) else asked.disks
    return replace(spec, name=asked.name or spec.name, beparams={**asked.beparams, **spec.beparams}, disks=disks)


def _some(names: list[str]) -> list[str]:
    """Few enough to be read, the last among them."""
    return names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 2], "…", names[-1]]
