"""What can be a tag of anything in Ganeti, and who may set it."""

import re
from collections.abc import Iterable

from objectlog.words import gettext as _

#: what this program notes in Ganeti: nobody's to set, and shown to nobody
OUR_PREFIX = "gwm:"
#: what Ganeti's own tools heed
TOOLS_PREFIX = "htools:"
#: what Ganeti takes, in characters
LONGEST = 128
# lib/constants: TAG_CHAR, MAX_TAG_LEN
_TAG = re.compile(rf"[\w.+*/:@-]{{1,{LONGEST}}}", re.ASCII)


def find_fault(tags: Iterable[str], *, by_admin: bool) -> str:
    """What is wrong with these for who wants to set or remove them, `by_admin` of their cluster or not; else empty."""
    for tag in tags:
        if not _TAG.fullmatch(tag):
            return _("“%s” is not a tag: letters, digits and _.+*/:@- only, at most 128.") % tag[:130]
        if tag.startswith(OUR_PREFIX):
            return _("Tags that begin with %s are kept by this program.") % OUR_PREFIX
        if tag.startswith(TOOLS_PREFIX) and not by_admin:
            return _("Tags that begin with %s are for administrators of the cluster.") % TOOLS_PREFIX
    return "" if tags else _("Type a tag.")
