"""The lab itself: a real Ganeti that answers as a manager needs it to."""

from __future__ import annotations

import hashlib
import re
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.ganeti.cluster import GanetiCluster
from tests.ganeti.rfb import RETURN, RfbClient
from tools.lab.cluster import Lab
from tools.lab.errors import LabError
from tools.lab.keyboard_guest import BANNER, LOAD_ADDRESS, SECTOR, assemble
from tools.lab.state import bring_back, describe_state
from tools.lab.system import run_program, wait_until

BLUE = (0, 0, 0xA8)
PROJECT = Path(__file__).resolve().parents[2]


def get(cluster: GanetiCluster, path: str, user: tuple[str, str] | None = None) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = user or (cluster.username, cluster.password)
        session.verify = False
        return session.get(cluster.endpoint + path, timeout=120)


pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


def test_rapi_wants_a_password_and_knows_two_users(ganeti: GanetiCluster) -> None:
    assert get(ganeti, "/2/info", ("gwm", "wrong")).status_code == 401
    info = get(ganeti, "/2/info").json()
    assert info["name"] == ganeti.name
    assert info["enabled_hypervisors"] == ["kvm", "fake"]
    assert info["default_iallocator"] == "hail"
    viewer = (ganeti.viewer_username, ganeti.viewer_password)
    assert get(ganeti, "/2/info", viewer).status_code == 200
    with requests.Session() as session:
        session.trust_env = False
        refused = session.delete(ganeti.endpoint + "/2/jobs/1", auth=viewer, verify=False, timeout=120)
    assert refused.status_code == 403


def test_fingerprint_is_that_of_the_served_certificate(ganeti: GanetiCluster) -> None:
    served = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((ganeti.host, ganeti.port), timeout=120))
    assert hashlib.sha256(served).hexdigest() == ganeti.fingerprint


def test_up_twice_is_up_once(ganeti: GanetiCluster) -> None:
    again = ganeti.lab.up(node_count=len(ganeti.nodes))
    assert again.fingerprint == ganeti.fingerprint
    with pytest.raises(LabError, match="take it down first"):
        ganeti.lab.up(node_count=len(ganeti.nodes) + 1)


def test_grow_adds_running_machines_and_removes_them(ganeti: GanetiCluster) -> None:
    kept = ganeti.add_fake_instance()
    names = ganeti.grow(50)
    rows = {row["name"]: row for row in get(ganeti, "/2/instances?bulk=1").json()}
    assert set(names) | {kept} <= set(rows)
    assert {rows[name]["status"] for name in names} == {"running"}
    assert {rows[name]["pnode"] for name in names} == set(ganeti.nodes)
    uuids = {name: rows[name]["uuid"] for name in names}
    ganeti.grow(51)
    rows = {row["name"]: row for row in get(ganeti, "/2/instances?bulk=1").json()}
    assert {name: rows[name]["uuid"] for name in names} == uuids
    ganeti.grow(0)
    assert [name for name in ganeti.instance_names() if name.startswith("load")] == []
    ganeti.remove(kept)


def test_keyboard_guest_answers_keys_and_the_power_button(ganeti: GanetiCluster) -> None:
    guest = ganeti.add_guest()
    with RfbClient(*ganeti.vnc_address(guest)) as screen:
        before = screen.wait_for_color(BLUE)
        screen.type("k")
        after = screen.wait_for_change(before)
        assert 0 < sum(a != b for a, b in zip(before, after, strict=True)) < 9 * 16 * 4
        screen.press(RETURN)
        screen.wait_for_change(after)
    ganeti.migrate(guest)
    with RfbClient(*ganeti.vnc_address(guest)) as screen:
        moved = screen.wait_for_color(BLUE)
        screen.type("m")
        screen.wait_for_change(moved)
    ganeti.stop(guest, timeout_s=60)
    assert ganeti.instance(guest, "status") == ["ADMIN_down"]
    ganeti.remove(guest)


def test_powercycle_of_a_node_does_nothing(ganeti: GanetiCluster) -> None:
    """The machine that carries the lab must outlive what a test may do to a node; the node's right is taken away."""
    status = ganeti.run(ganeti.nodes[1], "grep", "CapBnd", "/proc/self/status")
    assert not int(status.split()[1], 16) & (1 << 22)
    assert ganeti.run(ganeti.nodes[1], "readlink", "/proc/self/ns/pid").strip() != str(
        Path("/proc/self/ns/pid").readlink()
    )


