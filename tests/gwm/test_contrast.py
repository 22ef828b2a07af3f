"""Contrast of every pair of colours that pages use, computed from static/css/tokens.css (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).resolve().parents[2] / "static/css/tokens.css").read_text()
PATTERN = re.compile(r"--([\w-]+):\s*(?:light-dark\((#\w{6}),\s*(#\w{6})\)|(#\w{6}));")
COLOURS = {name: (light or both, dark or both) for name, light, dark, both in PATTERN.findall(TOKENS)}

DESK = ("bg", "panel", "sunken", "raised", "hover")
TEXT_PAIRS = [
    *((ink, ground) for ink in ("text", "muted", "faint", "accent", "accent-strong", "bad", "warn") for ground in DESK),
    *(
        (state, ground)
        for state in ("ok", "off", "busy", "warn", "bad")
        for ground in ("panel", "hover", f"{state}-soft")
    ),
    *(("text", f"{state}-soft") for state in ("warn", "bad", "ok", "accent")),
    *((ink, f"{ink}-soft") for ink in COLOURS if f"{ink}-soft" in COLOURS and ink.startswith("tag-")),
    ("accent", "accent-soft"),
    ("accent", "warn-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-bad", "bad"),
    ("nav-text", "nav"),
    ("nav-text", "nav-hover"),
    ("nav-faint", "nav"),
    ("nav-faint", "nav-hover"),
    ("nav-on", "nav-hover"),
    ("nav-warn", "nav"),
    ("screen-text", "screen"),
]
SHAPE_PAIRS = [
    *(("field-line", ground) for ground in ("panel", "bg", "sunken")),
    *(("focus", ground) for ground in DESK),
    ("nav-focus", "nav"),
    ("mark", "nav"),
    ("nav-bad", "nav"),
    ("nav-ok", "nav"),
    *((fill, "meter-track") for fill in ("meter-used", "meter-bad")),
    *((fill, "panel") for fill in ("meter-used", "meter-warn", "meter-bad")),
]


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.feature("G026")
@pytest.mark.parametrize(("theme", "index"), [("light", 0), ("dark", 1)])
def test_text_can_be_read(theme, index):
    low = {
        f"{ink} on {ground}": round(contrast(COLOURS[ink][index], COLOURS[ground][index]), 2)
        for ink, ground in TEXT_PAIRS
        if contrast(COLOURS[ink][index], COLOURS[ground][index]) < 4.5
    }
    assert low == {}, theme


@pytest.mark.feature("G026")
@pytest.mark.parametrize(("theme", "index"), [("light", 0), ("dark", 1)])
def test_shapes_can_be_seen(theme, index):
    low = {
        f"{ink} on {ground}": round(contrast(COLOURS[ink][index], COLOURS[ground][index]), 2)
        for ink, ground in SHAPE_PAIRS
        if contrast(COLOURS[ink][index], COLOURS[ground][index]) < 3
    }
    assert low == {}, theme
