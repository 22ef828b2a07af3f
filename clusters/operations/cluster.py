"""What can be done to our record of a cluster: add, change, remove, ask for an update. And looking before adding."""

import re
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.bulkhead import CALLS, Full
from clusters.connection import trust_of
from clusters.models import Cluster, FormerSlug, TlsTrust
from clusters.operations.base import Actor, Forbidden, NoParams, Operation, Refusal
from clusters.operations.comparing import LABELS, compare_settings
from clusters.twins import explain_twin, find_twin
from objectlog.changes import Change
from objectlog.models import Outcome
from objectlog.services import Target, begin
from permissions.policy import Denied, can
from rapi.client import RapiClient
from rapi.errors import DuplicateCluster, RapiError, WrongCluster
from rapi.shapes import ClusterInfo
from rapi.trust import Certificate, normalize_fingerprint, probe_certificate
from ui.places import page_of


@dataclass(frozen=True)
class ClusterSettings:
    """What a person says about a cluster. `password` None: keep the one stored."""

    slug: str
    host: str
    port: int = 5080
    description: str = ""
    username: str = ""
    password: str | None = None
    vnc_password: str | None = None
    tls_trust: str = TlsTrust.PIN
    tls_fingerprint: str = ""
    tls_ca_pem: str = ""
    read_only: bool = False
    is_demo: bool = False

    def write_to(self, cluster: Cluster) -> None:
        """Set the fields of `cluster`, which is not saved."""
        for name in ("slug", "host", "port", "description", "username", "tls_trust", "tls_ca_pem"):
            setattr(cluster, name, getattr(self, name))
        cluster.tls_fingerprint = normalize_fingerprint(self.tls_fingerprint) if self.tls_fingerprint else ""
        cluster.read_only, cluster.is_demo = self.read_only, self.is_demo
        if self.password is not None:
            cluster.password = self.password
        if self.vnc_password is not None:
            cluster.vnc_password = self.vnc_password

    def check(self) -> None:
        """Raise Refusal, naming field and remedy, for what could never work."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", self.slug):
            raise Refusal(
                _("The short name “%s” must be lower-case letters, digits and -, beginning with a letter or digit.")
                % self.slug
            )
        if is_reserved(self.slug):
            raise Refusal(explain_reserved(self.slug))
        if not re.fullmatch(r"[A-Za-z0-9._:%-]+", self.host):
            raise Refusal(_("The host “%s” must be a host name or an address, without https:// and port.") % self.host)
        if not 0 < self.port < 65536:
            raise Refusal(_("The port must be between 1 and 65535; Ganeti's own is 5080."))
        if self.tls_fingerprint:
            try:
                normalize_fingerprint(self.tls_fingerprint)
            except ValueError as error:
                raise Refusal(_("Fingerprint: %s") % error) from error

    def describe(self) -> dict[str, Any]:
        """For the journal: everything but secrets."""
        return {name: getattr(self, name) for name in LABELS}


def is_reserved(slug: str) -> bool:
    """Whether the URL of a cluster of this short name would be another page's."""
    return resolve(page_of("cluster", slug)).kwargs != {"slug": slug}


def explain_reserved(slug: str) -> str:
    """What to say to somebody who chose a reserved short name."""
    return _("“%(slug)s” is part of the URLs of this product. Choose another short name.") % {"slug": slug}


def explain_taken(slug: str) -> str:
    """What to say to somebody who chose the short name of another cluster."""
    return _("There is a cluster called “%s” already. Choose another short name.") % slug


def derive_slug(host: str, taken: set[str]) -> str:
    """A short name for a cluster at `host`: its first label, or the address, made unique by a number."""
    is_address = re.fullmatch(r"[0-9.]+|.*:.*", host) is not None
    base = re.sub(r"[^a-z0-9]+", "-", (host if is_address else host.split(".")[0]).lower()).strip("-") or "cluster"
    slug, number = base[:90], 2
    while slug in taken or is_reserved(slug):
        slug, number = f"{base[:90]}-{number}", number + 1
    return slug


# Of the policy: this server connects, and sends passwords, to where a cluster points.
_RIGHT_TO_POINT = "point_cluster"
# What may pass by itself: settings that fail so can be kept all the same.
MAY_BE_KEPT = frozenset({"unreachable", "timed out", "master down"})
# Of a probe that was not even begun, because too many requests wait already.
SLOW = "slow"


@dataclass(frozen=True)
class Probe:
    """What answered at an address: the certificate, and with credentials what Ganeti says of itself."""

    certificate: Certificate | None = None
    info: ClusterInfo | None = None
    node_count: int = 0
    instance_count: int = 0
    may_write: bool | None = None
    error: str = ""
    error_kind: str = ""


def fetch_certificate(actor: Actor, host: str, port: int) -> Probe:
    """The certificate that `host` shows, to be trusted or not. Raises Forbidden."""
    _require_right_to_add(actor)
    try:
        with CALLS.place(host, port):
            return _fetch_certificate(host, port)
    except Full as full:
        return Probe(error=str(full), error_kind=SLOW)


