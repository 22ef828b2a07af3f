"""A call as a command: what it says, what it keeps to itself, and that Ganeti's tools know every option."""

import re
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rapi.client import RapiClient
from rapi.commands import _CANCEL, _CREATE, _IMPORT, INSTANCE, Command, command_of
from rapi.errors import NotFound
from rapi.recording import HIDDEN, Call, Recorder
from rapi.resources.lifecycle import InstanceChanges, InstanceSpec

pytestmark = pytest.mark.feature("G031")
VM = "web1.example.org"
Do = Callable[[RapiClient], object]


def shown(do: Do) -> list[str]:
    recorder = Recorder("uuid")
    do(recorder)
    return [command_of(call) for call in recorder.recorded]


@pytest.mark.parametrize(
    ("do", "command"),
    [
        (lambda c: c.startup_instance(VM, reason="r"), f"gnt-instance startup {VM}"),
        (lambda c: c.shutdown_instance(VM, reason="r", timeout_s=0), f"gnt-instance shutdown --timeout=0 {VM}"),
        (
            lambda c: c.reboot_instance(VM, reason="r", type="full", shutdown_timeout_s=5),
            f"gnt-instance reboot --type=full --shutdown-timeout=5 {VM}",
        ),
        (
            lambda c: c.rename_instance(VM, "new name", reason="r"),
            f"gnt-instance rename --no-name-check --no-ip-check {VM} 'new name'",
        ),
        (
            lambda c: c.reinstall_instance(VM, reason="r", os="debian"),
            f"gnt-instance shutdown {VM} && gnt-instance reinstall --os-type=debian {VM} && gnt-instance startup {VM}",
        ),
        (
            lambda c: c.reinstall_instance(VM, reason="r", start=False),
            f"gnt-instance shutdown {VM} && gnt-instance reinstall {VM}",
        ),
        (
            lambda c: c.migrate_instance(VM, reason="r", mode="live", target_node="n2", allow_failover=True),
            f"gnt-instance migrate --migration-mode=live --target-node=n2 --allow-failover {VM}",
        ),
        (lambda c: c.migrate_instance(VM, reason="r", cleanup=True), f"gnt-instance migrate --cleanup {VM}"),
        (
            lambda c: c.failover_instance(VM, reason="r", shutdown_timeout_s=9, ignore_consistency=True),
            f"gnt-instance failover --shutdown-timeout=9 --ignore-consistency {VM}",
        ),
        (
            lambda c: c.replace_disks(VM, reason="r", mode="replace_on_primary", disks=[0, 2]),
            f"gnt-instance replace-disks --on-primary --disks=0,2 {VM}",
        ),
        (
            lambda c: c.replace_disks(VM, reason="r", mode="replace_new_secondary", remote_node="n3"),
            f"gnt-instance replace-disks --new-secondary=n3 {VM}",
        ),
        (lambda c: c.grow_disk(VM, 1, 64, reason="r"), f"gnt-instance grow-disk {VM} 1 64m"),
        (
            lambda c: c.recreate_disks(VM, reason="r", disks=[0, 1], nodes=["a", "b"]),
            f"gnt-instance recreate-disks --disk=0 --disk=1 --node=a:b {VM}",
        ),
        (
            lambda c: c.export_instance(VM, "n2", reason="r", shutdown=False),
            f"gnt-backup export --node=n2 --noshutdown {VM}",
        ),
        (
            lambda c: c.export_instance(VM, "n2", reason="r", remove_instance=True, long_sleep=True),
            f"gnt-backup export --node=n2 --remove-instance --long-sleep {VM}",
        ),
        (lambda c: c.remove_instance(VM, reason="r"), f"gnt-instance remove {VM}"),
        (lambda c: c.add_tags("instance", VM, ["a", "b"], reason="r"), f"gnt-instance add-tags {VM} a b"),
        (lambda c: c.add_tags("cluster", "", ["a", "b"], reason="r"), "gnt-cluster add-tags a b"),
        (lambda c: c.remove_tags("cluster", "", ["a"], reason="r"), "gnt-cluster remove-tags a"),
        (lambda c: c.cancel_job(7, reason="r"), "gnt-job cancel 7"),
        (
            lambda c: c.modify_instance(
                VM,
                InstanceChanges(
                    beparams={"vcpus": 2, "auto_balance": True},
                    disks=[("add", -1, {"size": 64}), ("modify", 0, {"mode": "ro"}), ("remove", 2, {})],
                    nics=[("modify", 0, {"ip": "none"})],
                    offline=False,
                ),
                reason="r",
            ),
            "gnt-instance modify --backend-parameters=vcpus=2,auto_balance=true --net=0:modify,ip=none "
            f"--disk=add:size=64 --disk=0:modify,mode=ro --disk=2:remove --online {VM}",
        ),
        (
            lambda c: c.create_instance(
                InstanceSpec(
                    VM, "drbd", disks=[{"size": 1024}], nics=[], os="debian", hypervisor="kvm", pnode="a", snode="b",
                    hvparams={"kernel_args": "ro, quiet"}, tags=["x"], start=False, name_check=True,
                ),
                reason="r",
            ),
            "gnt-instance add --node=a:b '--hypervisor-parameters=kvm:kernel_args=ro\\, quiet' --os-type=debian "
            f"--disk-template=drbd --disk=0:size=1024 --no-nics --no-start --no-ip-check --tags=x {VM}",
        ),
    ],
)  # fmt: skip
def test_in_words_of_ganeti(do: Do, command: str) -> None:
    assert shown(do) == [command]


