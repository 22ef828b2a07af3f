"""No sentence for people without gettext: read from templates, Python and scripts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rapi import errors

ROOT = Path(__file__).resolve().parents[2]
# Samples for who builds pages.
SAMPLES = frozenset({"templates/gwm/styleguide.html", "gwm/views/styleguide.py"})
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if str(path.relative_to(ROOT)) not in SAMPLES)

# The product, units of Ganeti's data and the names of keys: the same in every language.
SAME_EVERYWHERE = re.compile(
    r"\b(?:Ganeti Web Manager|Ganeti|RAPI|UUID|VNC|MAC|VLAN|IPv4|IPv6|CSV|JSON|Ctrl|Alt|Shift|Win|Del|Esc|Tab|Enter"
    r"|Home|End|PgUp|PgDn|Ins|status\.json|nbsp|doctype|html)\b"
)
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_SEEN = frozenset({"title", "placeholder", "aria-label", "alt", "data-label", "data-away"})


def has_words(text: str) -> bool:
    return _LETTERS.search(SAME_EVERYWHERE.sub(" ", text)) is not None


class _Literals(HTMLParser):
    """What is written in a template outside of tags of Django's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self.found += [value for name, value in attrs if name in _SEEN and value and has_words(value)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and has_words(data):
            self.found.append(" ".join(data.split()))


_TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
_BLOCK = re.compile(
    r"{% comment %}.*?{% endcomment %}|{% (?:blocktranslate|blocktrans)\b.*?{% endblocktrans(?:late)? %}", re.DOTALL
)
# Arguments of tags that people read, and the defaults of filters.
_ARGUMENT = re.compile(
    r"""\b(?:title|text|label|empty|say|word|noun_text|(?:action|submit|cancel)_label|empty_title|empty_text)="([^"]+)"
    |(?<=default:)"([^"]*\s[^"]*|[A-Z][^"]+)"|{%\ sort_header\ "\w+"\ "([^"]+)" """,
    re.VERBOSE,
)


def literals_in(source: str) -> list[str]:
    source = _BLOCK.sub("", source)
    found = [text for tag in _TAG.findall(source) for text in ["".join(m) for m in _ARGUMENT.findall(tag)]]
    reader = _Literals()
    reader.feed(_TAG.sub("", source))
    reader.close()
    return [*found, *reader.found]


def test_a_template_says_nothing_that_cannot_be_translated() -> None:
    assert TEMPLATES
    assert {path: found for path in TEMPLATES if (found := literals_in(path.read_text(encoding="utf-8")))} == {}


def test_the_words_of_a_template_are_found() -> None:
    assert literals_in('<p>Hello <b>{{ name }}</b></p><i title="Go there"></i>') == ["Hello", "Go there"]
    assert literals_in('{% include "x.html" with title="Not yet" %}{{ x|default:"no name" }}') == ["Not yet", "no name"]
    assert literals_in('{% sort_header "name" "Name" %}') == ["Name"]
    assert (
        literals_in('{% translate "A" %}{% blocktranslate %}Some {{ words }}{% endblocktranslate %}<b>RAPI</b>') == []
    )


# Commands, settings, what starts the processes, and logs speak English: for who runs the service.
_FOR_OPERATORS = re.compile(
    r"^(?:gwm/(?:management|processes|settings|env|config|database_versions|secrets|demo|preparation|live)"
    r"|gwm/(?:backups|migrating|checking|diagnosing|records|logs|metrics|queue_files|celery|theming)|ui/theming|objectlog/(?:canonical|chain)|\w+/management|\w+/migrations|\w+/tests|tools|tests|simulator|vncproxy|deploy|sealing|fabfile|manage)"
)
FILES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not _FOR_OPERATORS.match(str(path.relative_to(ROOT)))
    and str(path.relative_to(ROOT)) not in SAMPLES
    and not any(part.startswith(".") or part == "migrations" for part in path.relative_to(ROOT).parts)
]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


