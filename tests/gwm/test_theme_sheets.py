"""The colours that theme.css gives are measured as those of theme.toml are; what can't be computed is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tinycss2
from hypothesis import given
from hypothesis import strategies as st

from gwm.theming import check_theme, list_problems
from ui.theming.contrast import read_tokens
from ui.theming.described import read_theme
from ui.theming.sheets import MOST_CHARACTERS, Look, Setting, looks_with, read_settings

pytestmark = pytest.mark.feature("F297")


def given_in(text: str, name: str = "accent") -> dict[tuple[str, str, str], str]:
    """What a sheet makes of a colour, by scheme and scheme of the system; the third tells chosen from followed."""
    looks, _ = looks_with(text, read_tokens())
    followed = [(look, "follows") for look in looks[:2]] + [(look, "chosen") for look in looks[2:]]
    return {(look.scheme, look.system, how): look.colours.get(name, "") for look, how in followed if own(look, name)}


def own(look: Look, name: str) -> bool:
    """Whether it is not ours."""
    return look.colours.get(name) != read_tokens()[look.scheme][name]


def pages(text: str) -> set[tuple[str, str, str]]:
    """Those on which a sheet has changed the accent."""
    return set(given_in(text))


EVERY = {(one, other, "chosen") for one in ("light", "dark") for other in ("light", "dark")} | {
    (one, one, "follows") for one in ("light", "dark")
}
OF_DARK = {each for each in EVERY if each[0] == "dark"}
UNDER_DARK = {each for each in EVERY if each[1] == "dark"}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (":root { --accent: #999 }", EVERY),
        (":root{--accent:#999", EVERY),
        ("* { --accent: #999999ff }", set()),  # weaker than ours, which stand at :root
        ("html { --accent: #999 }", set()),
        ("html { --accent: #999 ! IMPORTANT }", EVERY),
        ("@media (prefers-color-scheme: dark) { :root { --accent: #999 } }", UNDER_DARK),
        (":root { @media screen and (prefers-color-scheme: dark) { --accent: #999 } }", UNDER_DARK),
        (':root[data-theme="dark"] { --accent: #999 }', OF_DARK - {("dark", "dark", "follows")}),
        ("[data-theme] { --accent: #999 }", {each for each in EVERY if each[2] == "chosen"}),
        (":root:not([data-theme]) { --accent: #999 }", {each for each in EVERY if each[2] == "follows"}),
        (
            "@media (prefers-color-scheme:dark) { :root:not([data-theme='light']) { --accent: #999 } }"
            "html[data-theme=dark] { --accent: #999 }",
            OF_DARK,
        ),
        (
            "@media (prefers-color-scheme: dark) { @media (prefers-color-scheme: light) { :root{--accent:#999} } }",
            set(),
        ),
        ("/* :root { --accent: #999 } */", set()),
        ('a { content: "} :root { --accent: #999 }" }', set()),
        ("a { background: url(}:root{--accent:#999}) }", set()),
        ("<!-- :root { --accent: #999 } -->", EVERY),
        ("@import url(x;y.css); :root { --accent: #999 }", EVERY),
        ("--x: {} :root { --accent: #999 }", EVERY),
        (":root { --x: { } ; color red; --acc\\65nt: #999 }", EVERY),
        (":root/**/{ --accent/**/: /**/#999/**/ }", EVERY),
        (":root { --acc/**/ent: #999; --ACCENT: #999; accent: #999 }", set()),
    ],
)
def test_a_colour_counts_on_the_pages_on_which_a_browser_takes_it(text: str, where: set[tuple[str, str, str]]) -> None:
    assert pages(text) == where and looks_with(text, read_tokens())[1] == {}


def test_the_strongest_counts_and_of_two_alike_the_later() -> None:
    assert set(given_in(":root { --accent: #111; --accent: #222 }").values()) == {"#222222"}
    assert set(given_in("html:root, [data-theme][data-theme] { --accent: #111 }").values()) == set()
    strong = ":root[data-theme=dark] { --accent: #111 } :root { --accent: #222 }"
    assert given_in(strong)["dark", "light", "chosen"] == "#111111"
    assert set(given_in(":root { --accent: #111 !important } :root { --accent: #222 }").values()) == {"#111111"}
    either = given_in(":root { --accent: light-dark( #111111 , #EEE ) }")
    assert {(key[0], colour) for key, colour in either.items()} == {("light", "#111111"), ("dark", "#eeeeee")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (":root { --accent: var(--ok) }", {"accent: var(--ok)"}),
        (":root { --accent: color-mix(in srgb, red, blue); --ok: calc(1) }", {"accent: color-mix", "ok: calc(1)"}),
        (":root { --accent: #99999980 }", {"accent: #99999980"}),
        (":root { --accent: light-dark(var(--a), f(1)) }", {"accent: light-dark(var(--a), f(1))"}),
        (":root { --accent: inherit; --ok: }", {"accent: inherit", "ok: "}),
        (".card { --accent: #999 }", {"accent in .card"}),
        (":root, .card { --accent: #999 }", {"accent in :root, .card"}),
        ("@media print { :root { --accent: #999 } }", {"accent in @media print :root"}),
        ("@layer a { :root { --accent: #999 } }", {"accent in @layer a :root"}),
        (":root { & .card { --accent: #999 } }", {"accent in :root & .card"}),
        (":root { Color-Scheme: dark }", {"color-scheme in :root"}),
        (16 * "@media all {" + ":root { --accent: #999 }", {"accent in @media all"}),
    ],
)
def test_what_can_not_be_computed_is_told(text: str, told: set[str]) -> None:
    looks, unclear = looks_with(text, read_tokens())
    assert len(unclear) == len(told) and all(any(one.startswith(each) for one in unclear.values()) for each in told)
    assert all("accent" not in look.own for look in looks)


def themed(directory: Path, settings: Any, sheet: str, described: str = "") -> list[str]:
    """What is told of a theme with this sheet."""
    (directory / "static").mkdir()
    (directory / "static" / "theme.css").write_bytes(sheet.encode(errors="surrogateescape"))
    (directory / "theme.toml").write_text(described)
    settings.GWM_THEME = read_theme(directory, ("en",), is_wanted=True)
    broken, told = list_problems()
    assert broken == [] and all(type(message).__name__ == "Warning" for message in check_theme())
    return told


def test_a_weak_colour_of_the_sheet_is_told_with_where_it_is_so(tmp_path: Path, settings: Any) -> None:
    sheet = "@media (prefers-color-scheme: dark) { :root { --accent: #a0c0ff; --text: rgb(1 2 3) } }"
    strange, blind = themed(tmp_path, settings, "\ufeff" + sheet, '[dark]\npanel = "#000000"')
    assert strange.startswith(
        "Theme: the contrast of accent (#a0c0ff) in theme.css, light chosen where the system is dark is too low: "
    )
    assert "with panel (#ffffff)" in strange
    assert blind.startswith("Theme: the contrast of these in theme.css can't be measured here: text: rgb(1 2 3). ")


def test_what_theme_toml_says_is_the_ground_of_the_sheet(tmp_path: Path, settings: Any) -> None:
    described = '[light]\nnav = "#202020"\non-bad = "#b02318"'
    once, told = themed(tmp_path, settings, ":root[data-theme=light] { --nav-warn: #222 }", described)
    assert "on-bad (#b02318) in [light] is too low" in once
    assert "nav-warn (#222222) in theme.css, light is too low: 1.02 with nav (#202020). 4.5 is needed." in told


def test_a_sheet_without_colours_and_one_that_is_well_say_nothing(tmp_path: Path, settings: Any) -> None:
    assert themed(tmp_path, settings, ".card { margin: 0 } :root { --accent: light-dark(#104090, #90b8ff) }") == []


def test_a_sheet_of_megabytes_and_one_of_bytes_are_told_and_read(tmp_path: Path, settings: Any) -> None:
    (told,) = themed(tmp_path, settings, "x" * (MOST_CHARACTERS + 1))
    assert "has more than 1,000,000 characters, so its colours are not measured. Every page loads it" in told
    (tmp_path / "static" / "theme.css").write_bytes(b"\xff\x00:root{" + bytes(range(256)) * 40)
    assert list_problems() == ([], [])
    (tmp_path / "static" / "theme.css").write_text(
        "".join(f".a {{ --{name}: #fff }}" for name in read_tokens()["dark"])
    )
    assert ", and 52 more. Write them like #1b57c6" in list_problems()[1][0]


PIECES = (
    *(
        *"{}()[];:,!*@&\\\"' \n\0é",
        "/*",
        "*/",
        "<!--",
        "-->",
        "url(",
        "light-dark(",
        "--accent",
        "--x",
        "#999",
        "#123456",
    ),
    *(":root", "html", "[data-theme=dark]", "@media (prefers-color-scheme: dark)", "@media all{", "!important", "'}'"),
    *(":root{--accent:#999}", "--accent:#999;", ":root{", "color:red", "/*{*/", "\\65 "),
)
SOUP = st.lists(st.sampled_from(PIECES), max_size=40)


@given(SOUP)
def test_whatever_stands_there_is_read_to_its_end(parts: list[str]) -> None:
    looks, unclear = looks_with("".join(parts), read_tokens())
    assert len(looks) == 6 and all(look.own <= look.colours.keys() for look in looks)
    assert unclear.keys() <= {*read_tokens()["light"], "color-scheme"}


NOISE = st.sampled_from(
    [
        "",
        " ",
        "/**/",
        "/*}*/",
        "\n",
        "/* ; { */",
        "a:b;",
        "x:'}';",
        'y:"\\"{";',
        "z:url(};{);",
        "q:f({;});",
        "r:[;];",
        "--s:{;};",
    ]
)
VALUES = st.sampled_from(["#999", "#123456", "var(--b)", "f(;)", "'}'", "light-dark(#111, #222)", "x!important"])
NAMES = st.sampled_from(["--accent", "--x", "color", "--text"])
HEADS = st.sampled_from([":root", ".card", "@media all", "[data-theme='}']", "html:not(.a)", "@supports (a:b)", "&.b"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> str:
    """What stands between braces: settings, blocks and what means nothing."""
    said = draw(NOISE)
    for _ in range(draw(st.integers(0, 3))):
        if depth < 3 and draw(st.booleans()):
            said += f"{draw(HEADS)}{{{draw(blocks(depth + 1))}}}"
        elif depth:
            said += f"{draw(NAMES)}:{draw(VALUES)};"
        said += draw(NOISE) if depth else ""
    return said


def settings_of(nodes: list[Any], places: tuple[str, ...] = ()) -> Iterator[Setting]:
    """The same by a parser of others."""
    for node in nodes:
        if node.type == "declaration" and places:
            value = " ".join(tinycss2.serialize([each for each in node.value if each.type != "comment"]).split())
            yield Setting(places, node.name, value, node.important)
        elif node.type in ("qualified-rule", "at-rule") and node.content is not None:
            prelude = tinycss2.serialize([each for each in node.prelude if each.type != "comment"])
            place = " ".join((f"@{node.at_keyword}" if node.type == "at-rule" else "").split() + prelude.split())
            yield from settings_of(tinycss2.parse_blocks_contents(node.content), (*places, place))


@given(blocks())
def test_it_reads_what_a_parser_of_others_reads(text: str) -> None:
    ours = [
        Setting(tuple(map(quoted, each.places)), each.name, quoted(each.value), each.is_important)
        for each in read_settings(text)
    ]
    assert ours == list(settings_of(tinycss2.parse_stylesheet(text)))


def quoted(text: str) -> str:
    """The same with quotes as the other writes them."""
    return str(tinycss2.serialize(tinycss2.parse_component_value_list(text)))
