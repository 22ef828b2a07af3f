"""What can be done to our record of a cluster: add, change, remove, ask for an update."""

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clusters.models import Cluster, FormerSlug, Schedule
from clusters.operations.comparing import LABELS, compare_settings
from clusters.operations.ganeti import GanetiOperation
from clusters.operations.probe import RIGHT_TO_POINT
from clusters.operations.settle import give_up_with
from clusters.operations.wanted import (
    ClusterSettings,
    explain_taken,
    is_elsewhere,
    must_type_password,
    must_type_vnc_password,
)
from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import SITE, Actor, Ask, Claims, Forbidden, Invalid, NoParams, Site
from operations.pipeline import run
from permissions.policy import Denied, can

P = TypeVar("P")


class AddCluster(GanetiOperation[Site, ClusterSettings]):
    """Add a cluster, which is due for its first update at once. One that does not answer now is taken all the same."""

    kind = "cluster"
    verb = "add"
    is_on_site = True
    has_own_page = True
    label = gettext_lazy("Add a cluster")
    needs = "add_cluster"
    icon = "plus"
    sends = False
    locks = False
    params_type = ClusterSettings

    def cluster_of(self, target: Any) -> Cluster:
        """The one that was made; before, there is none."""
        if not isinstance(target, Cluster):
            raise TypeError("There is no cluster before it is added.")
        return target

    def check(self, ask: Ask[Site, ClusterSettings]) -> None:
        ask.params.check()
        _check_slug_is_free(ask.params.slug, Cluster.objects.all())

    def changes(self, ask: Ask[Site, ClusterSettings]) -> list[Change]:
        return compare_settings(None, ask.params)

    def claim(self, ask: Ask[Site, ClusterSettings], entry: UUID) -> Claims:
        cluster = Cluster()
        ask.params.write_to(cluster)
        cluster.save()
        return Claims(made=cluster)

    def perform(self, ask: Ask[Site, ClusterSettings]) -> str:
        return ""

    def journal_params(self, params: ClusterSettings) -> dict[str, Any]:
        return params.describe()


def add_cluster(actor: Actor, wanted: ClusterSettings) -> Cluster:
    """Add a cluster and return its row. Raises Forbidden, Refusal, Invalid."""
    run(AddCluster(), Ask(actor, SITE, wanted))
    return Cluster.objects.get(slug=wanted.slug)


def _check_slug_is_free(slug: str, among: QuerySet[Cluster]) -> None:
    if among.filter(slug=slug).exists():
        raise Invalid({"slug": explain_taken(slug)})


class OnRecord(GanetiOperation[Cluster, P]):
    """Of our record, not of the cluster: possible while it is away."""

    kind = "cluster"
    needs = "admin"
    sends = False
    locks = False

    def cluster_of(self, target: Cluster) -> Cluster:
        return target


class RefreshCluster(OnRecord[NoParams]):
    """Ask for an update now instead of at its time."""

    verb = "refresh"
    label = gettext_lazy("Update now")
    icon = "refresh"
    needs = "view"

    def perform(self, ask: Ask[Cluster, NoParams]) -> str:
        now = timezone.now()
        schedule = Schedule.objects.filter(pk=ask.target.pk)
        schedule.update(sync_wanted_at=now, next_sync_at=now, operating_systems_at=None, exports_at=None)
        return ""


class EditCluster(OnRecord[ClusterSettings]):
    """Change address, credentials, trust or description."""

    verb = "edit"
    has_own_page = True
    label = gettext_lazy("Edit")
    icon = "edit"
    params_type = ClusterSettings

    def check(self, ask: Ask[Cluster, ClusterSettings]) -> None:
        target, params = ask.target, ask.params
        if is_elsewhere(target, params):
            verdict = can(ask.actor.user, RIGHT_TO_POINT)
            if isinstance(verdict, Denied):
                raise Forbidden(verdict.reason)
        params.check(slug_now=target.slug)
        _check_slug_is_free(params.slug, Cluster.objects.exclude(pk=target.pk))
        errors = {}
        if must_type_password(target, params):
            errors["password"] = _("Type the password: a stored one is not sent to where it did not go before.")
        if must_type_vnc_password(target, params):
            errors["vnc_password"] = _(
                "Type the VNC password, or forget it: it goes to where this cluster says that its nodes are."
            )
        if errors:
            raise Invalid(errors)

    def changes(self, ask: Ask[Cluster, ClusterSettings]) -> list[Change]:
        return compare_settings(ask.target, ask.params)

    def perform(self, ask: Ask[Cluster, ClusterSettings]) -> str:
        target = ask.target
        old_slug, is_demo = target.slug, target.is_demo
        ask.params.write_to(target)
        target.is_demo = is_demo
        target.last_error = target.last_error_kind = target.answers_at = ""
        target.answers_at_since = None
        target.save()
        now = timezone.now()
        schedule = Schedule.objects.filter(pk=target.pk)
        schedule.update(sync_wanted_at=now, next_sync_at=now, failures=0, host_tried_at=None)
        if target.slug != old_slug:
            FormerSlug.objects.filter(cluster=target, slug=target.slug).delete()
            FormerSlug.objects.create(cluster=target, slug=old_slug)
        return ""

    def journal_params(self, params: ClusterSettings) -> dict[str, Any]:
        changed = {"password_changed": params.password, "vnc_password_changed": params.vnc_password}
        return {**params.describe(), **{name: value is not None for name, value in changed.items()}}


class UseAddress(OnRecord[NoParams]):
    """Make the address at which the cluster was found the configured one.

    It is one of the cluster's own master candidates and showed the cluster's identity and its trusted certificate, so
    the password that is stored goes where it went already.
    """

    verb = "use-address"
    label = gettext_lazy("Use the address that answers")
    icon = "edit"
    question = gettext_lazy("Use the address that answers for {target}?")

    def obstacle(self, target: Cluster) -> str | None:
        return None if target.answers_at else _("The cluster answers at its configured address.")

    def consequence_for(self, target: Cluster) -> str:
        return _("%(new)s becomes its address instead of %(old)s.") % {"new": target.answers_at, "old": target.host}

    def changes(self, ask: Ask[Cluster, NoParams]) -> list[Change]:
        return [Change("host", LABELS["host"], ask.target.host, ask.target.answers_at)]

    def perform(self, ask: Ask[Cluster, NoParams]) -> str:
        target = ask.target
        said = self.consequence_for(target)
        target.host, target.answers_at, target.answers_at_since = target.answers_at, "", None
        target.save(update_fields=["host", "answers_at", "answers_at_since"])
        Schedule.objects.filter(pk=target.pk).update(host_tried_at=None)
        return said


class RemoveCluster(OnRecord[NoParams]):
    """Forget a cluster with all we keep about it. The cluster itself is not touched."""

    verb = "remove"
    label = gettext_lazy("Remove")
    icon = "trash"
    is_destructive = True
    wants_typed_name = True
    question = gettext_lazy("Remove {target} from here?")
    consequence = gettext_lazy(
        "Owners, rights and notes of its machines are forgotten. The cluster and its machines go on as they are."
    )

    def changes(self, ask: Ask[Cluster, NoParams]) -> list[Change]:
        return compare_settings(ask.target, None)

    def perform(self, ask: Ask[Cluster, NoParams]) -> str:
        give_up_with(ask.target)
        ask.target.delete()
        return ""
