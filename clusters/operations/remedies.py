"""What to do about a cluster that can't be read, by the kind of the error (rapi.errors)."""

from django.utils.translation import gettext_lazy

REMEDIES = {
    "unreachable": gettext_lazy(
        "Check address and port, that ganeti-rapi runs on the master, and that no firewall is in between."
    ),
    "timed out": gettext_lazy("Check address and port, and that no firewall drops the connection."),
    "garbled": gettext_lazy(
        "Ganeti's RAPI speaks https with TLS 1.2 or newer; its port is 5080 unless it was changed."
    ),
    "untrusted": gettext_lazy("Compare the fingerprints, or choose another way to trust the certificate."),
    "bad credentials": gettext_lazy("Check user and password against /var/lib/ganeti/rapi/users on the master."),
    "not allowed": gettext_lazy("Give the user the word write in /var/lib/ganeti/rapi/users on the master."),
    "master down": gettext_lazy(
        "RAPI answers but Ganeti's master daemon does not: look at gnt-cluster and ganeti-watcher there."
    ),
    "wrong cluster": gettext_lazy("Check the address; another cluster is added as one of its own."),
}
