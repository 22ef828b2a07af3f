"""What helps where an update of a cluster failed, by the kind of error (rapi/errors.py)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REMEDIES: dict[str, Promise] = {
    "unreachable": _(
        "Check host and port, that ganeti-rapi runs on the master, and that it listens on an address that can be "
        "reached from here (Debian: RAPI_ARGS in /etc/default/ganeti; its default is 127.0.0.1)."
    ),
    "timed out": _(
        "Check firewalls between here and the cluster; if the connection is made but no answer comes, look at "
        "ganeti-luxid on the master."
    ),
    "untrusted": _(
        "If the certificate was renewed on purpose (gnt-cluster renew-crypto), accept the new one: edit the cluster "
        "and compare the fingerprint with `openssl x509 -noout -fingerprint -sha256 -in /var/lib/ganeti/rapi.pem` on "
        "the master."
    ),
    "master down": _("This node is not the master, or ganeti-luxid is down there. Use the cluster's own name as host."),
    "wrong cluster": _("Correct the host, or add that cluster under a name of its own."),
    "bad credentials": _(
        "Compare user and password with /var/lib/ganeti/rapi/users on the master, and edit the cluster."
    ),
    "not allowed": _(
        "Give the user `write` in /var/lib/ganeti/rapi/users on the master; `read` is enough to look only."
    ),
    "garbled": _("Something else than Ganeti's RAPI answers at this address, or a proxy in between changes answers."),
}


def remedy_for(kind: str) -> str:
    """What to do about an error of this kind; the empty text where the error says all there is to say."""
    return str(REMEDIES.get(kind, ""))
