"""What is wrong with a theme is said by key, with a remedy; what can't be read on its colours is measured."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gwm.env import BASE_DIR
from gwm.processes.listening import CannotStart
from gwm.processes.surroundings import check_theme_at_start
from gwm.theming import check_theme, list_problems
from tests.up.running import clean_environment
from ui.theming.contrast import find_weak, read_tokens
from ui.theming.described import read_theme
from ui.theming.logos import MOST_BYTES, check_logo
from ui.theming.problems import BadTheme

pytestmark = pytest.mark.feature("F297")
LANGUAGES = ("en", "el", "es")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 200, 50) + b"\x08\x06\0\0\0"


def complaint(directory: Path, described: str) -> tuple[str, str, str]:
    (directory / "theme.toml").write_text(described)
    with pytest.raises(BadTheme) as caught:
        read_theme(directory, LANGUAGES, is_wanted=True)
    return caught.value.key, str(caught.value), caught.value.remedy


@pytest.mark.parametrize(
    ("described", "key", "words", "remedy"),
    [
        ("name = ", "", "is no TOML", "docs/themes.md"),
        ('nmae = "x"', "nmae", "is no key of", "Did you mean name?"),
        ('zebra = "x"', "zebra", "is no key of", "docs/themes.md lists all."),
        ("name = 3", "name", "it is no name", "60 characters"),
        ('name = " "', "name", "it is no name", "60 characters"),
        ('name = "a\\nBcc: b"', "name", "it is no name", "one line"),
        (f'name = "{61 * "x"}"', "name", "it is no name", "60 characters"),
        ('logo = "absent.svg"', "logo", "there is no file", "leave the key out"),
        ('logo = "../secrets.env"', "logo", "no file below static/", "logo.svg"),
        ('logo = "/etc/passwd"', "logo", "no file below static/", "logo.svg"),
        ('logo = "logo.gif"', "logo", "neither SVG nor PNG", ".svg or .png"),
        ("logo = 3", "logo", "no file below static/", "logo.svg"),
        ("logo_says_name = true", "logo_says_name", "there is no logo", "leave this out"),
        ('logo_says_name = "yes"', "logo_says_name", "neither true nor false", "without quotes"),
        ("sign_in_text = 3", "sign_in_text", "neither a text nor a table", "en ="),
        ('sign_in_text = {fr = "x"}', "sign_in_text.fr", "no such language", "lists all"),
        ("sign_in_text = {en = 3}", "sign_in_text.en", "it is no text", "in quotes"),
        (f'overview_text = "{2001 * "x"}"', "overview_text", "2,001 characters", "2,000 at most"),
        ('light = "#fff"', "light", "no table of colours", "[light]"),
        ('[light]\nacent = "#fff"', "light.acent", "no such colour", "Did you mean light.accent?"),
        ('[dark]\naccent = "red"', "dark.accent", "“red” is no colour", "#1b57c6"),
        ('[dark]\naccent = "#12345"', "dark.accent", "“#12345” is no colour", "#1b57c6"),
        ('[light]\naccent = "#fff;} body {display:none"', "light.accent", "is no colour", "#1b57c6"),
    ],
)
def test_a_mistake_is_named_by_its_key_and_has_a_remedy(
    tmp_path: Path, described: str, key: str, words: str, remedy: str
) -> None:
    named, said, advice = complaint(tmp_path, described)
    assert named == key
    assert words in said and f"“{key}”" in (said if key else "“”")
    assert remedy in advice


def test_a_directory_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadTheme, match="there is no directory"):
        read_theme(tmp_path / "absent", LANGUAGES, is_wanted=True)


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ('<g onload="alert(1)"/>', "onload, which runs a script"),
        ('<a href="javascript:alert(1)"><path/></a>', "a link to “javascript:alert(1)”"),
        ('<use xlink:href="https://example.org/a.svg#a"/>', "a link to “https://example.org/a.svg#a”"),
        ('<image href="data:image/svg+xml;base64,AAAA"/>', "a link to “data:image/svg+xml"),
        ('<a><set attributeName="xlink:href" to="javascript:alert(1)"/></a>', "<set>, which changes a link"),
        ("<foreignObject><p/></foreignObject>", "<foreignObject>"),
        ('<path style="fill: url( https://example.org/x )"/>', "loads something from elsewhere"),
        ("<style>@import 'https://example.org/a.css';</style>", "a style that loads something"),
        ("<style>a { fill: url(//example.org/x) }</style>", "a style that loads something"),
        ("<path>", "is no SVG (mismatched tag"),
        ("<?xml-stylesheet href='a.css'?>", "the instruction <?xml-stylesheet?>"),
    ],
)
def test_a_logo_that_does_something_is_refused(tmp_path: Path, inside: str, words: str) -> None:
    path = tmp_path / "logo.svg"
    path.write_text(SVG.format(inside))
    with pytest.raises(BadTheme) as caught:
        check_logo("logo", path)
    assert words in str(caught.value) and caught.value.remedy


def test_an_entity_in_a_logo_is_refused_before_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "logo.svg"
    path.write_text('<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + SVG.format("<title>&b;</title>"))
    with pytest.raises(BadTheme, match="the entity “a”"):
        check_logo("logo", path)


def test_ordinary_logos_are_taken(tmp_path: Path) -> None:
    svg, png = tmp_path / "logo.svg", tmp_path / "logo.png"
    svg.write_text(
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">'
        + SVG.format(
            '<defs><linearGradient id="g"/></defs><style>.a { fill: url("#g") }</style>'
            '<path class="a" style="fill:url(#g)"/><use xlink:href="#g"/><image href="data:image/png;base64,AA"/>'
        )
    )
    check_logo("logo", svg)
    png.write_bytes(PNG)
    check_logo("logo", png)


def test_a_logo_that_is_huge_or_something_else_is_refused(tmp_path: Path) -> None:
    svg, png = tmp_path / "logo.svg", tmp_path / "logo.png"
    for path, content, words in (
        (svg, SVG.format(MOST_BYTES * " ").encode(), "every page loads it"),
        (svg, b"<html><body/></html>", "is no SVG"),
        (svg, b"<svg/>", "is no SVG"),  # a browser would show nothing
        (svg, b"", "is no SVG"),
        (png, b"GIF89a", "is no PNG"),
        (png, PNG[:16] + struct.pack(">II", 2001, 10) + PNG[24:], "is 2001 by 10 pixels"),
    ):
        path.write_bytes(content)
        with pytest.raises(BadTheme, match=words):
            check_logo("logo", path)


def test_a_colour_that_can_not_be_read_is_told_with_what_it_has_and_needs(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "theme.toml").write_text('[light]\nnav = "#f0f0f0"\naccent = "#88aaff"\n[dark]\non-accent = "#000"')
    settings.GWM_THEME = theme = read_theme(tmp_path, LANGUAGES, is_wanted=True)
    broken, weak = list_problems()
    assert broken == [] and check_theme_at_start() == weak
    accent, nav, bars = weak
    assert "the contrast of accent (#88aaff) in [light] is too low: " in accent
    assert "2.27 with panel (#ffffff), " in accent and "2.27 with on-accent (#ffffff). 4.5 is needed. " in accent
    assert "Choose another colour for accent" in accent
    assert "contrast of nav (#f0f0f0) in [light] is too low: 1.43 with nav-text (#c3cbd8), " in nav
    assert "nav (#f0f0f0) in [light]" in bars and "with mark (#ef7d33), " in bars and ". 3 is needed. " in bars
    assert {each.scheme for each in find_weak(theme.colours)} == {"light"}
    assert {message.id for message in check_theme()} == {"gwm.W001"}


def start(data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The settings of a start on this data directory."""
    shown = "STATIC_URL, STATICFILES_DIRS, TEMPLATES[0]['DIRS'], DEFAULT_FROM_EMAIL, GWM_THEME.name"
    script = f"from gwm.settings import *; print(*map(str, [{shown}]), sep='\\n')"
    environ = clean_environment(GWM_DATA_DIR=str(data), GWM_PUBLIC_URL="https://example.org/gwm", **environment)
    return subprocess.run([sys.executable, "-c", script], cwd=BASE_DIR, env=environ, capture_output=True, text=True)


