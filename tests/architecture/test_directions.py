"""Templates and URL names point downwards too: no page of a lower app names something of an app above it.

import-linter holds the same for imports; the order of the apps is read from its contract.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parents[2]
_LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
_LAYERS = next(contract["layers"] for contract in _LINTER["contracts"] if contract["id"] == "apps")
# 0 is the lowest. What stands beside each other names nothing of each other either.
HEIGHT = {room.strip(): height for height, layer in enumerate(reversed(_LAYERS)) for room in layer.split("|")}

_TAG = re.compile(r"\{%\s*(load|include|extends|url)\s+(.*?)\s*%\}", re.S)
_QUOTED = re.compile(r"""^["']([^"']+)["']""")
_BY_URL_NAME = {"reverse", "reverse_lazy", "redirect", "resolve_url"}
# The argument of ui.places that is the name of a URL.
_PLACES = {"Part": 2, "add_list": 1}


def room_of_template(name: str) -> str:
    """The folder's app; what is in no app's folder is how things look."""
    folder = name.split("/", 1)[0]
    return folder if folder in HEIGHT else "ui"


@cache
def rooms_of_tags() -> dict[str, str]:
    return {path.stem: room for room in HEIGHT for path in (ROOT / room).glob("templatetags/[!_]*.py")}


@cache
def rooms_of_urls() -> dict[str, str]:
    """The app whose view answers, by the URL's name."""

    def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[tuple[str, str]]:
        for each in patterns:
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns)
            elif each.name:
                yield each.name, each.callback.__module__.split(".")[0]

    return dict(walk(get_resolver().url_patterns))


def named_in_template(text: str) -> Iterator[tuple[str, str]]:
    """What a template names: (template | tags | URL, name)."""
    for tag, rest in _TAG.findall(text):
        if tag == "load":
            words = rest.split()
            for word in words[words.index("from") + 1 :] if "from" in words else words:
                yield "tags", word
        elif quoted := _QUOTED.match(rest):
            yield ("URL" if tag == "url" else "template"), quoted[1]


def named_in_code(text: str) -> Iterator[tuple[str, str]]:
    """What a module names: (template | URL, name)."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w/]+\.html", node.value):
            yield "template", node.value
        if not isinstance(node, ast.Call):
            continue
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = 0 if function in _BY_URL_NAME else _PLACES.get(function)
        if place is not None and len(node.args) > place:
            argument = node.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield "URL", argument.value


def rises(room: str, kind: str, name: str) -> str:
    """The app to which a name points, if it is not the same one or one below; else empty."""
    if kind == "template":
        there = room_of_template(name)
    else:
        there = (rooms_of_tags() if kind == "tags" else rooms_of_urls()).get(name, "")
    return there if there in HEIGHT and there != room and HEIGHT[there] >= HEIGHT[room] else ""


@cache
def all_names() -> list[tuple[str, str, str, str]]:
    """(file, its app, kind, name) of everything that is named."""
    return list(_walk_names())


def _walk_names() -> Iterator[tuple[str, str, str, str]]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        room = room_of_template(str(path.relative_to(ROOT / "templates")))
        for kind, name in named_in_template(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), room, kind, name
    for room in HEIGHT:
        for path in sorted((ROOT / room).rglob("*.py")):
            for kind, name in named_in_code(path.read_text(encoding="utf-8")):
                yield str(path.relative_to(ROOT)), room, kind, name


def test_nothing_points_upwards() -> None:
    found = {
        f"{file} names the {kind} {name} of {there}"
        for file, room, kind, name in all_names()
        if (there := rises(room, kind, name))
    }
    assert found == set()


def test_there_is_something_to_read() -> None:
    read = all_names()
    for kind, at_least in {"template": 150, "tags": 80, "URL": 80}.items():
        assert sum(each == kind for _file, _room, each, _name in read) > at_least
    assert {"clusters", "cluster", "vm", "login"} <= set(rooms_of_urls())
    assert {"parts", "places"} <= set(rooms_of_tags())


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("clusters", '{% url "vm" slug name %}'),
        ("clusters", "{% url 'cluster' slug as there %}"),
        ("clusters", "{% load i18n machines %}"),
        ("ui", "{% load job_state from clusters %}"),
        ("virtualmachines", '{% include "gwm/_journal_list.html" with a=1 %}'),
        ("people", '{% extends "gwm/overview.html" %}'),
        ("ui", '{% include "people/login.html" %}'),
    ],
)
def test_a_template_that_does_is_found(room: str, text: str) -> None:
    assert any(rises(room, kind, name) for kind, name in named_in_template(text))


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("clusters", 'reverse("vms")'),
        ("people", 'redirect("overview")'),
        ("people", 'urls.reverse_lazy("overview")'),
        ("permissions", 'class Page:\n    template_name = "people/login.html"'),
        ("virtualmachines", 'render(request, "gwm/overview.html")'),
        ("virtualmachines", 'add_parts("vm", Part("journal", _("Journal"), "vm-journal", 50))'),
        ("clusters", 'add_list("cluster", "clusters", _("Clusters"))'),
    ],
)
def test_a_module_that_does_is_found(room: str, text: str) -> None:
    assert any(rises(room, kind, name) for kind, name in named_in_code(text))


def test_what_points_downwards_or_stays_is_not() -> None:
    assert not rises("virtualmachines", "URL", "jobs")
    assert not rises("clusters", "template", "clusters/edit.html")
    assert not rises("gwm", "tags", "machines")


def test_below_the_top_no_address_is_written_out() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {address}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if room_of_template(str(path.relative_to(ROOT / "templates"))) != "gwm"
        for address in re.findall(r"""(?:href|action|url|hx-get|hx-post)=["'](/[^"']*)""", path.read_text("utf-8"))
    ]
    assert found == []
