"""A real cluster to make machines on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rapi import RapiClient
from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.rapi_hands import connect


@pytest.fixture
def ganeti_rapi(ganeti: GanetiCluster) -> Iterator[RapiClient]:
    with connect(ganeti) as client:
        yield client


@pytest.fixture
def node(ganeti: GanetiCluster) -> str:
    """The master's full name."""
    return ganeti.lab.master
