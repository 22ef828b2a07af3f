"""Running machines have a VNC port that shows something, takes keys, and goes and comes with them."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from simulator import Simulator
from simulator.consoles import PORTS, VNC_PASSWORD, Consoles, claim_ports
from tests.simulator.viewer import Refused, Viewer

pytestmark = pytest.mark.feature("F206")

VM = "vm1.example.org"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def port(simulator: Simulator) -> Iterator[int]:
    """The console port of vm1; no other machine has a console."""
    for instance in simulator.cluster.instances.values():
        instance.network_port = None
    number = free_port()
    simulator.outside.modify(VM, network_port=number)
    simulator.outside.change_defaults(hvparams={"kvm": {"vnc_bind_address": "0.0.0.0"}})
    consoles = Consoles(simulator.cluster)
    consoles.start()
    yield number
    consoles.stop()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_screen_with_something_on_it(port: int) -> None:
    viewer = Viewer(port)
    assert (viewer.security, viewer.name, viewer.width, viewer.height) == ([1], VM, 720, 400)
    assert viewer.update(incremental=False) == [(0, 0, 720, 400)]
    colors = {bytes(viewer.pixels[i : i + 4]) for i in range(0, len(viewer.pixels), 4)}
    assert len(colors) >= 3
    rectangles = viewer.update()
    assert sum(width * height for _, _, width, height in rectangles) < 720 * 400 / 2
    viewer.close()


def test_keys_change_the_screen(port: int) -> None:
    viewer = Viewer(port)
    viewer.update(incremental=False)
    viewer.type("k")  # nobody listens while it boots
    echoed: tuple[int, int, int, int] | None = None
    end = time.monotonic() + 20
    while echoed is None:
        assert time.monotonic() < end
        viewer.type("k")
        # the character and the cursor, and nothing else of the line
        echoed = next((each for each in viewer.update() if each[1] > 16 and each[2:] == (18, 16)), None)
    viewer.close()


def test_a_password_where_the_machine_has_one(simulator: Simulator, port: int) -> None:
    simulator.outside.modify(VM, hvparams={"vnc_password_file": "/etc/ganeti/vnc"}, boots=7)
    until(lambda: listens(port))

    def asks_for_password() -> bool:
        try:
            viewer = Viewer(port, VNC_PASSWORD)
        except (ConnectionError, IndexError, AssertionError):
            return False
        viewer.close()
        return viewer.security == [2]

    until(asks_for_password)
    with pytest.raises(Refused):
        Viewer(port, "wrong")


def test_the_port_goes_and_comes_with_the_machine(simulator: Simulator, port: int) -> None:
    viewer = Viewer(port)
    viewer.update(incremental=False)
    simulator.outside.stop(VM)
    until(lambda: not listens(port))
    with pytest.raises((ConnectionError, struct.error)):
        while True:
            viewer.update()
    viewer.close()
    simulator.outside.start(VM)
    until(lambda: listens(port))
    again = Viewer(port)
    assert again.update(incremental=False)
    again.close()


def test_simulators_that_start_together_have_ports_of_their_own() -> None:
    first, claim = claim_ports(15000)
    assert claim is not None
    with claim:
        second, other = claim_ports(15000)
        assert other is not None
        other.close()
        assert second >= first + PORTS
    again, claim = claim_ports(first)
    assert claim is not None and again == first
    claim.close()
