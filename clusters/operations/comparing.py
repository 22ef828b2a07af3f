"""What changes when the settings of a cluster do: before and after for the journal, and of secrets only that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_noop as _

from clusters.models import Cluster, TlsTrust
from objectlog.changes import Change
from objectlog.messages import Message
from rapi.trust import normalize_fingerprint

if TYPE_CHECKING:
    from clusters.operations.wanted import ClusterSettings

LABELS = {
    "slug": _("short name"),
    "host": _("address"),
    "port": _("port"),
    "description": _("description"),
    "username": _("RAPI user"),
    "tls_trust": _("trust"),
    "tls_fingerprint": _("fingerprint"),
    "read_only": _("read-only"),
}
_TRUST = {TlsTrust.PIN: _("pin"), TlsTrust.CA: _("CA"), TlsTrust.SYSTEM: _("system CAs")}
_PASSWORDS = {"password": _("password"), "vnc_password": _("VNC password")}


def compare_settings(before: Cluster | None, after: ClusterSettings | None) -> list[Change]:
    """The fields that differ; before or after is None where the cluster is added or removed."""
    changes = [
        Change(name, label, _value(before, name), _value(after, name))
        for name, label in LABELS.items()
        if _value(before, name) != _value(after, name)
    ]
    if before is not None and after is not None:
        if "".join(before.tls_ca_pem.split()) != "".join(after.tls_ca_pem.split()):
            changes.append(Change("tls_ca_pem", _("CA certificate"), is_hidden=True))
        for name, label in _PASSWORDS.items():
            if getattr(after, name) is not None:
                changes.append(Change(name, label, is_hidden=True))
    return changes


def _value(settings: Cluster | ClusterSettings | None, name: str) -> Any:
    if settings is None:
        return None
    value = getattr(settings, name)
    if name == "tls_trust":
        return Message(_TRUST[TlsTrust(value)])
    return normalize_fingerprint(value) if name == "tls_fingerprint" and value else value
