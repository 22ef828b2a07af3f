"""What happens behind the manager's back shows, and moves just the numbers that Ganeti moves."""

from __future__ import annotations

import pytest

from simulator import Simulator
from tests.simulator.conftest import Ask

pytestmark = [pytest.mark.feature("F299"), pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]

VM = "vm1.example.org"


def state(ask: Ask, name: str = VM) -> tuple[str, int]:
    found = ask("GET", f"/2/instances/{name}").json()
    return found["status"], found["serial_no"]


def test_what_the_configuration_does_not_know(simulator: Simulator, ask: Ask) -> None:
    outside = simulator.outside
    assert state(ask) == ("running", 1)
    outside.crash(VM)
    assert state(ask) == ("ERROR_down", 1)
    outside.start_stray(VM, "node2.example.org")
    assert state(ask) == ("ERROR_wrongnode", 1)
    outside.migrate(VM, "node2.example.org")
    assert state(ask) == ("running", 1)
    outside.set_memory_in_use(VM, 77)
    assert ask("GET", f"/2/instances/{VM}").json()["oper_ram"] == 77
    outside.kill_node("node2.example.org")
    assert state(ask) == ("ERROR_nodedown", 1)
    assert ask("GET", f"/2/instances/{VM}").json()["oper_ram"] is None
    assert ask("GET", "/2/nodes/node2.example.org").json()["mtotal"] is None
    outside.revive_node("node2.example.org")
    assert state(ask) == ("ERROR_down", 1)


def test_a_guest_that_shuts_itself_down(simulator: Simulator, ask: Ask) -> None:
    simulator.outside.stop_from_inside(VM)
    assert state(ask)[0] == "ERROR_down"
    simulator.outside.change_defaults(enabled_user_shutdown=True)
    assert state(ask) == ("USER_down", 1)


def test_commands_move_numbers(simulator: Simulator, ask: Ask) -> None:
    outside = simulator.outside
    outside.stop(VM)
    assert state(ask) == ("ADMIN_down", 2)
    outside.start_stray(VM)
    assert state(ask) == ("ERROR_up", 2)
    outside.modify(VM, beparams={"vcpus": 4}, tags=["a"])
    found = ask("GET", f"/2/instances/{VM}").json()
    assert (found["beparams"]["vcpus"], found["tags"], found["serial_no"]) == (4, ["a"], 3)
    outside.rename(VM, "new.example.org")
    assert state(ask, "new.example.org")[1] == 4
    outside.remove("new.example.org")
    assert ask("GET", "/2/instances/new.example.org").status_code == 404
    outside.add("other.example.org", admin_state="down")
    assert state(ask, "other.example.org") == ("ADMIN_down", 1)


def test_defaults_change_merged_parameters_only(simulator: Simulator, ask: Ask) -> None:
    before = ask("GET", f"/2/instances/{VM}").json()
    simulator.outside.change_defaults(beparams={"vcpus": 3}, hvparams={"kvm": {"acpi": False}})
    after = ask("GET", f"/2/instances/{VM}").json()
    assert (after["beparams"]["vcpus"], after["hvparams"]["acpi"]) == (3, False)
    assert (after["serial_no"], after["mtime"]) == (before["serial_no"], before["mtime"])


def test_a_node_goes_offline(simulator: Simulator, ask: Ask) -> None:
    before = ask("GET", "/2/info").json()["mtime"]
    simulator.outside.modify_node("node2.example.org", offline=True, master_candidate=False)
    assert ask("GET", "/2/nodes/node2.example.org").json()["role"] == "O"
    assert state(ask, "vm2.example.org")[0] == "ERROR_nodeoffline"
    assert ask("GET", "/2/info").json()["mtime"] > before


def test_jobs_of_others(simulator: Simulator, ask: Ask) -> None:
    job = simulator.outside.submit("INSTANCE_SHUTDOWN", instance_name=VM)
    simulator.run_jobs()
    found = ask("GET", f"/2/jobs/{job.id}").json()
    assert found["status"] == "success"
    assert found["ops"][0]["reason"][0][0] == "gnt:client:gnt-instance"
    simulator.outside.archive_job(job.id)
    assert ask("GET", "/2/jobs").json() == []
    assert ask("GET", f"/2/jobs/{job.id}").json()["status"] == "success"
    simulator.outside.forget_job(job.id)
    assert ask("GET", f"/2/jobs/{job.id}").json()["status"] is None