GETTEXT = frozenset(
    name for kind in ("gettext", "ngettext", "pgettext", "npgettext") for name in (kind, f"{kind}_lazy")
) | {"_", "gettext_noop"}
# Whose first argument is for people.
_TO_PEOPLE = {
    name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, errors.RapiError)
} | {
    "ValidationError",
    "Refusal",
    "Forbidden",
    "PermissionDenied",
    "Http404",
    "NoConsole",
    "BadRecord",
}
_ATTRIBUTES = frozenset({"label", "doing", "noun", "question", "consequence", "way_out", "help_text", "verbose"})
_TO_PROGRAMMERS = frozenset(
    {"TypeError", "ValueError", "KeyError", "OSError", "TimeoutError", "Oversize", "ConnectTimeoutError"}
    | {"NewConnectionError"}
)
_MESSAGES = frozenset({"success", "error", "warning", "info"})
_SENTENCE = re.compile(r"[A-Z][a-z']*,? .*[a-z]{2,}.*[.?!]")


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def is_plain(node: ast.expr | None) -> bool:
    """Whether this is text that gettext never saw."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and has_words(node.value)
    if isinstance(node, ast.JoinedStr):
        return any(is_plain(each) for each in node.values if isinstance(each, ast.Constant))
    if isinstance(node, ast.BinOp):
        return is_plain(node.left) or is_plain(node.right)
    return isinstance(node, ast.IfExp) and (is_plain(node.body) or is_plain(node.orelse))


def documentation_in(nodes: list[ast.AST]) -> set[int]:
    """The docstrings, and the strings that stand alone below what they explain."""
    return {id(node.value) for node in nodes if isinstance(node, ast.Expr)}


def untranslated_in(tree: ast.Module, *, is_model: bool = False) -> Iterator[tuple[int, str]]:
    nodes = list(ast.walk(tree))
    seen, silent = set(), documentation_in(nodes)
    for node in nodes:
        if isinstance(node, ast.Call):
            called = name_of(node.func)
            if called in GETTEXT:
                seen |= {id(each) for each in ast.walk(node)}
                if any(isinstance(each, ast.JoinedStr) for each in node.args):
                    yield node.lineno, "a text that changes, in gettext"
            is_message = called in _MESSAGES and isinstance(node.func, ast.Attribute)
            is_message = is_message and name_of(node.func.value) == "messages"  # type: ignore[attr-defined]
            given = node.args[1:2] if is_message else node.args[:1] if called in _TO_PEOPLE else []
            given += [each.value for each in node.keywords if each.arg in _ATTRIBUTES and not is_model]
            yield from ((each.lineno, ast.unparse(each)) for each in given if is_plain(each))
            # What only people who write programs see.
            if called in _TO_PROGRAMMERS or (
                isinstance(node.func, ast.Attribute) and name_of(node.func.value) in ("logger", "logging")
            ):
                silent |= {id(each) for each in ast.walk(node)}
        elif isinstance(node, ast.JoinedStr):
            last = node.values[-1] if node.values else None
            if isinstance(last, ast.Constant) and str(last.value).endswith(("?", "!")):
                yield node.lineno, "a question made of parts, which Spanish opens and Greek ends otherwise"
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(name_of(each) in _ATTRIBUTES for each in targets) and is_plain(node.value):
                yield node.lineno, ast.unparse(node)
    known = seen | silent
    for node in nodes:
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in known and _SENTENCE.fullmatch(node.value):
            yield node.lineno, node.value


def eager_at_import(tree: ast.Module) -> Iterator[int]:
    """Where a module translates while it is imported, so for whoever happens to import it."""
    eager = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if not alias.name.endswith(("_lazy", "_noop"))
    }
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call) and name_of(node.func) in eager & GETTEXT:
            yield node.lineno
        waiting += list(ast.iter_child_nodes(node))


def test_a_module_says_nothing_that_cannot_be_translated() -> None:
    assert FILES
    wrong = {}
    for path in FILES:
        tree = tree_of(path)
        untranslated = list(untranslated_in(tree, is_model="models" in path.parts or path.name == "models.py"))
        if found := [*untranslated, *eager_at_import(tree)]:
            wrong[path] = found
    assert wrong == {}


def test_the_words_of_a_module_are_found() -> None:
    def of(source: str) -> list[str]:
        return [words for _line, words in untranslated_in(ast.parse(source))]

    assert of('raise Refusal("Not now")') == ["'Not now'"]
    assert of('raise Garbled(f"No {what}")') == ["f'No {what}'"]
    assert of('messages.error(request, "No luck")') == ["'No luck'"]
    assert of('CharField(label="Name")') == ["'Name'"]
    assert of('class X:\n    label = "Start"') == ["label = 'Start'"]
    assert of('def f():\n    return "It is gone for good."') == ["It is gone for good."]
    assert of('_(f"Hello {name}")') == ["a text that changes, in gettext"]
    assert len(of('def f():\n    return f"{what}?"')) == 1
    assert of('X = f"{url}?{query}"') == []
    assert of('raise Refusal(_("Not now"))\nraise TypeError("It takes no such thing.")') == []
    imported = "from django.utils.translation import gettext as _\n"
    assert list(eager_at_import(ast.parse(f'{imported}X = _("A")'))) == [2]
    assert list(eager_at_import(ast.parse(f'{imported}def f():\n    return _("A")'))) == []


def test_gettext_has_names_that_xgettext_knows() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {alias.name} as {alias.asname}"
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.asname not in (None, "_") or (alias.asname == "_" and not alias.name.startswith("gettext"))
    ]
    assert wrong == []


_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
_SAID = re.compile(r"\b[A-Z][\w']* [a-z].*|.*[a-z] [a-z]+[.?!]$|[^[]*\b(?:ago|since|until)\b[^\]]*")


@pytest.mark.parametrize("path", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda path: path.name)
def test_a_script_holds_no_words(path: Path) -> None:
    source = _COMMENT.sub("", path.read_text(encoding="utf-8"))
    strings = ["".join(found) for found in _STRING.findall(source)]
    assert [text for text in strings if _SAID.fullmatch(text) and text != "ago"] == []
    assert re.findall(r'(?:textContent|ariaLabel|title) = "[A-Z][^"]*"|say\([^;]*"[A-Z][^"]*"', source) == []


# What decides, reads clusters or carries out: its sentences end in the database. Forms, views and columns only show.
WRITES = (
    *("operations", "clusters/operations", "clusters/sync", "clusters/twins.py", "clusters/bulkhead.py", "updates"),
    *("virtualmachines/operations", "virtualmachines/rules", "virtualmachines/spec", "virtualmachines/room.py"),
    *("virtualmachines/sync", "people/operations", "permissions/policy"),
    *("permissions/access.py", "permissions/services.py", "quotas/services.py"),
)
SHOWS = frozenset({"views", "templatetags", "migrations", "columns.py", "models.py"})


def list_writers() -> Iterator[Path]:
    for name in WRITES:
        place = ROOT / name
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            if not SHOWS & set(path.relative_to(ROOT).parts):
                yield path


def test_who_writes_sentences_down_takes_those_that_know_what_they_are_made_of() -> None:
    wrong = []
    for path in list_writers():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                taken = {each.name for each in node.names} & {"gettext", "ngettext"}
                wrong += [f"{path.relative_to(ROOT)}: import {name} from objectlog.words" for name in sorted(taken)]
    assert wrong == []
