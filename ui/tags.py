"""Colours of tags: each name has one, the same on every page, so that a tag is known again at a glance."""

from zlib import crc32

# Classes in static/css/states.css. In another order tags would get other colours.
LOOKS = (
    "is-tag-blue",
    "is-tag-teal",
    "is-tag-green",
    "is-tag-olive",
    "is-tag-brown",
    "is-tag-rose",
    "is-tag-violet",
    "is-tag-slate",
)


def look_of_tag(tag: str) -> str:
    """The class of a tag's chip, by its name alone: Python's own hash differs from process to process."""
    return LOOKS[crc32(tag.encode("utf-8", "surrogatepass")) % len(LOOKS)]