def test_a_port_that_comes_and_goes_changes_no_address(ganeti: GanetiCluster) -> None:
    """Else whoever has seen the other address sends into the void once the guest that brought it has gone."""
    master = ganeti.lab.master
    seen = ganeti.run(master, "cat", "/sys/class/net/br0/address")
    ganeti.run(master, "ip", "link", "add", "lowest", "address", "02:00:00:00:00:01", "type", "veth")
    try:
        ganeti.run(master, "ip", "link", "set", "lowest", "master", "br0")
        assert ganeti.run(master, "cat", "/sys/class/net/br0/address") == seen
    finally:
        ganeti.run(master, "ip", "link", "del", "lowest")
    bridge = Path("/sys/class/net", ganeti.lab.plan.bridge, "address")
    seen = bridge.read_text()
    with ganeti.cut_off():
        assert bridge.read_text() == seen


def test_a_lab_that_was_left_broken_is_brought_back(ganeti: GanetiCluster) -> None:
    lab = ganeti.lab
    rapi = ganeti.run(lab.master, "cat", "/run/ganeti/ganeti-rapi.pid").strip()
    ganeti.run(lab.master, "kill", "-STOP", rapi)
    run_program(["ip", "link", "set", lab.plan.link(lab.master), "nomaster"])
    assert not lab.answers()
    state = describe_state(lab)
    assert re.search(rf"^ *{rapi} +\d+ +T.*ganeti-rapi", state, re.MULTILINE), state
    assert lab.plan.bridge in state and "LISTEN" in state
    ganeti.run(lab.master, "kill", "-KILL", rapi)
    bring_back(lab)
    assert lab.answers() and ganeti.gnt("cluster", "info")


def test_second_cluster_has_the_same_names_and_its_own_certificate(
    ganeti: GanetiCluster, ganeti_second: GanetiCluster
) -> None:
    assert ganeti_second.nodes == ganeti.nodes[:1]
    assert ganeti_second.fingerprint != ganeti.fingerprint
    assert get(ganeti_second, "/2/info").json()["uuid"] != get(ganeti, "/2/info").json()["uuid"]


def test_a_crashed_lab_is_brought_down_without_a_trace(ganeti: GanetiCluster, tmp_path: Path) -> None:
    """A node started and then left, as after a kill in the middle of ``up``."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "GWM_LAB_DIR": str(tmp_path / "labs")}
    script = (
        "from tools.lab.cluster import Lab; from tools.lab import network, nodes; from tools.lab.plan import Plan\n"
        "from tools.lab.node_files import make_keys, files_for_node; import os\n"
        "lab = Lab('broken'); (lab.directory / 'shared').mkdir(parents=True)\n"
        "plan = Plan('broken', next(network.free_numbers()), 1); network.make_bridge(plan, lab.directory)\n"
        "make_keys(lab.directory)\n"
        "node = plan.node_names[0]; nodes.start_node(lab.directory, node, files_for_node(plan, node, lab.directory))\n"
        "print(plan.bridge); os._exit(9)"
    )
    started = subprocess.run(
        [sys.executable, "-u", "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True
    )
    assert started.returncode == 9, started.stderr
    bridge = Path("/sys/class/net", started.stdout.strip())
    assert bridge.exists()
    lab = [sys.executable, "-m", "tools.lab"]
    told = subprocess.run([*lab, "status"], cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert "broken: half up" in told.stdout
    subprocess.run([*lab, "down"], cwd=PROJECT, env=environment, check=True)
    assert not bridge.exists()
    assert not (tmp_path / "labs").exists()
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_a_lab_that_is_ended_on_its_way_up_leaves_no_trace(ganeti: GanetiCluster, tmp_path: Path) -> None:
    labs = tmp_path / "labs"
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "GWM_LAB_DIR": str(labs)}
    command = [sys.executable, "-m", "tools.lab", "up", "ended"]
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as coming_up:
        wait_until((labs / "ended" / "order.json").exists, what="a node to be started", timeout_s=30.0)
        coming_up.terminate()
    assert coming_up.returncode == 128 + signal.SIGTERM
    assert list(labs.iterdir()) == []
    assert str(labs) not in "".join(alias.read_text() for alias in Path("/sys/class/net").glob("*/ifalias"))
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_without_root_it_says_so(ganeti: GanetiCluster) -> None:
    asked = subprocess.run(
        ["unshare", "--user", sys.executable, "-m", "tools.lab", "up", "nobodys"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 1
    assert "run it as root" in asked.stderr


def test_names_that_would_not_do_are_refused() -> None:
    with pytest.raises(LabError, match="can't be a lab's name"):
        Lab("../etc")


def test_boot_sector_is_one_sector_that_a_bios_boots() -> None:
    sector = assemble()
    assert len(sector) == SECTOR
    assert sector[-2:] == b"\x55\xaa"
    text = sector.index(BANNER.encode())
    banner = sector.rindex(b"\xc3", 0, text) + 1
    assert b"\xbe" + (LOAD_ADDRESS + banner).to_bytes(2, "little") in sector
