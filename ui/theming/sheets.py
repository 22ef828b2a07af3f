"""Which colours a style sheet of one's own puts in the place of ours (docs/themes.md), as far as that can be told.

It reads what a browser reads of custom properties at the root: by the system's scheme, by `data-theme`, the strongest
selector last. What it can't compute it names, and guesses nothing. Knows nothing of Django.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ui.theming.contrast import SCHEMES, Colours

MOST_CHARACTERS = 1_000_000
_DEEPEST = 16
#: decides which half of light-dark() counts
_SCHEME = "color-scheme"
_TOKEN = re.compile(
    r"""(?P<comment>/\*(?:[^*]++|\*(?!/))*+(?:\*/)?)
      | (?P<space>\s++)
      | "(?:[^"\\\n]++|\\.)*+"?
      | '(?:[^'\\\n]++|\\.)*+'?
      | url\(\s*+(?!["'\s])(?:[^)\\]++|\\.)*+\)?
      | (?P<mark><!--|-->)
      | (?:[-\w]|[^\x00-\x7f]|\\[^\n])++
      | .""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_DECLARED = re.compile(r"([^\s:/]++)(?:\s|/\*\*/)*+:(.*?)(!\s*important\s*)?", re.DOTALL | re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))", re.DOTALL)
_PART = re.compile(
    r"(:not\(\s*)?\[\s*data-theme\s*(?:=\s*(?:\"([\w-]+)\"|'([\w-]+)'|([\w-]+))\s*)?\](?(1)\s*\))",
    re.IGNORECASE,
)
_ROOT = re.compile(r"\s*(:root|html|\*)?((?::not\(\s*\[[^][]*\]\s*\)|\[[^][]*\])*)\s*", re.IGNORECASE)
_MEDIA = re.compile(
    r"@media\s*(?:(?:(?:screen|all)\s+and\s*)?\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)|screen|all)",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"#(?:([0-9a-f]{6})(?:ff)?|([0-9a-f]{3})f?)", re.IGNORECASE)
_EITHER = re.compile(r"light-dark\(([^,]*),([^,]*)\)", re.IGNORECASE | re.DOTALL)

#: of a page: the scheme of the system, and that which the person has chosen, if any
State = tuple[str, str]
_STATES: tuple[State, ...] = tuple((system, chosen) for chosen in ("", *SCHEMES) for system in SCHEMES)
_OUR_STRENGTH = 100  # that of :root


@dataclass(frozen=True)
class Setting:
    """One declaration: what it stands in, from outside in, what it sets, and to what."""

    places: tuple[str, ...]
    name: str
    value: str
    is_important: bool = False


@dataclass(frozen=True)
class Look:
    """The colours of pages in a scheme while the system has one; `own` are those that the sheet gives."""

    scheme: str
    system: str
    colours: dict[str, str]
    own: frozenset[str]


def read_settings(text: str) -> Iterator[Setting]:
    """All that sets something, what nobody closed included: a browser closes it at the end of the file."""
    places: list[str] = []
    inner: list[str] = []  # what closes the brackets that are open within a value or a selector
    said: list[str] = []
    for found in _TOKEN.finditer(re.sub(r"\r\n?|\f", "\n", text)):
        word = found[0]
        if not said and (found["space"] or found["comment"] or (found["mark"] and not places)):
            continue
        if inner and word == inner[-1]:
            inner.pop()
            said.append(word)
            if word == "}" and not inner and not places:
                said.clear()  # outside of rules nothing is set
        elif word in _CLOSES and (inner or word != "{" or _is_custom(said)):
            inner.append(_CLOSES[word])
            said.append(word)
        elif inner:
            said.append(word)
        elif word == "{":
            places.append(" ".join("".join(said).replace("/**/", "").split()))
            said.clear()
        elif word == "}" and places:
            yield from _read_setting(places, said)
            places.pop()
        elif word == ";" and (places or said[:1] == ["@"]):
            yield from _read_setting(places, said)
        else:
            said.append("/**/" if found["comment"] else word)
    yield from _read_setting(places, said)


def _is_custom(said: Sequence[str]) -> bool:
    """Whether a brace belongs to the value of a custom property, which may have any."""
    return bool(said) and said[0].startswith("--") and next((each for each in said[1:4] if each.strip()), "") == ":"


def _read_setting(places: Sequence[str], said: list[str]) -> Iterator[Setting]:
    """What was said, which is done with."""
    found = _DECLARED.fullmatch("".join(said)) if places else None
    said.clear()
    if found is not None:
        within = tuple(places) if len(places) <= _DEEPEST else (*places[: _DEEPEST - 1], "…")
        value = " ".join(found[2].replace("/**/", " ").split())
        yield Setting(within, _ESCAPE.sub(_unescape, found[1]), value, bool(found[3]))


def _unescape(found: re.Match[str]) -> str:
    code = int(found[1] or "0", 16)
    return found[2] or (chr(code) if 0 < code < 0x110000 else "\ufffd")


def looks_with(text: str, ours: Colours) -> tuple[list[Look], dict[str, str]]:
    """Pages with a sheet behind ours, and what of it can't be told: by the name of a colour, what was written."""
    last: dict[tuple[tuple[str, ...], str, bool], tuple[int, str]] = {}
    for order, each in enumerate(read_settings(text)):
        name = each.name.removeprefix("--") if each.name.startswith("--") else each.name.lower()
        if name == _SCHEME or (name in ours["light"] and each.name.startswith("--")):
            last[each.places, name, each.is_important] = (order, each.value)
    strengths = {places: _strengths(places) for places in {places for places, _, _ in last}}
    unclear = {
        name: f"{name} in {' '.join(places)[:60]}"
        for places, name, _ in last
        if name == _SCHEME or strengths[places] is None
    }
    looks = []
    for state in _STATES:
        scheme = state[1] or state[0]
        given: dict[str, tuple[tuple[bool, int, int], str]] = {}
        for (places, name, is_important), (order, value) in last.items():
            strength = (strengths[places] or {}).get(state)
            if strength is None or name == _SCHEME or (strength < _OUR_STRENGTH and not is_important):
                continue
            key = (is_important, strength, order)
            given[name] = max(given.get(name, (key, value)), (key, value))
        measured = {name: colour for name, (_, value) in given.items() if (colour := read_colour(value, scheme))}
        unclear |= {name: f"{name}: {value[:60]}" for name, (_, value) in given.items() if name not in measured}
        kept = {name: colour for name, colour in ours[scheme].items() if name not in given}
        looks.append(Look(scheme, state[0], kept | measured, frozenset(measured)))
    return looks, unclear


def read_colour(value: str, scheme: str) -> str:
    """As `#rrggbb` what a value is in a scheme; empty: it can't be told."""
    if either := _EITHER.fullmatch(value):
        return read_colour(either[1 + SCHEMES.index(scheme)].strip(), scheme)
    found = _PLAIN.fullmatch(value)
    return f"#{found[1] or ''.join(2 * digit for digit in found[2])}".lower() if found else ""


def _strengths(places: Sequence[str]) -> dict[State, int] | None:
    """How strong what stands there is in each state of a page in which it counts; None: that can't be told."""
    systems, selectors = set(SCHEMES), list[str]()
    for place in places:
        if media := _MEDIA.fullmatch(place):
            systems &= {media[1].lower()} if media[1] else systems
        else:
            selectors.append(place)
    if len(selectors) != 1:
        return None
    strengths: dict[State, int] = {}
    for selector in selectors[0].split(","):
        found = _ROOT.fullmatch(selector)
        if found is None or not selector.strip():
            return None
        parts = list(_PART.finditer(found[2]))
        if "".join(part[0] for part in parts) != found[2]:
            return None
        strength = {":root": 100, "html": 1}.get((found[1] or "").lower(), 0) + 100 * len(parts)
        for system, chosen in _STATES:
            if system in systems and all(_holds(part, chosen) for part in parts):
                strengths[system, chosen] = max(strength, strengths.get((system, chosen), 0))
    return strengths


def _holds(part: re.Match[str], chosen: str) -> bool:
    """Whether the attribute is as a selector wants it."""
    wanted = part[2] or part[3] or part[4]
    return (chosen == wanted if wanted else bool(chosen)) != bool(part[1])