def test_a_start_puts_the_theme_before_what_is_ours(tmp_path: Path) -> None:
    theme = tmp_path / "theme"
    for folder in ("static", "templates"):
        (theme / folder).mkdir(parents=True)
    (theme / "theme.toml").write_text('name = "Cloud, Co"\n[light]\naccent = "#123456"')
    url, files, templates, sender, name = start(tmp_path).stdout.splitlines()
    assert (sender, name) == ('"Cloud, Co" <gwm@example.org>', "Cloud, Co")
    ours = {"static": files, "templates": templates}
    assert ours == {folder: repr([theme / folder, BASE_DIR / folder]) for folder in ours}
    (theme / "theme.toml").write_text('name = "Cloud"\n[light]\naccent = "#123457"')
    other = start(tmp_path).stdout.splitlines()[0]
    assert url.startswith("/gwm/static/") and other.startswith("/gwm/static/") and url != other
    (theme / "theme.toml").write_text('nmae = "Cloud"')
    refused = start(tmp_path)
    assert "SettingError: GWM_THEME_DIR: “nmae”: is no key of" in refused.stderr
    assert refused.stderr.rstrip().endswith("Did you mean name?")


def test_the_document_lists_every_colour() -> None:
    page = (BASE_DIR / "docs" / "themes.md").read_text(encoding="utf-8")
    named = {name for line in page.splitlines() if line.startswith("| `") for name in re.findall(r"`([a-z-]+)`", line)}
    tags = {f"{name}-soft" for name in named if re.fullmatch(r"tag-[a-z]+", name)}
    assert named | tags == set(read_tokens()["light"])


