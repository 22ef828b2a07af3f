"""Tags that mean something beside what people mean by them."""

import re
from collections.abc import Iterable

from clusters.tags import LONGEST, OUR_PREFIX

#: before whose the machine is
OWNER_PREFIX = "gwm:owner:"


def of_people(tags: Iterable[str]) -> frozenset[str]:
    """Without those that are for this program alone."""
    return frozenset(tag for tag in tags if not tag.startswith(OUR_PREFIX))


def owner_tag_for(name: str) -> str:
    """The tag that names an owner, a user or @team; empty where no tag can.

    What tags can't have stands as + and two hexadecimal digits for each byte.
    """
    written = re.sub(rb"[^\w.@-]", lambda found: b"+%02X" % ord(found[0]), name.encode()).decode()
    tag = f"{OWNER_PREFIX}{written}"
    return tag if name and len(tag) <= LONGEST else ""


def is_owner_tag(tag: str) -> bool:
    """Whether it says whose the machine is."""
    return tag.startswith(OWNER_PREFIX)


def owner_told_by(tags: Iterable[str]) -> str:
    """Whose the machine is by its tag, a user or @team; empty if none says so. Nobody has to believe it.

    Whoever may set tags in Ganeti, past this program, may have written it. Where tags contradict each other it is all
    that they name, line by line, and with that nobody: no name has a second line.
    """
    told = {_name_in(tag.removeprefix(OWNER_PREFIX)) for tag in tags if is_owner_tag(tag)} - {""}
    return "\n".join(sorted(told))[:LONGEST]


def tells_several(told: str) -> bool:
    """Whether tags contradict each other, by what `owner_told_by` has made of them."""
    return "\n" in told


def show_told(told: str) -> str:
    """The same for people."""
    return ", ".join(told.splitlines())


def _name_in(written: str) -> str:
    """What is no name of ours in this spelling is left as it is."""
    raw = re.sub(rb"\+([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), written.encode())
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return written
    return name if name.isprintable() else written
