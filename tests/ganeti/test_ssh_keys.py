"""The OS hook that lets people in: whoever creates a machine has their key in it from its first start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from objectlog.models import Outcome
from tests.factories import ED25519, make_admin, make_key, make_token, make_user
from tests.ganeti.filed_guest import HOME, HOOKS, OS_NAME, install, read_console, uninstall
from tests.ganeti.test_creating import Real, real
from tools.lab.plan import BRIDGE_HOST
from virtualmachines.spec import Options

__all__ = ["real"]
pytestmark = [pytest.mark.ganeti, pytest.mark.django_db(transaction=True)]
SCRIPTS = Path(__file__).resolve().parents[2] / "deploy/ganeti"
SECRET = "gwm_a-secret-of-more-than-thirty-two-characters"
CONF = """\
GWM_URL={url}
GWM_CLUSTER=real
GWM_TOKEN_FILE={home}/token
GWM_AUTHORIZED_KEYS={home}/gwm-authorized-keys
"""


@pytest.fixture
def served(real: Real, settings: Any) -> Iterator[str]:
    """This program where the nodes reach it: its URL."""
    host = real.ganeti.lab.plan.address(BRIDGE_HOST)
    settings.ALLOWED_HOSTS = [host]
    server = LiveServer(host)
    yield server.url
    server.stop()


@pytest.fixture
def hooked(real: Real, served: str) -> Iterator[Real]:
    """Nodes that have the hook, set up for the cluster with the token of an administrator."""
    make_token(make_admin(), secret=SECRET, on=real.cluster)
    scripts = {
        f"{HOOKS}/gwm-ssh-keys": (0o755, (SCRIPTS / "gwm-ssh-keys").read_bytes()),
        f"{HOME}/gwm-authorized-keys": (0o755, (SCRIPTS / "gwm-authorized-keys").read_bytes()),
        "/etc/ganeti/gwm-ssh-keys.conf": (0o644, CONF.format(url=served, home=HOME).encode()),
        f"{HOME}/token": (0o600, SECRET.encode()),
    }
    install(real.ganeti, scripts)
    yield real
    uninstall(real.ganeti)


@pytest.mark.feature("F277", "F278")
def test_a_guest_that_has_booted_has_the_key_of_who_created_it(hooked: Real) -> None:
    """Read by the guest itself from its own file system, and seen on its serial console."""
    make_key(hooked.alice.user)
    make_key(make_user("bob"))
    spec = hooked.spec(hypervisor="kvm", os=OS_NAME, hvparams={"serial_console": True}, options=Options())
    entry = hooked.create(spec)
    assert entry.outcome == Outcome.SUCCEEDED, entry.message
    said = read_console(hooked.ganeti, spec.name, f"\n{ED25519} alice laptop\n".encode())
    assert b"bob" not in said
