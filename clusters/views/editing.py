"""Changing what we know about a cluster, its parameters as Ganeti has them."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from clusters.described import page_for
from clusters.forms.cluster import EditForm, describe_cluster
from clusters.operations.cluster import EditCluster
from clusters.operations.drafts import open_draft, seal_draft, with_kept
from clusters.operations.probe import MAY_BE_KEPT, SLOW, Probe, probe_cluster
from clusters.operations.remedies import REMEDIES
from clusters.operations.wanted import (
    ClusterSettings,
    concerns_connection,
)
from clusters.selectors import get_cluster
from clusters.views.frame import cluster_page
from clusters.views.settings import describe_settings
from clusters.views.stored import table_of
from objectlog.changes import as_rows
from operations.actors import actor_of
from operations.contract import Ask, Forbidden, Invalid, Refusal
from operations.pipeline import run
from operations.views.denying import refuse
from permissions.policy import Denied, can
from permissions.signed_in import person_of
from ui.places import page_of

# The field that an error of the probe is about, by its kind; the others are about the address.
_FIELD_OF = {"bad credentials": "password", "not allowed": "username"}
_TRUST_FIELD = {"pin": "tls_fingerprint", "ca": "tls_ca_pem", "system": "tls_trust"}


class ClusterEdit(View):
    """The form, which tries the new settings before it keeps them."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """For who administers the cluster."""
        self.user = person_of(request)
        self.cluster: Any = get_cluster(self.user, kwargs["slug"])
        verdict = can(self.user, EditCluster.needs, self.cluster)
        if isinstance(verdict, Denied):
            refuse(request, EditCluster(), self.cluster, verdict.reason)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """The settings as they are."""
        return self._show(request, self._form())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Try what was typed, and keep it; or keep what was tried in vain before."""
        sealed, may_keep = request.session.get(self._draft, ("", False))
        kept = open_draft(sealed)
        if request.POST.get("anyway"):
            if kept is None or not may_keep:
                messages.warning(request, _("Your input has expired; please enter it again."))
                return redirect("cluster-edit", slug)
            form = EditForm(initial={name: getattr(kept, name) for name in describe_cluster(self.cluster)})
            return self._save(request, form, kept)
        form = self._form(request.POST)
        if not form.is_valid():
            return self._show(request, form, 422)
        wanted = with_kept(form.settings(), kept if "kept" in request.POST else None)
        operation, ask = EditCluster(), Ask(actor_of(request), self.cluster, wanted)
        try:
            operation.check(ask)
        except Invalid as invalid:
            return self._mark(request, form, invalid)
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        if "preview" in request.POST:
            request.session[self._draft] = [seal_draft(wanted), False]
            changes = as_rows(change.as_data() for change in operation.changes(ask))
            is_kept = bool(wanted.password or wanted.vnc_password)
            return self._show(request, form, is_preview=True, changes=changes, password_kept=is_kept)
        if concerns_connection(self.cluster, wanted):
            password = self.cluster.password if wanted.password is None else wanted.password
            tried = replace(wanted, password=password if wanted.username else "")
            probe = probe_cluster(actor_of(request), tried, known=self.cluster)
            if probe.error:
                request.session[self._draft] = [seal_draft(wanted), probe.error_kind in MAY_BE_KEPT]
                return self._explain(request, form, probe, is_kept=bool(wanted.password or wanted.vnc_password))
        return self._save(request, form, wanted)

    def _form(self, given: Any = None) -> EditForm:
        may_point = bool(can(self.user, "point_cluster"))
        return EditForm(given, initial=describe_cluster(self.cluster), may_point=may_point)

    @property
    def _draft(self) -> str:
        """Where in the session lies what was tried in vain, sealed, and whether it may be kept all the same."""
        return f"cluster-draft-{self.cluster.pk}"

    def _explain(self, request: HttpRequest, form: EditForm, probe: Probe, *, is_kept: bool) -> HttpResponse:
        """The form with the error at its field; what may pass by itself can be kept all the same."""
        said = f"{probe.error.rstrip('.')}. {REMEDIES.get(probe.error_kind, '')}".strip()
        if probe.error_kind == SLOW:
            field = None
        elif probe.error_kind == "untrusted":
            field = _TRUST_FIELD[form.cleaned_data["tls_trust"]]
        elif probe.error_kind == "bad credentials" and not form.cleaned_data["username"]:
            field = "username"
        else:
            field = _FIELD_OF.get(probe.error_kind, "host")
        form.add_error(field, said)
        status = 409 if probe.error_kind == SLOW else 422
        may_keep = probe.error_kind in MAY_BE_KEPT
        return self._show(request, form, status, may_save_anyway=may_keep, password_kept=is_kept)

    def _save(self, request: HttpRequest, form: EditForm, wanted: ClusterSettings) -> HttpResponse:
        try:
            run(EditCluster(), Ask(actor_of(request), self.cluster, wanted))
        except Forbidden as forbidden:
            raise PermissionDenied(str(forbidden)) from forbidden
        except Invalid as invalid:
            if not form.is_bound:
                messages.error(request, str(invalid))
                return redirect("cluster-edit", self.cluster.slug)
            return self._mark(request, form, invalid)
        except Refusal as refusal:
            if not form.is_bound:
                messages.error(request, str(refusal))
                return redirect("cluster-edit", self.cluster.slug)
            form.add_error(None, str(refusal))
            return self._show(request, form, 409)
        request.session.pop(self._draft, None)
        messages.success(
            request, _("Cluster %s changed. An update with the new settings is in progress.") % wanted.slug
        )
        return redirect(page_of("cluster", wanted.slug))

    def _mark(self, request: HttpRequest, form: EditForm, invalid: Invalid) -> HttpResponse:
        """The form with what was wrong, each at its field."""
        for field, words in invalid.errors.items():
            form.add_error(field if field in form.fields else None, words)
        return self._show(request, form, 422)

    def _show(self, request: HttpRequest, form: EditForm, status: int = 200, **more: Any) -> HttpResponse:
        context = {"cluster": self.cluster, "form": form, **more}
        return render(request, "clusters/edit.html", context, status=status)


@require_safe
def cluster_parameters(request: HttpRequest, slug: str) -> HttpResponse:
    """The defaults that the cluster gives its machines, and its own settings."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    page = cluster_page(user, cluster, "parameters")
    sections = describe_settings(table_of(cluster.info), cluster.enabled_hypervisors)
    shown = page_for(sections, "admin" in page["held"])
    return render(request, "clusters/parameters.html", {**page, "shown": shown})
