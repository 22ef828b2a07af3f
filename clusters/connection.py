"""From a cluster's row to a RAPI client: the only place that decrypts a password and opens a connection."""

from django.conf import settings

from clusters.models import Cluster, TlsTrust
from rapi.client import RapiClient
from rapi.trust import Trust


def trust_of(cluster: Cluster) -> Trust:
    """By what the certificate of `cluster` is verified. ValueError if the fingerprint or the PEM is malformed."""
    if cluster.tls_trust == TlsTrust.SYSTEM:
        return Trust.system()
    if cluster.tls_trust == TlsTrust.CA:
        return Trust.authority(cluster.tls_ca_pem)
    return Trust.pinned(cluster.tls_fingerprint)


def client_for(
    cluster: Cluster,
    *,
    read_timeout_s: float | None = None,
    configured_first: bool = False,
    changes_within_s: float | None = None,
    only_dry_runs: bool = False,
) -> RapiClient:
    """A client of `cluster`, to be closed by the caller (it is a context manager).

    It follows the master to the candidates known from the last update, as long as they are the same cluster. Where the
    configured address was found not to answer, the one that did comes first, unless `configured_first`.
    """
    first = [cluster.host, cluster.answers_at] if configured_first else [cluster.answers_at, cluster.host]
    hosts = [host for host in (*first, *cluster.fallback_hosts) if host]
    return RapiClient(
        [(host, cluster.port) for host in hosts],
        username=cluster.username,
        password=cluster.password,
        trust=trust_of(cluster),
        connect_timeout_s=settings.GWM_RAPI_CONNECT_TIMEOUT_S,
        read_timeout_s=read_timeout_s if read_timeout_s is not None else settings.GWM_RAPI_READ_TIMEOUT_S,
        cluster_uuid=cluster.uuid or None,
        changes_within_s=changes_within_s,
        only_dry_runs=only_dry_runs,
    )
