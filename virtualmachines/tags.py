"""Tags that mean something beside what people mean by them."""

from collections.abc import Iterable

#: what this program notes in Ganeti: nobody's to set, and shown to nobody
OUR_PREFIX = "gwm:"
#: before whose the machine is
OWNER_PREFIX = "gwm:owner:"
#: what Ganeti's own tools heed
TOOLS_PREFIX = "htools:"


def of_people(tags: Iterable[str]) -> frozenset[str]:
    """Without those that are for this program alone."""
    return frozenset(tag for tag in tags if not tag.startswith(OUR_PREFIX))


def owner_told_by(tags: Iterable[str]) -> str:
    """Whose the machine is by its tag, a user or @team; empty if none says so, or several do. Nobody has to believe it.

    Whoever may set tags in Ganeti, past this program, may have written it.
    """
    told = {tag.removeprefix(OWNER_PREFIX) for tag in tags if tag.startswith(OWNER_PREFIX)}
    return told.pop() if len(told) == 1 else ""
