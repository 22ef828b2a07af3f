"""The edge server, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rapi import RapiClient, Trust
from tests.rapi.edge import Edge, Identity, answer, make_identity, serve

UUID = "939044a5-a17a-4988-a12d-16363cbdca84"
INFO = {"uuid": UUID, "name": "c", "master": "n1", "software_version": "3.0.2"}
PASSWORD = "pass-word-of-edge"


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("edge"))


@pytest.fixture
def edge(identity: Identity) -> Iterator[Edge]:
    with serve(identity, answer(INFO)) as running:
        yield running


@pytest.fixture
def make_client(identity: Identity) -> Iterator[Callable[..., RapiClient]]:
    """Clients that trust the edge servers, with short time-outs; keyword arguments change what is given."""
    with ExitStack() as stack:

        def make(*edges: Edge, **changes: Any) -> RapiClient:
            settings: dict[str, Any] = {
                "username": "gwm",
                "password": PASSWORD,
                "trust": Trust.pinned(identity.fingerprint),
                "connect_timeout_s": 2.0,
                "read_timeout_s": 5.0,
                **changes,
            }
            return stack.enter_context(RapiClient([(each.host, each.port) for each in edges], **settings))

        yield make


@pytest.fixture
def client(edge: Edge, make_client: Callable[..., RapiClient]) -> RapiClient:
    return make_client(edge)


@pytest.fixture
def recorded() -> Path:
    """Answers of a real Ganeti 3.0.2."""
    return Path(__file__).parent / "recorded"