def test_the_example_of_the_document_is_a_theme(tmp_path: Path) -> None:
    page = (BASE_DIR / "docs" / "themes.md").read_text(encoding="utf-8")
    (tmp_path / "theme.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "logo.svg").write_text(SVG.format(""))
    theme = read_theme(tmp_path, LANGUAGES, is_wanted=True)
    assert theme.logo_says_name and theme.texts.keys() == {"sign_in_text", "overview_text"}
    assert find_weak(theme.colours) == []


def test_the_complaint_of_the_document_is_what_is_said(tmp_path: Path, settings: Any) -> None:
    page = (BASE_DIR / "docs" / "themes.md").read_text(encoding="utf-8")
    (tmp_path / "theme.toml").write_text('[light]\non-accent = "#999999"')
    settings.GWM_THEME = read_theme(tmp_path, LANGUAGES, is_wanted=True)
    assert list_problems()[1][0] in " ".join(page.split())


def test_own_templates_are_held_against_the_release(tmp_path: Path, settings: Any) -> None:
    """Those that don't compile stop a start; those in whose place nothing stands, and other directories, are told."""
    for name, text in {
        "templates/people/login.html": "{% no_such_tag %}",
        "templates/gone.html": "x",
        "templates/own/part.html": "x",
        "css/a.css": "",
        ".git/config": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    settings.GWM_THEME = read_theme(tmp_path, LANGUAGES, is_wanted=True)
    engines = [{**settings.TEMPLATES[0], "DIRS": [tmp_path / "templates", *settings.TEMPLATES[0]["DIRS"]]}]
    settings.TEMPLATES = engines
    with pytest.raises(CannotStart, match="no_such_tag"):
        check_theme_at_start()
    broken, told = list_problems()
    assert len(broken) == 1 and "login.html is no template of this release" in broken[0]
    assert [line.partition(" ")[2].partition(". ")[0] for line in told] == [
        f"nothing reads {tmp_path / 'css'}",
        f"{tmp_path / 'templates' / 'gone.html'} stands in for no template of this release",
    ]
