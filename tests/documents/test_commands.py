"""The commands of the documents, run one after another as somebody would who reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from tests.documents.reading import ROOT, all_commands
from tests.documents.table import IN_SENTENCES, IN_TESTS, RUN
from tests.documents.world import World

pytestmark = [pytest.mark.standalone, pytest.mark.program("useradd", "passwd")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Simulator(nodes=2, instances=3, speed=1000) as simulator:
        yield World(tmp_path_factory.mktemp("documents"), simulator)


@pytest.mark.parametrize("document", RUN)
def test_commands_do_what_they_are_for(world: World, document: str) -> None:
    world.read(document)
    assert world.heard[document]


def test_commands_of_the_table_do_what_they_are_for(world: World, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    named = re.findall(r"^\| `\./run manage ([^`]+)`", text, re.MULTILINE)
    [shown] = re.findall(r"as JSON: `(.+?)` \|", text)
    machine = {**json.loads(shown), "name": "web9.example.org", "os": "debootstrap+default"}  # that it has
    (tmp_path / "spec").write_text(json.dumps(machine))
    (tmp_path / "unnamed").write_text(json.dumps({name: value for name, value in machine.items() if name != "name"}))
    in_blocks = {word for command in all_commands() for word in command.text.split()}
    assert [each for each in (*IN_SENTENCES, *IN_TESTS) if each not in named] == []
    for each in named:
        if each in IN_TESTS:
            continue
        if each not in IN_SENTENCES:
            assert each.split()[0] in in_blocks, f"{each}: into IN_SENTENCES, or into a block"
            continue
        typed = IN_SENTENCES[each].format(spec=tmp_path / "spec", unnamed=tmp_path / "unnamed")
        said = (
            world.place("first").start(*typed.split()).end(1 if typed == "health --json" else 0)
        )  # no worker runs there
        assert typed != "health --json" or '"state": "bad"' in said