def _fetch_certificate(host: str, port: int) -> Probe:
    try:
        return Probe(certificate=probe_certificate(host, port, settings.GWM_RAPI_CONNECT_TIMEOUT_S))
    except RapiError as error:
        return Probe(error=str(error), error_kind=error.kind)


def probe_cluster(actor: Actor, wanted: ClusterSettings, *, known: Cluster | None = None) -> Probe:
    """Try address, certificate and credentials, and say what would be imported. Raises Forbidden, Refusal.

    `known` is the cluster whose settings are to be changed, if it is one: the actor must administer it, to try another
    address have the right to point clusters elsewhere, and another cluster must not answer. A stored password is never
    sent to another address: `wanted.password` must be what the person has just typed, or come with the address it
    belongs to.
    """
    if known is None:
        _require_right_to_add(actor)
    else:
        verdict = can(actor.user, EditCluster.needs, known)
        if verdict and is_elsewhere(known, wanted):
            verdict = can(actor.user, _RIGHT_TO_POINT)
        if isinstance(verdict, Denied):
            raise Forbidden(verdict.reason)
    wanted.check()
    try:
        with CALLS.place(wanted.host, wanted.port):
            found = _probe(wanted)
    except Full as full:
        return Probe(error=str(full), error_kind=SLOW)
    if known is not None and known.uuid and found.info is not None and found.info.uuid != known.uuid:
        error = _("Another cluster answers at this address: %(name)s.") % {"name": found.info.name}
        return replace(found, error=error, error_kind=WrongCluster.kind)
    twin = find_twin(found.info.uuid, other_than=known) if found.info is not None else None
    if twin is not None:
        return replace(found, info=None, error=explain_twin(twin), error_kind=DuplicateCluster.kind)
    return found


def _probe(wanted: ClusterSettings) -> Probe:
    cluster = Cluster()
    wanted.write_to(cluster)
    found = _fetch_certificate(wanted.host, wanted.port)
    if found.error:
        return found
    try:
        with RapiClient(
            [(wanted.host, wanted.port)],
            username=wanted.username,
            password=wanted.password or "",
            trust=trust_of(cluster),
            connect_timeout_s=settings.GWM_RAPI_CONNECT_TIMEOUT_S,
            read_timeout_s=settings.GWM_RAPI_READ_TIMEOUT_S,
        ) as client:
            info = client.get_info()
            return replace(
                found,
                info=info,
                node_count=len(client.query("node", ["name"]).rows),
                instance_count=len(client.query("instance", ["name"]).rows),
                may_write=client.may_write() if wanted.username else False,
            )
    except RapiError as error:
        return replace(found, error=str(error), error_kind=error.kind)


def _require_right_to_add(actor: Actor) -> None:
    verdict = can(actor.user, "add_cluster")
    if isinstance(verdict, Denied):
        raise Forbidden(verdict.reason)


def add_cluster(actor: Actor, wanted: ClusterSettings) -> Cluster:
    """Add a cluster, which is due for its first update at once. Raises Forbidden, Refusal.

    Not an `Operation` because there is no target yet; it journals like one. A cluster that does not answer now
    is taken all the same.
    """
    _require_right_to_add(actor)
    wanted.check()
    cluster = Cluster()
    wanted.write_to(cluster)
    with transaction.atomic(durable=True):
        if Cluster.objects.filter(slug=wanted.slug).exists():
            raise Refusal(explain_taken(wanted.slug))
        cluster.sync_wanted_at = timezone.now()
        cluster.save()
        begin(
            actor_id=actor.user.pk,
            actor_name=actor.user.username,
            persona_name=actor.persona.name if actor.persona is not None else actor.user.username,
            via=actor.via,
            verb="add-cluster",
            target=Target("cluster", cluster.pk, cluster.slug, cluster.slug, cluster.pk, cluster.uuid),
            params=wanted.describe(),
            outcome=Outcome.DONE,
            changes=compare_settings(None, wanted),
        )
    return cluster


class _OnRecord(Operation[Cluster, Any]):
    """Of our record, not of the cluster: possible while it is away."""

    kind = "cluster"
    needs = "admin"
    changes_cluster = False
    excludes_others = False

    def cluster_of(self, target: Cluster) -> Cluster:
        return target


class RefreshCluster(_OnRecord):
    """Ask for an update now instead of at its time."""

    name = "refresh"
    label = gettext_lazy("Update now")
    icon = "refresh"
    needs = "view"

    def perform(self, target: Cluster, params: NoParams) -> str:
        now = timezone.now()
        Cluster.objects.filter(pk=target.pk).update(sync_wanted_at=now, next_sync_at=now, operating_systems_at=None)
        return ""


