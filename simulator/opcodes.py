"""Opcodes: which parameters each takes and of what type; data/opcodes.json holds the table."""

import copy
import re
import time
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, NetmaskValueError
from typing import Any

from simulator.cluster import load_data
from simulator.errors import HttpError

OPCODES: dict[str, Any] = load_data("opcodes.json")
FINAL_STATUSES = {"canceled", "error", "success"}
COMMON_TYPES = {
    "dry_run": "bool?",
    "debug_level": "int>=0?",
    "comment": "str?",
    "priority": "priority",
    "depends": "depends?",
}


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def parses(make: Callable[[str], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        try:
            make(value)
        except (AddressValueError, NetmaskValueError, ValueError):
            return False
        return True

    return check


def is_dependency(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    number, statuses = value
    return is_int(number) and isinstance(statuses, list) and set(statuses) <= FINAL_STATUSES


NIC_KEYS = {"mode", "vlan", "bridge", "network", "ip", "name", "link", "mac"}


def is_disk(value: Any) -> bool:
    return isinstance(value, dict) and all(
        key and (is_int(v) or (isinstance(v, str) and v)) for key, v in value.items()
    )


def is_nic(value: Any) -> bool:
    return isinstance(value, dict) and all(
        key in NIC_KEYS and (each is None or isinstance(each, str)) for key, each in value.items()
    )


DEVICE_ACTIONS = {"add", "modify", "remove", "attach", "detach"}


def device_change(is_device: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """[action, index, {…}], or the older [action or index, {…}]."""

    def check(value: Any) -> bool:
        if not isinstance(value, list) or len(value) not in (2, 3) or not is_device(value[-1]):
            return False
        return value[0] in DEVICE_ACTIONS or (len(value) == 2 and is_int(value[0]))

    return check


CHECKS: dict[str, Callable[[Any], bool]] = {
    "any": lambda value: True,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "str+": lambda value: isinstance(value, str) and value != "",
    "str+|list": lambda value: isinstance(value, list) or (isinstance(value, str) and value != ""),
    "int": is_int,
    "int>=0": lambda value: is_int(value) and value >= 0,
    "int>0": lambda value: is_int(value) and value > 0,
    "int<16": lambda value: is_int(value) and 0 <= value < 16,
    "float": lambda value: isinstance(value, float) or is_int(value),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, dict),
    "dict of dict": lambda value: isinstance(value, dict) and all(isinstance(v, dict) for v in value.values()),
    "disk": is_disk,
    "nic": is_nic,
    "disk change": device_change(is_disk),
    "nic change": device_change(is_nic),
    "IPv4 address": parses(IPv4Address),
    "IPv4 network": parses(IPv4Network),
    "IPv6 address": parses(IPv6Address),
    "IPv6 network": parses(IPv6Network),
    "priority": lambda value: value in (-10, 0, 10),
    "depends": lambda value: isinstance(value, list) and all(is_dependency(each) for each in value),
}


def fits(kind: str, value: Any) -> bool:
    """Tell whether a value is of a type named as in the table: ``str+?``, ``list of dict``, ``one of a b``."""
    if kind.endswith("?"):
        return value is None or fits(kind[:-1], value)
    if kind.startswith("one of "):
        return value in kind.split()[2:]
    if kind.startswith("list of "):
        return isinstance(value, list) and all(fits(kind.removeprefix("list of "), each) for each in value)
    return CHECKS[kind](value)


def class_name(opcode: str) -> str:
    return "Op" + "".join(word.capitalize() for word in opcode.split("_"))


def refuse(opcode: str, parameter: str) -> HttpError:
    text = f"(\"Parameter 'OP_{opcode}.{parameter}' fails validation\", 'wrong_input')"
    return HttpError(400, f"Invalid body parameters: {text}")


def fill(
    opcode: str, body: Any, static: dict[str, Any] | None = None, rename: dict[str, str] | None = None
) -> dict[str, Any]:
    """Make an opcode of a request's body and what its path and query say; refuse what Ganeti refuses."""
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise HttpError(400, f"Body contents: Type is '{type(body).__name__}', but 'dict' is expected")
    params = dict(body)
    for old, new in (rename or {}).items():
        if old in params and new in params:
            raise HttpError(400, f"Parameter '{old}' was renamed to '{new}', but both are specified")
        if old in params:
            params[new] = params.pop(old)
    static = static or {}
    overwritten = set(params) & ({*static, "reason"} if "reason" in params else set(static))
    if overwritten:
        raise HttpError(400, f"Can't overwrite static parameters {overwritten!r}")
    return checked(opcode, params | static)


def checked(opcode: str, params: dict[str, Any]) -> dict[str, Any]:
    table = OPCODES[opcode]["params"]
    for name in params:
        if name not in table and name not in COMMON_TYPES:
            text = f"Object {class_name(opcode)} doesn't support the parameter '{name}'"
            raise HttpError(400, f"Invalid body parameters: {text}")
    for name, kind in COMMON_TYPES.items():
        if name in params and not fits(kind, params[name]):
            raise refuse(opcode, name)
    op: dict[str, Any] = {}
    if params.get("dry_run") is not None:
        op["dry_run"] = params["dry_run"]
    op |= {"debug_level": params.get("debug_level", 0), "priority": params.get("priority", 0)}
    op |= {"depends": params.get("depends"), "comment": params.get("comment"), "reason": [], "OP_ID": f"OP_{opcode}"}
    for name, definition in table.items():
        value = params[name] if name in params else copy.copy(definition.get("default"))
        if not fits(definition["type"], value):
            raise refuse(opcode, name)
        if value is not None:
            op[name] = value
    return op


def reasons(user_reason: str | None, resource: str) -> list[list[Any]]:
    """The beginning of a reason trail: what ?reason= said, then which part of RAPI it came through."""
    nanoseconds = time.time_ns()
    trail: list[list[Any]] = [["gnt:user", user_reason, nanoseconds]] if user_reason else []
    return [*trail, [f"gnt:library:rlib2:{resource}", "", nanoseconds]]


def summary(op: dict[str, Any]) -> str:
    """Such as INSTANCE_STARTUP(web1.example.org)."""
    opcode = op["OP_ID"].removeprefix("OP_")
    parameter = OPCODES.get(opcode, {}).get("summary")
    value = op.get(parameter) if parameter else None
    if isinstance(value, list):
        value = ",".join(str(each) for each in value)
    return f"{opcode}({value})" if value not in (None, "") else opcode


TAG_PATTERN = re.compile(r"^[\w.+*/:@-]+$")
MAX_TAG_LENGTH = 128
