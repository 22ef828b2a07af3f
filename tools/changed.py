"""Which tests a change can reach: `./run test changed [REVISION]` runs them.

A graph is read from the sources: what a file imports, names as a dotted text, renders, loads or mentions is what it
needs. A test is reached when something it needs has changed. What starts the whole product needs all of it, and what
all tests share reaches all of them. It errs to the side of too many; the gates of `./run test` leave nothing out.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath

#: a change of one of these reaches every test
SHARED = {"pyproject.toml", "tests/requirements.txt", "tests/settings.py", "tests/conftest.py", "gwm/settings.py"}
#: the fixtures of these are for everybody; who names one needs it
PLUGINS = ("tests/servers.py", "tests/fixtures/simulator.py", "tests/ganeti/plugin.py")
#: stands for all that an answer to a request can pass through
PAGES = "<pages>"
#: stands for the product as it is started
PRODUCT = "<product>"
_ASKS_PAGES = re.compile(
    r"^from django\.(?:test|urls|template)[.\w]* import .*\b(?:Client|RequestFactory|reverse|get_resolver|\w*templat\w*"
    r"|render_to_string)\b|\blive_server\b|\badmin_client\b|^def test_\w+\([^)]*\bclient\b",
    re.MULTILINE | re.IGNORECASE,
)
_STARTS_PRODUCT = re.compile(r"manage\.py|\bmark\.standalone\b")
_COMMAND = re.compile(r"call_command\(\s*[\"'](\w+)")
_FIXTURE = re.compile(r"@pytest\.fixture.*\n(?:async )?def (\w+)")
_TEMPLATE = re.compile(r"[\"']([\w/-]+\.(?:html|txt))[\"']")
_LOAD = re.compile(r"\{% load ([\w ]+?)(?: from (\w+))? %\}")


class Sources:
    """Files by their path from the root of the repository, and what each of them needs."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.modules = {module_name(path): path for path in texts if path.endswith(".py")}
        self.tag_libraries = {
            PurePosixPath(path).stem: path for path in texts if "/templatetags/" in path and path.endswith(".py")
        }

    @cached_property
    def needs(self) -> dict[str, set[str]]:
        """What each file needs, by its path."""
        found = {path: set(self._needs_of(path)) for path in self.texts}
        product = {path for path in self.texts if not path.startswith("tests/")}
        found[PRODUCT] = product
        starts = {path for path in product if PurePosixPath(path).name in ("urls.py", "apps.py")}
        rendered = set().union(*(found[path] for path in product))
        lone = {path for path in product if path.startswith("templates/") and path not in rendered}
        # what settings name is there for pages; everybody else only reads values
        found[PAGES] = {*starts, *lone, *found.pop("gwm/settings.py", ())}
        return found

    def _needs_of(self, path: str) -> Iterator[str]:
        text = self.texts[path]
        if path.endswith(".py"):
            yield from self._imported(path, text)
        for name in _TEMPLATE.findall(text):
            yield f"templates/{name}"
        for names, library in _LOAD.findall(text):
            for name in [library] if library else names.split():
                if name in self.tag_libraries:
                    yield self.tag_libraries[name]
        if path.startswith("tests/"):
            yield from self._needs_of_test(path, text)

    def _imported(self, path: str, text: str) -> Iterator[str]:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and self._is_named(node.value):
                names = [node.value]
            else:
                continue
            for name in names:
                yield from self._module_and_packages(name)
        package = PurePosixPath(path).parent
        if "models" in (PurePosixPath(path).stem, package.name):
            app = package.parent if package.name == "models" else package
            yield from (each for each in self.texts if each.startswith(f"{app}/migrations/"))

    def _is_named(self, text: str) -> bool:
        """Whether this is the name of a module, or of something in a module that is no package."""
        module = self.modules.get(text.rpartition(".")[0], "")
        return "." in text and (text in self.modules or (module != "" and not module.endswith("/__init__.py")))

    def _module_and_packages(self, dotted: str) -> Iterator[str]:
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            if (found := self.modules.get(".".join(parts[:length]))) is not None:
                yield found

    def _needs_of_test(self, path: str, text: str) -> Iterator[str]:
        for folder in PurePosixPath(path).parents:
            conftest = f"{folder}/conftest.py"
            if conftest in self.texts and conftest not in SHARED and conftest != path:
                yield conftest
        words = set(re.findall(r"\w+", text))
        for plugin in PLUGINS:
            if words.intersection(_FIXTURE.findall(self.texts.get(plugin, ""))):
                yield plugin
        if _ASKS_PAGES.search(text):
            yield PAGES
        for name in _COMMAND.findall(text):
            yield from (each for each in self.texts if each.endswith(f"/management/commands/{name}.py"))
        if _STARTS_PRODUCT.search(text):
            yield PRODUCT

    def mentioning(self, path: str) -> set[str]:
        """The files in Python that name a file which is none, or else its folder without a certain file in it."""
        name, folder = PurePosixPath(path).name, re.escape(PurePosixPath(path).parts[0])
        others = r"(?!(?:[\"']\s*/\s*[\"']|/)[\w/-]+\.\w)"
        for word in (rf"[\"'/]{re.escape(name)}[\"'/]", rf"[\"'/]{folder}{others}[\"'/]"):
            found = {each for each, text in self.texts.items() if each.endswith(".py") and re.search(word, text)}
            if found:
                return found
        return set()

    def reached(self, changed: Iterable[str]) -> list[str]:
        """The test files that any of these changes can reach, and the house rules in any case."""
        changed = set(changed)
        sources = (path for path in changed if path.endswith((".py", ".html")) and not path.startswith("tests/"))
        if gone := {path: "" for path in sources if path not in self.texts}:
            return Sources({**self.texts, **gone}).reached(changed)  # whoever still needs it is reached
        tests = {path for path in self.texts if re.search(r"^tests/.*/test_\w+\.py$", path)}
        if changed & SHARED:
            return sorted(tests)
        needed_by = defaultdict(set)
        for path, needs in self.needs.items():
            for need in needs:
                needed_by[need].add(path)
        found: set[str] = set()
        waiting = [*changed]
        for path in changed:
            if not path.endswith((".py", ".html")):
                waiting += self.mentioning(path)
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += needed_by[path]
        return sorted(path for path in tests if path in found or path.startswith("tests/architecture/"))


def module_name(path: str) -> str:
    """The name under which a file is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def read_sources(root: Path) -> Sources:
    """The sources as they are now, what git does not know yet too."""
    listed = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "templates/*.html")
    return Sources({name: (root / name).read_text("utf-8") for name in listed if (root / name).exists()})


def changed_since(root: Path, revision: str) -> set[str]:
    """The files that differ from where this line of work left `revision`, committed or not; from HEAD if it has not."""
    (base,) = _git(root, "merge-base", "HEAD", revision)
    return {
        *_git(root, "diff", "--name-only", "--no-renames", base),
        *_git(root, "ls-files", "--others", "--exclude-standard"),
    }


def _git(root: Path, *arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.splitlines()
