"""Adding a cluster in steps: its address, whom to trust and as whom to sign in, what will be imported.

What was typed stays; a password is kept sealed in the session between the steps, never in a page.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views import View

from clusters.forms.cluster import AddForm, AddressForm
from clusters.operations.cluster import AddCluster as AddOperation
from clusters.operations.cluster import add_cluster
from clusters.operations.drafts import open_draft, password_of, seal_draft
from clusters.operations.probe import MAY_BE_KEPT, SLOW, Probe, fetch_certificate, probe_cluster
from clusters.operations.remedies import REMEDIES
from clusters.operations.wanted import ClusterSettings, derive_slug, explain_taken
from clusters.selectors import list_clusters
from operations.actors import actor_of
from operations.contract import SITE, Actor, AnyOperation, Forbidden, Refusal
from operations.views.denying import refuse
from permissions.policy import Denied, can
from rapi.errors import DuplicateCluster
from ui.places import page_of

_DRAFT = "cluster-draft"


ADD: AnyOperation = AddOperation()


class AddCluster(View):
    """All steps at one address; the field `step` says which was sent."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """For who may add clusters."""
        verdict = can(request.user, "add_cluster")
        if isinstance(verdict, Denied):
            refuse(request, ADD, SITE, verdict.reason)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Step 1, empty or with the address that one comes back with."""
        given = {name: request.GET[name] for name in ("host", "port") if request.GET.get(name)}
        return self._show(request, 1, form=AddressForm(initial={"port": 5080, **given}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """The step that was sent."""
        actor = actor_of(request)
        step = request.POST.get("step")
        if step == "address":
            return self._take_address(request, actor)
        if step == "settings":
            return self._take_settings(request, actor)
        return self._add(request, actor)

    def _take_address(self, request: HttpRequest, actor: Actor) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self._show(request, 1, 422, form=form)
        host, port = form.cleaned_data["host"], form.cleaned_data["port"]
        probe = fetch_certificate(actor, host, port)
        if probe.certificate is None and not request.POST.get("anyway"):
            return self._show(
                request, 1, 422, form=form, probe=probe, may_go_on=probe.error_kind != SLOW, **_explain(probe)
            )
        taken = set(list_clusters(actor.user).values_list("slug", flat=True))
        shown = probe.certificate.fingerprint if probe.certificate is not None else ""
        initial = {
            "host": host,
            "port": port,
            "slug": derive_slug(host, taken),
            "tls_trust": "pin",
            "tls_fingerprint": shown,
        }
        return self._show(request, 2, form=AddForm(initial=initial), probe=probe, host=host, port=port)

    def _take_settings(self, request: HttpRequest, actor: Actor) -> HttpResponse:
        form = AddForm(request.POST)
        where: dict[str, Any] = {"host": request.POST.get("host", ""), "port": request.POST.get("port", "")}
        if not form.is_valid():
            self._keep_password(request, form)
            return self._show(request, 2, 422, form=form, **where)
        given = form.cleaned_data
        before = open_draft(request.session.get(_DRAFT))
        known = password_of(before, host=given["host"], port=given["port"], username=given["username"])
        wanted = form.settings((given["password"] or known) if given["username"] else "")
        request.session[_DRAFT] = seal_draft(wanted)
        refusal = self._refusal(actor, wanted)
        if refusal:
            return self._show(request, 2, 409, form=form, error=refusal, password_kept=bool(wanted.password), **where)
        probe = probe_cluster(actor, wanted)
        if probe.error_kind == DuplicateCluster.kind:
            del request.session[_DRAFT]  # there is no way on from here
        if probe.error:
            return self._show(
                request,
                2,
                422,
                form=form,
                probe=probe,
                password_kept=bool(wanted.password),
                may_add_anyway=probe.error_kind in MAY_BE_KEPT,
                **_explain(probe),
                **where,
            )
        return self._show(request, 3, wanted=wanted, probe=probe, **where)

    def _add(self, request: HttpRequest, actor: Actor) -> HttpResponse:
        wanted = open_draft(request.session.get(_DRAFT))
        if wanted is None:
            messages.warning(request, _("Your input has expired; please enter it again."))
            return redirect("cluster-add")
        try:
            cluster = add_cluster(actor, wanted)
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Refusal as refusal:
            form = AddForm(initial=_initial_of(wanted))
            return self._show(
                request, 2, 409, form=form, error=str(refusal), password_kept=True, host=wanted.host, port=wanted.port
            )
        del request.session[_DRAFT]
        messages.success(request, _("Cluster %s added. Its first update is in progress.") % cluster)
        return redirect(page_of("cluster", cluster.slug))

    def _keep_password(self, request: HttpRequest, form: AddForm) -> None:
        """A password typed beside a wrong field need not be typed again."""
        given = form.cleaned_data
        if given.get("password") and all(given.get(name) for name in ("host", "port", "username")):
            kept = ClusterSettings(
                slug="draft",
                host=given["host"],
                port=given["port"],
                username=given["username"],
                password=given["password"],
            )
            request.session[_DRAFT] = seal_draft(kept)

    def _refusal(self, actor: Actor, wanted: ClusterSettings) -> str:
        try:
            wanted.check()
        except Refusal as refusal:
            return str(refusal)
        if list_clusters(actor.user).filter(slug=wanted.slug).exists():
            return explain_taken(wanted.slug)
        if wanted.username and not wanted.password:
            return _("Type the password of the RAPI user, or leave the user empty to add the cluster read only.")
        return ""

    def _show(self, request: HttpRequest, step: int, status: int = 200, **context: Any) -> HttpResponse:
        return render(request, "clusters/add.html", {"step": step, **context}, status=status)


def _explain(probe: Probe) -> dict[str, Any]:
    return {"error": probe.error, "remedy": REMEDIES.get(probe.error_kind, "")}


def _initial_of(wanted: ClusterSettings) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in AddForm.base_fields if name != "password"}
