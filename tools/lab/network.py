"""The bridge of a lab on this machine. Its alias names its owner, so that no lab takes another's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.lab.errors import LabError, NumberTaken
from tools.lab.plan import BRIDGE_HOST, MAX_NUMBER, Plan
from tools.lab.system import run_program

_DEVICES = Path("/sys/class/net")


def _owner(bridge: str) -> str | None:
    try:
        return _DEVICES.joinpath(bridge, "ifalias").read_text().strip()
    except FileNotFoundError:
        return None


def numbers_in_use() -> dict[int, str]:
    """Number → directory of the lab that has it, for all labs on this machine."""
    found = {}
    for device in _DEVICES.glob("gwmlab*"):
        number = device.name.removeprefix("gwmlab")
        if number.isdigit():
            found[int(number)] = _owner(device.name) or ""
    return found


def free_numbers() -> Iterator[int]:
    """Numbers that no lab has, from 100 on first; the lower ones are for people to choose."""
    used = numbers_in_use()
    for number in [*range(100, MAX_NUMBER + 1), *range(1, 100)]:
        if number not in used:
            yield number


def mac_of(address: str) -> str:
    """The MAC that a bridge with this IP address gets.

    A bridge without one of its own takes the lowest of its ports', and another one when a guest comes or goes. Whoever
    has seen the old one then sends into the void, up to a minute long.
    """
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def make_bridge(plan: Plan, directory: Path) -> None:
    """Make the lab's bridge; NumberTaken when another lab has that number."""
    mac = mac_of(plan.address(BRIDGE_HOST))
    try:
        # Fails when someone else was faster: that is what makes numbers safe to choose.
        name_it = f"link add {plan.bridge} address {mac} type bridge\nlink set {plan.bridge} alias {directory}\n"
        run_program(["ip", "-batch", "-"], stdin=name_it)
    except LabError as error:
        if _DEVICES.joinpath(plan.bridge).exists():
            owner = _owner(plan.bridge) or "an unknown place"
            raise NumberTaken(f"Number {plan.number} belongs to the lab in {owner}: choose another.") from error
        raise
    run_program(["ip", "addr", "replace", f"{plan.address(BRIDGE_HOST)}/24", "dev", plan.bridge])
    run_program(["ip", "link", "set", plan.bridge, "up"])


def remove_bridges(directory: Path) -> None:
    """Remove whatever bridge belongs to the lab in ``directory``, and the cables on it."""
    for number, owner in numbers_in_use().items():
        if owner == str(directory):
            # The cables go with the nodes' namespaces, but a moment later; the next lab wants their names now.
            for cable in _DEVICES.glob(f"gwm{number}n*"):
                _remove_device(cable.name)
            _remove_device(f"gwmlab{number}")


def _remove_device(name: str) -> None:
    try:
        run_program(["ip", "link", "del", name])
    except LabError:
        if _DEVICES.joinpath(name).exists():
            raise
