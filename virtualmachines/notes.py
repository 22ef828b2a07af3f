"""Notes on a machine: Markdown, drawn as HTML that can't do harm, whatever was typed."""

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

LONGEST = 10_000
# Quotations and lists inside each other, after which the rest is left out: each level costs time and a narrow column.
_DEEPEST = 12
# The page has its own h1, and the card its h2.
_HEADINGS_BELOW = 2
_TAGS = frozenset(
    [
        "p",
        "br",
        "hr",
        "em",
        "strong",
        "s",
        "a",
        "ul",
        "ol",
        "li",
        "code",
        "pre",
        "blockquote",
        "h3",
        "h4",
        "h5",
        "h6",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ],
)
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


def _put_headings_below(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + _HEADINGS_BELOW, 6)}"


def _make_reader() -> MarkdownIt:
    options = {"html": False, "linkify": False, "typographer": False, "breaks": True, "maxNesting": _DEEPEST}
    # Images would tell strangers who looks at the page, and the content policy refuses them.
    reader = MarkdownIt("commonmark", options).enable(["table", "strikethrough"]).disable(["image", "html_block"])
    reader.disable("html_inline").core.ruler.push("headings_below", _put_headings_below)
    return reader


_READER = _make_reader()


@lru_cache(maxsize=256)
def draw_notes(text: str) -> SafeString:
    """The notes as HTML. What the reader of Markdown lets through is looked at once more, by another library."""
    return SafeString(  # nh3 lets through what is named here alone
        nh3.clean(
            _READER.render(text[:LONGEST]),
            tags=set(_TAGS),
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel="noopener noreferrer nofollow",
        )
    )
