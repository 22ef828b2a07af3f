"""What a person says about a cluster, and how it differs from what we know."""

import re
from dataclasses import dataclass
from typing import Any

from django.urls import resolve

from clusters.models import Cluster, TlsTrust
from clusters.operations.comparing import LABELS
from clusters.saying import said
from objectlog.words import gettext as _
from operations.contract import Invalid
from rapi.trust import normalize_fingerprint
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

    def check(self, *, slug_now: str = "") -> None:
        """Raise Invalid, by field and with the remedy, for what could never work. `slug_now` may stay as it is."""
        errors = {}
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", self.slug):
            errors["slug"] = (
                _("The short name “%s” must be lower-case letters, digits and -, beginning with a letter or digit.")
                % self.slug
            )
        elif self.slug != slug_now and is_reserved(self.slug):
            errors["slug"] = explain_reserved(self.slug)
        if not re.fullmatch(r"[A-Za-z0-9._:%-]+", self.host):
            errors["host"] = (
                _("The host “%s” must be a host name or an address, without https:// and port.") % self.host
            )
        if not 0 < self.port < 65536:
            errors["port"] = _("The port must be between 1 and 65535; Ganeti's own is 5080.")
        if self.tls_fingerprint:
            try:
                normalize_fingerprint(self.tls_fingerprint)
            except ValueError as error:
                errors["tls_fingerprint"] = _("Fingerprint: %s") % said(error)
        if errors:
            raise Invalid(errors)

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
