"""Names of machines."""

import re

from objectlog.words import gettext as _
from virtualmachines.models import VirtualMachine

# What Ganeti takes for a name (lib/netutils.py, Hostname.GetNormalizedName), less what could not be a DNS name.
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*")


def is_name(name: str) -> bool:
    """Whether a machine can be called this: lower case, as Ganeti keeps names."""
    return _NAME.fullmatch(name) is not None


def explain_name(name: str, cluster: int) -> str:
    """Why a new machine on the cluster of this key can't be called this, or an empty text.

    What is being created holds its name; what is missing, or was never created, does not.
    """
    if not is_name(name):
        return _("Type a name of lower-case letters, digits, dots and -, such as web1.example.org.")
    if VirtualMachine.objects.filter(cluster=cluster, name=name, missing_since=None).exists():
        return _("There is a machine called %s on this cluster already. Type another name.") % name
    return ""