def test_secrets_and_our_reason_stay_here() -> None:
    recorder = Recorder()
    secrets: dict[str, Mapping[str, Any]] = {"osparams_private": {"key": "hush"}, "osparams_secret": {"root": "hush"}}
    spec = InstanceSpec(VM, "diskless", disks=[], nics=[], os="debian", **secrets)  # type: ignore[arg-type]
    recorder.create_instance(spec, reason="gwm:1")
    [call] = recorder.recorded
    assert call.body["osparams_secret"] == {"root": HIDDEN}
    assert f"--os-parameters-private='key={HIDDEN}'" in command_of(call).replace("'--os", "--os").replace(
        "=key", "='key"
    )
    assert "hush" not in repr(call) + command_of(call) and "gwm:1" not in repr(call)


def test_what_no_command_says_is_not_shown_as_one() -> None:
    assert command_of(Call("PUT", f"/2/instances/{VM}/migrate", body={"unheard_of": 1})) == ""
    assert command_of(Call("PUT", "/2/nodes/node1/role", body={"role": "drained"})) == ""


def test_a_recorder_asks_nobody() -> None:
    recorder = Recorder("u")
    assert recorder.query("instance", ["uuid"], ["=", "name", VM]).rows == [("u",)]
    with pytest.raises(NotFound):
        recorder.get_info()


def options_of(command: Command) -> set[str]:
    """The options that a command can be given here, by trying values of every kind."""
    found: set[str] = set()
    for words in command.options.values():
        for value in (True, False, "x", 1, ["x"], [{"a": 1}], [["add", -1, {}]], {"a": 1}, "replace_auto"):
            try:
                found |= {word.partition("=")[0] for word in words(value)}
            except (TypeError, AttributeError, ValueError, IndexError, KeyError):
                continue
    params = {"pnode": "a", "hypervisor": "kvm", "mode": "replace_on_primary"}
    return found | {word.partition("=")[0] for word in command.together(params)}


@pytest.mark.long
@pytest.mark.program("gnt-instance", "ganeti")
@pytest.mark.parametrize(
    "command", [*INSTANCE.values(), _CREATE, _IMPORT, _CANCEL], ids=lambda command: str(command.words)
)
def test_ganetis_tools_know_every_option(command: Command) -> None:
    for words in (command.words, *command.before, *command.after.values()):
        told = subprocess.run(
            [*words.split(), "--help"], capture_output=True, text=True, check=False, timeout=60
        ).stdout
        assert words in told, "there is no such command"
    told = subprocess.run([*command.words.split(), "--help"], capture_output=True, text=True, check=False).stdout
    known = set(re.findall(r"--[a-z][a-z-]*", told))
    assert options_of(command) <= known
