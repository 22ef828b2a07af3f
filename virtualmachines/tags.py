"""Tags that mean something beside what people mean by them."""

from collections.abc import Iterable

#: what this program notes in Ganeti: nobody's to set, and shown to nobody
OUR_PREFIX = "gwm:"
#: what Ganeti's own tools heed
TOOLS_PREFIX = "htools:"


def of_people(tags: Iterable[str]) -> frozenset[str]:
    """Without those that are for this program alone."""
    return frozenset(tag for tag in tags if not tag.startswith(OUR_PREFIX))
