"""How well colours can be told apart (WCAG 2.2 AA), for each pair of them that pages use. Knows nothing of Django.

The colours are those of static/css/tokens.css, the only place in which any is chosen; a theme puts others in their
place. What is read needs 4.5, what is only seen (lines, marks, meters) 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import floor
from pathlib import Path

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
SCHEMES = ("light", "dark")
TEXT_NEEDS, SHAPE_NEEDS = 4.5, 3.0

_TOKEN = re.compile(r"--([\w-]+):\s*(?:light-dark\((#\w{6}),\s*(#\w{6})\)|(#\w{6}));")
_DESK = ("bg", "panel", "sunken", "raised", "hover")
_INKS = ("text", "muted", "faint", "accent", "accent-strong", "bad", "warn")
_TAGS = ("blue", "teal", "green", "olive", "brown", "rose", "violet", "slate")
TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    *((ink, ground) for ink in _INKS for ground in _DESK),
    *(
        (state, ground)
        for state in ("ok", "off", "busy", "warn", "bad")
        for ground in ("panel", "hover", f"{state}-soft")
    ),
    *(("text", f"{state}-soft") for state in ("warn", "bad", "ok", "accent")),
    *((f"tag-{name}", f"tag-{name}-soft") for name in _TAGS),
    ("accent", "accent-soft"),
    ("accent", "warn-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-bad", "bad"),
    ("nav-text", "nav"),
    ("nav-text", "nav-hover"),
    ("nav-faint", "nav"),
    ("nav-faint", "nav-hover"),
    ("nav-on", "nav"),
    ("nav-on", "nav-hover"),
    ("nav-warn", "nav"),
    ("screen-text", "screen"),
)
SHAPE_PAIRS: tuple[tuple[str, str], ...] = (
    *(("field-line", ground) for ground in ("panel", "bg", "sunken")),
    *(("focus", ground) for ground in _DESK),
    ("nav-focus", "nav"),
    ("mark", "nav"),
    ("nav-bad", "nav"),
    ("nav-ok", "nav"),
    *((fill, "meter-track") for fill in ("meter-used", "meter-bad")),
    *((fill, "panel") for fill in ("meter-used", "meter-warn", "meter-bad")),
)

Colours = Mapping[str, Mapping[str, str]]
"""By scheme, light and dark, and then by name: `#rrggbb`."""


@dataclass(frozen=True)
class Weak:
    """Two colours that are too much alike for what they are used for."""

    scheme: str
    ink: str
    ground: str
    ink_colour: str
    ground_colour: str
    has: float
    needs: float

    @property
    def shown(self) -> str:
        """The contrast that they have, in figures; 4.499 is not to read as 4.50."""
        return f"{floor(100 * self.has) / 100:.2f}"


@cache
def read_tokens() -> Colours:
    """The product's own colours."""
    found = _TOKEN.findall(TOKENS.read_text(encoding="utf-8"))
    return {
        "light": {name: light or both for name, light, _dark, both in found},
        "dark": {name: dark or both for name, _light, dark, both in found},
    }


def with_own(own: Colours) -> Colours:
    """All colours that pages have where some are an installation's own."""
    return {scheme: {**colours, **own.get(scheme, {})} for scheme, colours in read_tokens().items()}


def find_weak(own: Colours) -> list[Weak]:
    """The pairs that are too much alike, with these colours in the place of ours."""
    return [weak for scheme, colours in with_own(own).items() for weak in find_weak_among(scheme, colours)]


def find_weak_among(scheme: str, colours: Mapping[str, str]) -> Iterator[Weak]:
    """The same of the colours of one scheme. What is missing is not measured."""
    for pairs, needs in ((TEXT_PAIRS, TEXT_NEEDS), (SHAPE_PAIRS, SHAPE_NEEDS)):
        for ink, ground in pairs:
            if ink in colours and ground in colours and (has := contrast(colours[ink], colours[ground])) < needs:
                yield Weak(scheme, ink, ground, colours[ink], colours[ground], has, needs)


def contrast(one: str, other: str) -> float:
    """From 1, of a colour with itself, to 21, of black and white."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
