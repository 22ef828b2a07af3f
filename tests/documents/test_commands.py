"""The commands of the documents, run one after another as somebody would who reads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator import Simulator
from tests.documents.table import RUN
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
