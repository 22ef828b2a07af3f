"""Style sheets parse, and hold nothing that is undefined or that nobody uses: tokens, classes, declarations."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinycss2

ROOT = Path(__file__).resolve().parents[2]
SHEETS = sorted((ROOT / "static/css").glob("*.css"))
#: what sets classes: templates, scripts, and the template tags and views in Python
SPEAKERS = ("templates/**/*.html", "static/js/*.js", "*/**/*.py")
OWN_TESTS = {"tests", "tools"}
#: classes that are made of two pieces (`is-` and a word: too), or given by somebody else's script
GIVEN = re.compile(r"fill-[\w-]+|needs-\d+|c\d+|htmx-\w+")
#: the classes in which a template names a part for scripts, tests and people, without a look of its own
WITHOUT_LOOK = {"table", "wide"}


@dataclass
class Sheets:
    """What all style sheets say together."""

    errors: list[str] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=dict)
    defined: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    #: where all elements get transitions
    moved: list[str] = field(default_factory=list)

    def read(self, sheet: str, items: list[Any]) -> None:
        """Take in the rules and declarations of one block, and of the blocks within it."""
        seen: set[tuple[str, str]] = set()
        for item in items:
            where = f"{sheet}:{item.source_line}"
            if item.type == "error":
                self.errors.append(f"{where}: {item.message}")
            elif item.type == "declaration":
                value = tinycss2.serialize(item.value).strip()
                if (item.name, value) in seen:
                    self.twice.append(f"{where}: {item.name}")
                seen.add((item.name, value))
                if item.name.startswith("--"):
                    self.defined.setdefault(item.name, where)
                for token in flat(item.value):
                    if token.type == "error":
                        self.errors.append(f"{where}: {token.message}")
                    elif token.type == "function" and token.lower_name == "var":
                        named = next(inner for inner in token.arguments if inner.type == "ident")
                        self.used.setdefault(named.value, where)
            elif item.type in ("qualified-rule", "at-rule"):
                self._read_rule(sheet, where, item)

    def _read_rule(self, sheet: str, where: str, rule: Any) -> None:
        tokens = list(flat(rule.prelude))
        if rule.type == "qualified-rule":
            for dot, name in pairwise(tokens):
                if dot == "." and name.type == "ident":
                    self.classes.setdefault(name.value, where)
        for token in tokens:
            if token.type == "ident" and token.value.startswith("--"):
                self.used.setdefault(token.value, where)  # a style query
        if rule.content is not None:
            items = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
            if rule.type == "qualified-rule" and "*" in tokens:
                self.moved += [f"{sheet}:{item.source_line}" for item in items if gives_transitions(item)]
            self.read(sheet, items)


def gives_transitions(item: Any) -> bool:
    """Whether a declaration lets changes take time."""
    named = item.type == "declaration" and item.name in ("transition", "transition-duration")
    return named and tinycss2.serialize(item.value).strip() not in ("none", "0s")


def flat(tokens: list[Any]) -> Iterator[Any]:
    """All tokens, those within brackets and functions too."""
    for token in tokens:
        yield token
        yield from flat(getattr(token, "arguments", None) or getattr(token, "content", None) or [])


def read(sheet: str, text: str) -> Sheets:
    found = Sheets()
    found.read(sheet, tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True))
    return found


@cache
def sheets() -> Sheets:
    found = Sheets()
    for path in SHEETS:
        items = tinycss2.parse_stylesheet(path.read_text("utf-8"), skip_comments=True, skip_whitespace=True)
        found.read(path.name, items)
    return found


@cache
def words() -> frozenset[str]:
    """Every word that a template, a script or a view of ours says."""
    found: set[str] = set()
    for pattern in SPEAKERS:
        for path in ROOT.glob(pattern):
            if path.relative_to(ROOT).parts[0] not in OWN_TESTS:
                found |= set(re.findall(r"-{0,2}\w[\w-]*", path.read_text("utf-8")))
    return frozenset(found)


def classes_in_templates() -> set[str]:
    """Classes that stand in templates whole, not put together of pieces."""
    found: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        for value in re.findall(r'\bclass="([^"]*)"', re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "\0", path.read_text("utf-8"))):
            found |= {word for word in value.split() if "\0" not in word and not word.endswith("-")}
    return found


def test_faults_are_seen() -> None:
    found = read("x.css", "a { color: red; color: red } .b { top: var(--nowhere) } @media print { p { : } } c { --t: 1")
    assert found.twice == ["x.css:1: color"]
    assert found.classes == {"b": "x.css:1"}
    assert set(found.used) == {"--nowhere"} and set(found.defined) == {"--t"}
    assert len(found.errors) == 1
    several = "* { transition-duration: 0s !important } a, *::after { transition: 1ms } a { transition: color 1s }"
    assert read("x.css", several).moved == ["x.css:1"]


def test_sheets_parse() -> None:
    assert len(SHEETS) > 5
    assert sheets().errors == []


def test_every_token_that_is_used_is_defined() -> None:
    assert {name: where for name, where in sheets().used.items() if name not in sheets().defined} == {}


def test_every_token_that_is_defined_is_used() -> None:
    unused = {name: where for name, where in sheets().defined.items() if name not in sheets().used}
    assert {name: where for name, where in unused.items() if name not in words()} == {}


def test_every_class_is_set_by_somebody() -> None:
    assert {
        name: where
        for name, where in sheets().classes.items()
        if name not in words() and name.removeprefix("is-") not in words() and not GIVEN.fullmatch(name)
    } == {}


def test_every_class_in_a_template_has_a_look_or_a_script() -> None:
    scripts = "\n".join(path.read_text("utf-8") for path in (ROOT / "static/js").glob("*.js"))
    known = {*sheets().classes, *WITHOUT_LOOK, *re.findall(r"[\w-]+", scripts)}
    assert classes_in_templates() - known == set()


def test_no_declaration_stands_twice_in_a_rule() -> None:
    assert sheets().twice == []


def test_no_transition_is_given_to_all_elements() -> None:
    """Of all values, as that is what moves by itself: however short, each element takes a turn at each change."""
    assert sheets().moved == []
