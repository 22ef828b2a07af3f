"""A cluster's row that points at a simulator, and what tests of updates ask again and again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from clusters.models import Cluster
from objectlog.models import Via
from operations.contract import Actor
from simulator import Simulator
from tests.factories import make_admin, make_cluster
from updates.cycle import sync_cluster
from updates.report import Report


@pytest.fixture
def track(db: None) -> Callable[..., Cluster]:
    """Make the row of a simulated cluster, as `add_cluster` would: nothing is known of it yet."""

    def make(simulator: Simulator, slug: str = "", **fields: Any) -> Cluster:
        values: dict[str, Any] = {
            "host": simulator.host,
            "port": simulator.port,
            "tls_fingerprint": simulator.fingerprint,
            "username": simulator.username,
            "password": simulator.password,
            "uuid": "",
            "synced_at": None,
            "live_at": None,
            "operating_systems_at": timezone.now(),
            "exports_at": timezone.now(),
        }
        return make_cluster(slug, **{**values, **fields})

    return make


@pytest.fixture
def cluster(simulator: Simulator, track: Callable[..., Cluster]) -> Cluster:
    """The row of the small simulator, updated once."""
    row = track(simulator, "alpha")
    assert update(row).outcome == "updated"
    simulator.forget_requests()
    return row


def update(cluster: Cluster) -> Report:
    """One update, with the row read again before and after."""
    cluster.refresh_from_db()
    report = sync_cluster(cluster)
    cluster.refresh_from_db()
    return report


@pytest.fixture
def long_time_outs(settings: Any) -> None:
    """Whoever waits for a cluster that hangs waits until the test lets go of it."""
    settings.GWM_RAPI_READ_TIMEOUT_S = 600


@pytest.fixture
def short_time_outs(settings: Any) -> None:
    """Whoever waits for a cluster that hangs waits for seconds."""
    settings.GWM_RAPI_READ_TIMEOUT_S = 3
    settings.GWM_RAPI_CONNECT_TIMEOUT_S = 2


@pytest.fixture
def root(db: None) -> Actor:
    """An administrator at a page."""
    return Actor(make_admin(), Via.WEB)
