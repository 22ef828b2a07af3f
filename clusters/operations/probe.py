"""Looking before a cluster is added or changed: address, certificate, credentials."""

from dataclasses import dataclass, replace

from django.conf import settings

from clusters.bulkhead import CALLS, Full
from clusters.connection import trust_of
from clusters.models import Cluster
from clusters.operations.wanted import ClusterSettings, is_elsewhere
from clusters.saying import say
from clusters.twins import explain_twin, find_twin
from objectlog.words import gettext as _
from operations.contract import Actor, Forbidden
from permissions.policy import Denied, can
from rapi.client import RapiClient
from rapi.errors import DuplicateCluster, RapiError, WrongCluster
from rapi.shapes import ClusterInfo
from rapi.trust import Certificate, probe_certificate

# Of the policy: this server connects, and sends passwords, to where a cluster points.
RIGHT_TO_POINT = "point_cluster"


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
        return Probe(error=say(error), error_kind=error.kind)


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
        verdict = can(actor.user, "admin", known)
        if verdict and is_elsewhere(known, wanted):
            verdict = can(actor.user, RIGHT_TO_POINT)
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
        return replace(found, error=say(error), error_kind=error.kind)


def _require_right_to_add(actor: Actor) -> None:
    verdict = can(actor.user, "add_cluster")
    if isinstance(verdict, Denied):
        raise Forbidden(verdict.reason)
