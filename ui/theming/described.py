"""The theme of this installation, as a directory describes it: theme.toml, static/ and templates/.

It lies outside of the release, so that an upgrade leaves it alone. Knows nothing of Django.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ui.theming.contrast import SCHEMES, Colours, read_tokens
from ui.theming.logos import check_logo
from ui.theming.problems import BadTheme

PRODUCT = "Ganeti Web Manager"
COLOURS_SHEET = "theme-colours.css"
OWN_SHEET = "theme.css"
LONGEST_NAME, LONGEST_TEXT = 60, 2_000
_TEXTS = ("sign_in_text", "overview_text")
_KEYS = ("name", "logo", "logo_says_name", *_TEXTS, *SCHEMES)
_COLOUR = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Theme:
    """What differs from the product's own look; nothing, if nobody made a theme."""

    directory: Path | None = None
    name: str = PRODUCT
    logo: str = ""
    logo_says_name: bool = False
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    colours: Colours = field(default_factory=dict)
    has_sheet: bool = False

    @property
    def templates(self) -> Path | None:
        """The directory of own templates, if there is one."""
        return self._below("templates")

    @property
    def static(self) -> Path | None:
        """The directory of own files for browsers, if there is one."""
        return self._below("static")

    @property
    def own_name(self) -> str:
        """The name, if it is not the product's."""
        return self.name if self.name != PRODUCT else ""

    @cached_property
    def sheet(self) -> str:
        """Its colours as a style sheet, which stands behind ours; empty: it has none."""
        ours = read_tokens() if self.colours else {}
        light, dark = (self.colours.get(scheme, {}) for scheme in SCHEMES)
        rules = [
            f"  --{name}: light-dark({light.get(name, ours['light'][name])}, {dark.get(name, ours['dark'][name])});\n"
            for name in sorted({*light, *dark})
        ]
        return f":root {{\n{''.join(rules)}}}\n" if rules else ""

    def text(self, which: str, language: str, otherwise: str) -> str:
        """A text in this language, else in that of the service, else in the first that it has."""
        said = self.texts.get(which, {})
        return said.get(language) or said.get(otherwise) or next(iter(said.values()), "")

    def _below(self, name: str) -> Path | None:
        path = self.directory / name if self.directory is not None else None
        return path if path is not None and path.is_dir() else None


def read_theme(directory: Path, languages: tuple[str, ...], *, is_wanted: bool) -> Theme:
    """What this directory describes; the product's own look if it is not there, unless it `is_wanted`. BadTheme."""
    if not directory.is_dir():
        if is_wanted:
            raise BadTheme("", f"there is no directory {directory}.", "Make it, or unset GWM_THEME_DIR.")
        return Theme()
    path = directory / "theme.toml"
    try:
        described = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        described = {}
    except OSError as error:
        raise BadTheme("", f"cannot read {path} ({error.strerror}).", "Let the service's user read it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTheme("", f"{path} is no TOML ({error}).", "docs/themes.md shows such a file.") from None
    for key in described:
        _check_known(key, _KEYS, f"is no key of {path}")
    return Theme(
        directory,
        _read_name(described.get("name", PRODUCT)),
        _read_logo(directory, described.get("logo", "")),
        _read_flag(described, "logo_says_name"),
        {which: _read_text(which, described[which], languages) for which in _TEXTS if which in described},
        {scheme: _read_colours(scheme, described[scheme]) for scheme in SCHEMES if scheme in described},
        (directory / "static" / OWN_SHEET).is_file(),
    )


def _check_known(key: str, known: tuple[str, ...], problem: str, before: str = "") -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        remedy = f"Did you mean {before}{near[0]}?" if near else "docs/themes.md lists all."
        raise BadTheme(before + key, f"{problem}.", remedy)


def _read_name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME or _CONTROL.search(value):
        raise BadTheme("name", "it is no name.", f"Write one line of {LONGEST_NAME} characters at most.")
    return value.strip()


def _read_flag(described: Mapping[str, Any], key: str) -> bool:
    value = described.get(key, False)
    if not isinstance(value, bool):
        raise BadTheme(key, "it is neither true nor false.", "Write true or false, without quotes.")
    if value and not described.get("logo"):
        raise BadTheme(key, "there is no logo.", "Say which with logo, or leave this out.")
    return value


def _read_logo(directory: Path, value: Any) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or value.startswith("/") or ".." in Path(value).parts or "\\" in value:
        raise BadTheme("logo", "it names no file below static/.", 'Write it like logo = "logo.svg".')
    check_logo("logo", directory / "static" / value)
    return value


def _read_text(which: str, value: Any, languages: tuple[str, ...]) -> dict[str, str]:
    by_language = {"": value} if isinstance(value, str) else value
    if not isinstance(by_language, dict):
        raise BadTheme(which, "it is neither a text nor a table of languages.", 'Write it like {en = "…", el = "…"}.')
    for language, text in by_language.items():
        key = f"{which}.{language}".rstrip(".")
        if language:
            _check_known(language, languages, "pages have no such language", f"{which}.")
        if not isinstance(text, str):
            raise BadTheme(key, "it is no text.", "Write it in quotes.")
        if len(text) > LONGEST_TEXT:
            raise BadTheme(key, f"it has {len(text):,} characters.", f"Write {LONGEST_TEXT:,} at most.")
    return {language: text.strip() for language, text in by_language.items() if text.strip()}


def _read_colours(scheme: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadTheme(scheme, "it is no table of colours.", f"Write [{scheme}], and colours below it.")
    known = tuple(read_tokens()[scheme])
    found = {}
    for name, colour in value.items():
        _check_known(name, known, "pages have no such colour", f"{scheme}.")
        if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
            raise BadTheme(f"{scheme}.{name}", f"“{colour}” is no colour.", "Write it like #1b57c6.")
        found[name] = (colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])).lower()
    return found