class EditCluster(_OnRecord):
    """Change address, credentials, trust or description."""

    name = "edit-cluster"
    on_command_line = False
    label = gettext_lazy("Edit")
    icon = "edit"
    params_type = ClusterSettings

    def site_right(self, target: Cluster, params: ClusterSettings) -> str:
        return _RIGHT_TO_POINT if is_elsewhere(target, params) else ""

    def refusal(self, target: Cluster, params: ClusterSettings) -> str | None:
        if params.slug != target.slug and is_reserved(params.slug):
            return explain_reserved(params.slug)
        if Cluster.objects.exclude(pk=target.pk).filter(slug=params.slug).exists():
            return explain_taken(params.slug)
        if must_type_password(target, params):
            return _("Type the password: a stored one is not sent to where it did not go before.")
        if must_type_vnc_password(target, params):
            return _("Type the VNC password, or forget it: it goes to where this cluster says that its nodes are.")
        return None

    def perform(self, target: Cluster, params: ClusterSettings) -> str:
        old_slug, is_demo = target.slug, target.is_demo
        params.write_to(target)
        target.is_demo = is_demo
        target.sync_wanted_at = target.next_sync_at = timezone.now()
        target.failures, target.last_error, target.last_error_kind = 0, "", ""
        target.answers_at, target.answers_at_since, target.host_tried_at = "", None, None
        target.save()
        if target.slug != old_slug:
            FormerSlug.objects.filter(cluster=target, slug=target.slug).delete()
            FormerSlug.objects.create(cluster=target, slug=old_slug)
        return ""

    def changes(self, target: Cluster, params: ClusterSettings) -> list[Change]:
        return compare_settings(target, params)

    def journal_params(self, params: ClusterSettings) -> dict[str, Any]:
        changed = {"password_changed": params.password, "vnc_password_changed": params.vnc_password}
        return {**params.describe(), **{name: value is not None for name, value in changed.items()}}


def concerns_connection(cluster: Cluster, wanted: ClusterSettings) -> bool:
    """Whether the settings change where or as whom we sign in, or whom we trust."""
    return wanted.password is not None or _connection_of(cluster) != _connection_of(wanted)


def must_type_password(cluster: Cluster, wanted: ClusterSettings) -> bool:
    """Whether the stored password would go to somebody else: what decides where it is sent was changed."""
    return bool(wanted.username) and wanted.password is None and _connection_of(cluster) != _connection_of(wanted)


def must_type_vnc_password(cluster: Cluster, wanted: ClusterSettings) -> bool:
    """Whether the stored VNC password would go to the nodes of somebody else."""
    return bool(cluster.vnc_password) and wanted.vnc_password is None and is_elsewhere(cluster, wanted)


def is_elsewhere(cluster: Cluster, wanted: ClusterSettings) -> bool:
    """Whether the settings point the cluster at another address, or trust another there."""
    return _destination_of(cluster) != _destination_of(wanted)


def _connection_of(one: ClusterSettings | Cluster) -> tuple[Any, ...]:
    return one.username, *_destination_of(one)


def _destination_of(one: ClusterSettings | Cluster) -> tuple[Any, ...]:
    fingerprint = normalize_fingerprint(one.tls_fingerprint) if one.tls_fingerprint else ""
    return one.host, one.port, one.tls_trust, fingerprint, "".join(one.tls_ca_pem.split())


class UseAddress(_OnRecord):
    """Make the address at which the cluster was found the configured one.

    It is one of the cluster's own master candidates and showed the cluster's identity and its trusted certificate, so
    the password that is stored goes where it went already.
    """

    name = "use-address"
    label = gettext_lazy("Use the address that answers")
    icon = "edit"
    question = gettext_lazy("Use the address that answers for {target}?")

    def refusal(self, target: Cluster, params: NoParams) -> str | None:
        return None if target.answers_at else _("The cluster answers at its configured address.")

    def consequence_for(self, target: Cluster) -> str:
        return _("%(new)s becomes its address instead of %(old)s.") % {"new": target.answers_at, "old": target.host}

    def changes(self, target: Cluster, params: NoParams) -> list[Change]:
        return [Change("host", LABELS["host"], target.host, target.answers_at)]

    def perform(self, target: Cluster, params: NoParams) -> str:
        said = self.consequence_for(target)
        target.host, target.answers_at, target.answers_at_since, target.host_tried_at = (
            target.answers_at,
            "",
            None,
            None,
        )
        target.save(update_fields=["host", "answers_at", "answers_at_since", "host_tried_at"])
        return said


class RemoveCluster(_OnRecord):
    """Forget a cluster with all we keep about it. The cluster itself is not touched."""

    name = "remove-cluster"
    label = gettext_lazy("Remove")
    icon = "trash"
    is_destructive = True
    question = gettext_lazy("Remove {target} from here?")
    consequence = gettext_lazy(
        "Owners, rights and notes of its machines are forgotten. The cluster and its machines go on as they are."
    )

    def changes(self, target: Cluster, params: NoParams) -> list[Change]:
        return compare_settings(target, None)

    def perform(self, target: Cluster, params: NoParams) -> str:
        target.delete()
        return ""
