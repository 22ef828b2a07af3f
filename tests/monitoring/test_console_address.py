"""A console proxy at an address of its own is asked there, and by *Health* and figures alike."""

from __future__ import annotations

from collections.abc import Iterator
from socket import socket
from typing import Any

import pytest

from tests.monitoring.test_health import part
from tests.monitoring.test_metrics import figures
from tests.vncproxy.conftest import run_daemon

pytestmark = [pytest.mark.feature("G029"), pytest.mark.django_db]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with run_daemon(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.mark.parametrize("listens", [True, False])
def test_a_console_proxy_on_another_host_is_asked_as_browsers_reach_it(
    settings: Any, daemon: Any, listens: bool
) -> None:
    """`daemon` is one as a service of its own."""
    settings.GWM_CONSOLE_CONTROL = str(daemon.control)
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = daemon.port if listens else free.getsockname()[1]
        settings.GWM_CONSOLE_URL = f"ws://127.0.0.1:{port}/console/ws"
        told, found = part("consoles"), figures()
    assert (told["kind"], found["gwm_console_proxy_up"]) == (("ok", 1) if listens else ("bad", 0))
    assert listens or "on its host: the unit gwm-console" in told["remedy"]
    assert "refused" not in daemon.log(), "it is asked often"


def test_what_answers_at_its_address_and_is_no_console_proxy_is_said(settings: Any, daemon: Any) -> None:
    settings.GWM_CONSOLE_CONTROL = str(daemon.control)
    settings.GWM_CONSOLE_URL = f"ws://127.0.0.1:{daemon.port}/elsewhere"
    assert part("consoles")["detail"].endswith("HTTP 404")
