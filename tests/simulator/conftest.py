"""A session that speaks to the simulator as any HTTP client would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from simulator import Simulator
from tests.fixtures.unverified import Unverified

Ask = Callable[..., requests.Response]


@pytest.fixture
def rapi() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = (Simulator.username, Simulator.password)
        session.verify = False
        session.mount("https://", Unverified())
        yield session


@pytest.fixture
def ask(simulator: Simulator, rapi: requests.Session) -> Ask:
    def send(method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 10)
        return rapi.request(method, simulator.url + path, **options)

    return send
