"""Documents name files, commands and sentences that there are, and link to them."""

import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from django.core.management import load_command_class
from invoke import Collection

from clusters.states import _FAILURES
from gwm.outages import _TOLD
from tests.up.running import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
_FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
#: a path with a folder of ours, or of the app that the sentence is about
_PATH = re.compile(rf"(?<![\w/.*])((?:{_FOLDERS})/[\w/-]+\.\w+)|`((?:\w+/)*\w+/\w+\.(?:py|html|js|css))`")

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def paths_in(text: str) -> Iterator[str]:
    for ours, inside in _PATH.findall(text):
        yield ours or inside


def test_paths_are_seen() -> None:
    text = "See gwm/env.py, `forms/actions.py` and [this](docs/pages.md#top); not `/healthz`, 3.0/3.1."
    assert list(paths_in(text)) == ["gwm/env.py", "forms/actions.py", "docs/pages.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_exist(document) -> None:
    named = set(paths_in(document.read_text("utf-8")))
    places = (ROOT, document.parent, *(path for path in ROOT.iterdir() if path.is_dir()))
    assert {path for path in named if not any((place / path).exists() for place in places)} == set()


def anchors_of(text: str) -> set[str]:
    """The names of headings as those who show Markdown make them: lower case, hyphens, nothing else."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document) -> None:
    for path, anchor in _LINK.findall(document.read_text("utf-8")):
        aim = document.parent / path if path else document
        assert aim.exists(), f"({path})"
        assert not anchor or anchor in anchors_of(aim.read_text("utf-8")), f"({path}#{anchor})"


# Quoted as it is seen; … and figures stand for what differs.
_QUOTED = re.compile(r"“([^”]+)”")
_SOURCES = [
    *ROOT.glob("locale/es/LC_MESSAGES/django.po"),
    ROOT / "run",
    *(path for folder in ("gwm", "deploy", "people", "sealing") for path in ROOT.glob(f"{folder}/**/*.py")),
    ROOT / "manage.py",
]
OPERATIONS_PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
#: `./run` itself, and what `fab prod deploy` asks of a server
_NOT_TYPED = ("up", "check_installation")
TROUBLES = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
#: Of these the product has nothing to say.
_SILENT = (
    *(
        "no administrator can sign in",
        "the second factor is lost",
        "no mail comes",
        "one value is old",
        "pages do not renew",
    ),
    *("a batch stands still", "all pages", "searching in the journal", "a cluster's RAPI"),
)


def test_what_the_troubleshooter_has_seen_is_what_is_said() -> None:
    said = re.sub(r'"\n\s*f?"', "", "".join(path.read_text("utf-8") for path in _SOURCES))
    said = re.sub(r"%\(\w+\)[sd]|\{[^{}\n]*\}|%[sd]", "…", said).replace("`", "")
    for words in _QUOTED.findall(TROUBLES):
        parts = [part.strip(" `") for part in re.split(r"…|\d+(?:\.\d+)*", words) if part.strip(" `")]
        pattern = r"[^\n]{0,80}".join(re.escape(part.replace("`", "")) for part in parts)
        assert re.search(pattern, said, re.IGNORECASE), words


def test_each_trouble_is_in_the_words_of_the_product() -> None:
    """Or it is one of those in which it says nothing, which all stand there."""
    rows = [row.split(" | ")[0].removeprefix("| ") for row in TROUBLES.splitlines() if row.startswith("| ")]
    seen = [row for row in rows if row != "what one sees" and not _QUOTED.search(row)]
    assert sorted(seen) == sorted(row for row in rows if row.startswith(_SILENT))
    assert all(any(row.startswith(each) for row in seen) for each in _SILENT)


def test_each_outage_is_explained() -> None:
    """Those that pages and commands tell of, and each state of a cluster that has one to act."""
    quoted = " ".join(_QUOTED.findall(TROUBLES))
    titles = [str(told.title) for told in _TOLD.values()]
    assert [each for each in titles if each not in quoted] == []
    states = [str(word) for word in _FAILURES.values() if word != "request cannot be sent"]  # one of ours
    assert [each for each in states if each not in quoted] == []


def test_each_row_of_threats_names_tests() -> None:
    """Whether these are there is asked of all paths in documents, above."""
    table = (ROOT / "docs" / "threats.md").read_text("utf-8").partition("| who | may try |")[2].partition("\n\n")[0]
    rows = table.splitlines()[2:]
    assert len(rows) > 5
    assert [row for row in rows if not re.search(r"\btests/\w+/test_\w+\.py\b", row.split("|")[-2])] == []


def test_each_command_of_ours_is_in_the_table_of_operations() -> None:
    table = OPERATIONS_PAGE.partition("## Command line")[2].partition("\n## ")[0]
    named = [
        name for row in table.splitlines() for name in re.findall(r"`(?:\./run manage )?(\w+)", row.split(" | ")[0])
    ]
    ours = {path.stem for path in ROOT.glob("*/management/commands/*.py")} - {"__init__", *_NOT_TYPED}
    assert sorted(ours - set(named)) == []


_MANAGE = re.compile(r"(?:\./run manage|manage\.py|gwm-manage) ([a-z_]+)((?: --?[\w-]+| [^\s`|;&>]+)*)")
_DJANGOS = {"migrate", "createcachetable", "collectstatic", "version", "check", "up"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_are_named_are_there_with_their_options(document) -> None:
    ours = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    for name, rest in _MANAGE.findall(document.read_text("utf-8")):
        assert name in ours | _DJANGOS, name
        if name in ours:
            known = load_command_class(app_of(name), name).create_parser("manage.py", name)._option_string_actions
            assert {word.partition("=")[0] for word in re.split(r"[ \[\]]", rest) if word.startswith("--")} <= set(
                known
            ), (
                name,
                rest,
            )


def app_of(name: str) -> str:
    """The app that has this command of ours."""
    [path] = ROOT.glob(f"*/management/commands/{name}.py")
    return path.parts[-4]


_TASK = re.compile(r"\bfab (dev|prod) ([a-z]+)((?: --?[\w-]+(?: [\w@./:-]+)?)*)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tasks_that_are_named_are_there_with_their_options(document) -> None:
    tasks = Collection.from_module(load_module("fabfile", ROOT / "fabfile.py"))
    for _where, name, rest in _TASK.findall(document.read_text("utf-8")):
        assert name in tasks.task_names, name
        known = {flag for argument in tasks[name].get_arguments() for flag in (f"--{each}" for each in argument.names)}
        given = {word.replace("_", "-") for word in rest.split() if word.startswith("--")}
        assert given <= {flag.replace("_", "-") for flag in known}, (name, rest)


def load_module(name: str, path: Path) -> ModuleType:
    """A file that is in no package."""
    spec = spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
