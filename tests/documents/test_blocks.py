"""Every fenced block of the documents is what it says it is, and every command in one is run by a test."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gwm import VERSION
from gwm.config import Config
from gwm.database_versions import LEAST
from gwm.env import TABLE
from tests.documents.reading import DOCUMENTS, ROOT, Block, all_blocks, all_commands, commands_of, find_indented
from tests.documents.table import BY_HAND, ELSEWHERE, IN_TESTS, RUN, is_elsewhere

_READ_BY_PEOPLE = {"text", "django"}  # diagrams, folders; of django see tests/gwm/test_theme_files.py
BLOCKS = all_blocks()


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def test_a_block_says_what_it_is() -> None:
    known = {"sh", "console", "ini", "json", "toml", "yaml", "python", "sql"} | _READ_BY_PEOPLE
    assert [f"{block} {block.language}" for block in BLOCKS if block.language not in known] == []
    assert {str(path.relative_to(ROOT)): found for path in DOCUMENTS if (found := find_indented(path))} == {}


def test_commands_are_seen() -> None:
    text = "GWM_X=1 \\\n    ./run manage prepare     # prints it\n\n# of the whole line\ncp a b"
    assert [command.text for command in commands_of(Block("a.md", 1, "sh", text))] == [
        "GWM_X=1 ./run manage prepare",
        "cp a b",
    ]
    [shown] = commands_of(Block("a.md", 1, "console", "$ ./run manage x\nIt is so.\n"))
    assert (shown.text, shown.answer) == ("./run manage x", "It is so.\n")


def test_every_command_is_run_by_a_test() -> None:
    nowhere = [
        f"{command.block}: {command.text}"
        for command in all_commands()
        if command.block.document not in RUN and not is_elsewhere(command)
    ]
    assert nowhere == [], "into RUN with its document, or into ELSEWHERE (tests/documents/table.py)"


def test_what_is_run_elsewhere_is_in_a_document_and_has_its_test() -> None:
    texts = [command.text for command in all_commands()]
    assert [text for text in ELSEWHERE if text not in texts] == []
    assert [words for words in BY_HAND if not any(text.startswith(words) for text in texts)] == []
    for test in {*ELSEWHERE.values(), *IN_TESTS.values()}:
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_a_shell_can_read_what_is_for_one() -> None:
    for block in of("sh"):
        # what stands in brackets may be left out
        done = subprocess.run(["sh", "-n"], input=block.text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{block}: {done.stderr}"


_LINE = re.compile(r"([A-Z][A-Z_]+)=(\S*)(?:\s+#.*)?")


@pytest.mark.parametrize("block", of("ini"), ids=str)
def test_settings_are_there_and_take_the_values(block: Block, tmp_path: Path) -> None:
    for line in block.text.splitlines():
        found = _LINE.fullmatch(line)
        assert found and found[1] in TABLE, line
        setting, value = TABLE[found[1]], found[2]
        config = Config({"GWM_DATA_DIR": str(tmp_path), setting.name: value})
        if value and "…" not in value and setting.kind in ("flag", "integer", "seconds", "url"):
            assert read(config, setting.name, setting.kind) is not None


def read(config: Config, name: str, kind: str) -> object:
    readers: dict[str, Callable[[str], object]] = {
        "flag": config.flag,
        "integer": config.integer,
        "seconds": config.seconds,
        "url": config.text,
    }
    return readers[kind](name)


READERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "python": ast.parse,
}


def test_what_is_for_programs_can_be_read_by_them() -> None:
    for block in of("json", "toml", "yaml", "python"):
        try:
            READERS[block.language](block.text)
        except (ValueError, SyntaxError, yaml.YAMLError) as error:
            raise AssertionError(f"{block}: {error}") from error


RELEASES = re.findall(r"^## \[(\d.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
UPGRADE = ROOT / "docs" / "upgrade.md"


@pytest.mark.feature("F292")
def test_the_guide_has_a_page_for_each_release_that_one_can_come_from() -> None:
    """In the order in which one passes them; tests/architecture/test_migrations.py holds that their data are taken."""
    assert VERSION in RELEASES
    linked = re.findall(r"^\| (.+?) \| \[From (.+?)\]\(upgrade/from-(.+?)\.md\) \|$", UPGRADE.read_text("utf-8"), re.M)
    assert linked == [(release, release, release) for release in RELEASES]
    assert sorted(path.name for path in (ROOT / "docs" / "upgrade").iterdir()) == sorted(
        f"from-{release}.md" for release in RELEASES
    )
    for release in RELEASES:
        text = (ROOT / "docs" / "upgrade" / f"from-{release}.md").read_text("utf-8")
        assert text.startswith(f"# From {release}\n")
        assert text.count("\n* ") >= 1, f"nothing is said of {release}"


@pytest.mark.feature("F292", "F293", "F294")
def test_the_oldest_databases_are_those_that_are_refused_to_be_older() -> None:
    """Whoever upgrades, and whoever installs, reads the versions that the start asks for."""
    least = [f"{name} {one}.{two}".removesuffix(".0") for name, (one, two) in LEAST.values()]
    for document in ("docs/upgrade/from-1.0.0a1.md", "docs/install.md"):
        text = " ".join((ROOT / document).read_text("utf-8").split())
        sentences = [each.replace(" is ", " ").replace(" or newer", "") for each in re.split(r"(?<=\D)\. |; ", text)]
        assert any(all(each in sentence for each in least) for sentence in sentences), f"{document}: {least}"
