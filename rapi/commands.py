"""The command of Ganeti's own tools that does what a call does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapi.recording import Call

#: from the value of a parameter to words of the command
Words = Callable[[Any], list[str]]


def _flag(word: str) -> Words:
    return lambda value: [word] if value else []


def _unless(word: str) -> Words:
    return lambda value: [] if value else [word]


def _either(yes: str, no: str) -> Words:
    return lambda value: [yes if value else no]


def _value(word: str) -> Words:
    return lambda value: [] if value is None else [f"{word}={value}"]


def _joined(word: str, separator: str = ",") -> Words:
    return lambda value: [f"{word}={separator.join(map(str, value))}"] if value else []


def _pairs(word: str) -> Words:
    return lambda value: [f"{word}={_list_pairs(value)}"] if value else []


def _devices(word: str) -> Words:
    """New disks or NICs, each with its number."""
    return lambda value: [f"{word}={n}:{_list_pairs(each)}" for n, each in enumerate(value)]


def _device_changes(word: str) -> Words:
    """Changes of disks or NICs: what, which, parameters. What comes last needs no place; with one, a comma follows."""

    def write(value: Any) -> list[str]:
        written = []
        for action, which, params in value:
            is_last = str(which) == "-1"
            pairs = f"{':' if is_last else ','}{_list_pairs(params)}" if params else ""
            written.append(f"{word}={'' if is_last else f'{which}:'}{action}{pairs}")
        return written

    return write


def _mentioned(_value: Any) -> list[str]:
    """A parameter that another one tells already, or that the command has always."""
    return []


def _list_pairs(value: Mapping[str, Any]) -> str:
    def told(each: Any) -> str:
        return str(each).lower() if isinstance(each, bool) else str(each).replace("\\", "\\\\").replace(",", "\\,")

    return ",".join(f"{name}={told(each)}" for name, each in value.items())


def _nics(value: Any) -> list[str]:
    return _devices("--net")(value) if value else ["--no-nics"]


def _each_disk(value: Any) -> list[str]:
    """Disks to be made anew: their numbers, or numbers with parameters."""
    return [f"--disk={each}" if isinstance(each, int) else f"--disk={each[0]}:{_list_pairs(each[1])}" for each in value]


def _which_copy(mode: Any) -> list[str]:
    words = {"replace_auto": "--auto", "replace_on_primary": "--on-primary", "replace_on_secondary": "--on-secondary"}
    return [words[mode]] if mode in words else []


@dataclass(frozen=True)
class Command:
    """A command, and how it takes each parameter of the call. `operands` stand after the name of the object.

    `together` makes words of several parameters at once. `before` and `after` are commands of the same tool that the
    call includes, after only if the parameter of that name is true.
    """

    words: str
    options: Mapping[str, Words] = field(default_factory=dict)
    operands: Sequence[str] = ()
    together: Callable[[Mapping[str, Any]], list[str]] = field(default=lambda _params: [])
    before: Sequence[str] = ()
    after: Mapping[str, str] = field(default_factory=dict)


def _where(params: Mapping[str, Any]) -> list[str]:
    nodes = [params[name] for name in ("pnode", "snode") if params.get(name)]
    return [f"--node={':'.join(nodes)}"] if nodes else []


def _hypervisor(params: Mapping[str, Any]) -> list[str]:
    name, given = params.get("hypervisor"), _list_pairs(params.get("hvparams") or {})
    return [f"--hypervisor-parameters={name}{':' if given else ''}{given}"] if name else []


_SHUTDOWN = {"shutdown_timeout": _value("--shutdown-timeout")}
_POLICY = {"ignore_ipolicy": _flag("--ignore-ipolicy")}
_NODE = {"target_node": _value("--target-node"), "iallocator": _value("--iallocator")}
_FILES = {"file_driver": _value("--file-driver"), "file_storage_dir": _value("--file-storage-dir")}
_OS_SECRETS = {
    "osparams_private": _pairs("--os-parameters-private"),
    "osparams_secret": _pairs("--os-parameters-secret"),
}
_NEW = {
    **_POLICY, **_FILES, **_OS_SECRETS,
    **dict.fromkeys(("__version__", "mode", "pnode", "snode", "hypervisor", "hvparams"), _mentioned),
    "disk_template": _value("--disk-template"),
    "disks": _devices("--disk"),
    "nics": _nics,
    "beparams": _pairs("--backend-parameters"),
    "osparams": _pairs("--os-parameters"),
    "iallocator": _value("--iallocator"),
    "group_name": _value("--node-group"),
    "wait_for_sync": _unless("--no-wait-for-sync"),
    "name_check": _unless("--no-name-check"),
    "ip_check": _unless("--no-ip-check"),
    "conflicts_check": _unless("--no-conflicts-check"),
    "opportunistic_locking": _flag("--opportunistic-locking"),
    "tags": _joined("--tags"),
}  # fmt: skip


def _place_and_hypervisor(params: Mapping[str, Any]) -> list[str]:
    return _where(params) + _hypervisor(params)


_CREATE = Command(
    "gnt-instance add",
    {
        **_NEW,
        "os": _value("--os-type"),
        "start": _unless("--no-start"),
        "no_install": _flag("--no-install"),
        "force_variant": _flag("--force-variant"),
        "forthcoming": _flag("--forthcoming"),
        "commit": _flag("--commit"),
        "instance_communication": _either("--communication=yes", "--communication=no"),
        "identify_defaults": _mentioned,
    },
    together=_place_and_hypervisor,
)
_IMPORT = Command(
    "gnt-backup import",
    {
        **_NEW,
        **dict.fromkeys(("start", "os", "force_variant", "no_install"), _mentioned),
        "src_node": _value("--src-node"),
        "src_path": _value("--src-dir"),
        "compress": _value("--compress"),
        "identify_defaults": _flag("--identify-defaults"),
    },
    together=_place_and_hypervisor,
)

#: by method and by what stands in the path after the object
INSTANCE = {
    ("DELETE", ""): Command("gnt-instance remove", _SHUTDOWN),
    ("PUT", "startup"): Command(
        "gnt-instance startup", {"force": _flag("--force"), "no_remember": _flag("--no-remember")}
    ),
    ("PUT", "shutdown"): Command(
        "gnt-instance shutdown",
        {
            "timeout": _value("--timeout"),
            "force": _flag("--force"),
            "no_remember": _flag("--no-remember"),
            "ignore_offline_nodes": _flag("--ignore-offline"),
            "admin_state_source": _mentioned,
        },
    ),
    ("POST", "reboot"): Command(
        "gnt-instance reboot",
        {"type": _value("--type"), "ignore_secondaries": _flag("--ignore-secondaries"), **_SHUTDOWN},
    ),
    ("PUT", "rename"): Command(
        "gnt-instance rename",
        {"name_check": _unless("--no-name-check"), "ip_check": _unless("--no-ip-check")},
        operands=("new_name",),
    ),
    ("POST", "reinstall"): Command(
        "gnt-instance reinstall",
        {"os": _value("--os-type"), "osparams": _pairs("--os-parameters"), "start": _mentioned},
        before=("gnt-instance shutdown",),
        after={"start": "gnt-instance startup"},
    ),
    ("PUT", "migrate"): Command(
        "gnt-instance migrate",
        {
            **_NODE,
            **_POLICY,
            "mode": _value("--migration-mode"),
            "allow_runtime_changes": _unless("--no-runtime-changes"),
            "cleanup": _flag("--cleanup"),
            "allow_failover": _flag("--allow-failover"),
            "ignore_hvversions": _flag("--ignore-hvversions"),
        },
    ),
    ("PUT", "failover"): Command(
        "gnt-instance failover",
        {
            **_NODE,
            **_POLICY,
            **_SHUTDOWN,
            "ignore_consistency": _flag("--ignore-consistency"),
            "cleanup": _flag("--cleanup"),
        },
    ),
    ("POST", "replace-disks"): Command(
        "gnt-instance replace-disks",
        {
            **_POLICY,
            "mode": _which_copy,
            "disks": _joined("--disks"),
            "remote_node": _value("--new-secondary"),
            "iallocator": _value("--iallocator"),
            "early_release": _flag("--early-release"),
        },
    ),
    ("PUT", "activate-disks"): Command("gnt-instance activate-disks", {"ignore_size": _flag("--ignore-size")}),
    ("PUT", "deactivate-disks"): Command("gnt-instance deactivate-disks", {"force": _flag("--force")}),
    ("POST", "recreate-disks"): Command(
        "gnt-instance recreate-disks",
        {"disks": _each_disk, "nodes": _joined("--node", ":"), "iallocator": _value("--iallocator")},
    ),
    ("POST", "grow"): Command(
        "gnt-instance grow-disk",
        {**_POLICY, "absolute": _flag("--absolute"), "wait_for_sync": _unless("--no-wait-for-sync")},
        operands=("disk", "amount"),
    ),
    ("PUT", "modify"): Command(
        "gnt-instance modify",
        {
            **_POLICY,
            **_FILES,
            "beparams": _pairs("--backend-parameters"),
            "hvparams": _pairs("--hypervisor-parameters"),
            "osparams": _pairs("--os-parameters"),
            "osparams_private": _pairs("--os-parameters-private"),
            "os_name": _value("--os-type"),
            "force_variant": _flag("--force-variant"),
            "nics": _device_changes("--net"),
            "disks": _device_changes("--disk"),
            "disk_template": _value("--disk-template"),
            "remote_node": _value("--node"),
            "iallocator": _value("--iallocator"),
            "ext_params": _pairs("--ext-params"),
            "runtime_mem": _value("--runtime-memory"),
            "offline": _either("--offline", "--online"),
            "pnode": _value("--new-primary"),
            "instance_communication": _either("--communication=yes", "--communication=no"),
            "hotplug": _flag("--hotplug"),
            "hotplug_if_possible": _flag("--hotplug-if-possible"),
            "force": _flag("--force"),
            "conflicts_check": _unless("--no-conflicts-check"),
            "wait_for_sync": _unless("--no-wait-for-sync"),
        },
    ),
    ("PUT", "export"): Command(
        "gnt-backup export",
        {
            **_SHUTDOWN,
            "destination": _value("--node"),
            "mode": _mentioned,
            "shutdown": _unless("--noshutdown"),
            "remove_instance": _flag("--remove-instance"),
            "ignore_remove_failures": _flag("--ignore-remove-failures"),
            "compress": _value("--transport-compression"),
            "zero_free_space": _flag("--zero-free-space"),
            "long_sleep": _flag("--long-sleep"),
        },
    ),
    ("DELETE", "export"): Command("gnt-backup remove"),
    ("PUT", "tags"): Command("gnt-instance add-tags", operands=("tag",)),
    ("DELETE", "tags"): Command("gnt-instance remove-tags", operands=("tag",)),
}
_OF_INSTANCE = re.compile(r"/2/instances/(?P<name>[^/]+)(?:/(?:disk/(?P<disk>[0-9]+)/)?(?P<rest>[a-z-]+))?")
_OF_JOB = re.compile(r"/2/jobs/(?P<name>[0-9]+)")
_CANCEL = Command("gnt-job cancel")
_OF_CLUSTER = {
    ("PUT", "/2/tags"): Command("gnt-cluster add-tags", operands=("tag",)),
    ("DELETE", "/2/tags"): Command("gnt-cluster remove-tags", operands=("tag",)),
}


def command_of(call: Call) -> str:
    """The command in one line, to be typed on the master; empty if there is none that says all that the call says."""
    params = {name: value for name, value in call.params.items() if name not in ("dry-run", "dry_run")}
    found = _find(call, params)
    if found is None:
        return ""
    command, name = found
    if not set(params) <= {*command.options, *command.operands}:
        return ""
    words = [*command.together(params)]
    for key, value in params.items():
        if key in command.options and value is not None:
            words += command.options[key](value)
    operands = []
    for key in command.operands:
        value = params[key]
        operands += [str(each) for each in value] if isinstance(value, list) else [_measure(key, value)]
    line = shlex.join([*command.words.split(), *words, *([name] if name else []), *operands])
    before = [shlex.join([*each.split(), name]) for each in command.before]
    after = [shlex.join([*each.split(), name]) for key, each in command.after.items() if params.get(key)]
    return " && ".join([*before, line, *after])


def _measure(key: str, value: Any) -> str:
    """Sizes are MiB."""
    return f"{value}m" if key == "amount" else str(value)


def _find(call: Call, params: dict[str, Any]) -> tuple[Command, str] | None:
    """The command of a call, and the name of what it is done to, empty for the cluster. Puts what the path says among
    `params`."""
    if (call.method, call.path) in _OF_CLUSTER:
        return _OF_CLUSTER[call.method, call.path], ""
    if (call.method, call.path) == ("POST", "/2/instances"):
        return _IMPORT if params.get("mode") == "import" else _CREATE, str(params.pop("name"))
    if call.method == "DELETE" and (job := _OF_JOB.fullmatch(call.path)):
        return _CANCEL, job["name"]
    path = _OF_INSTANCE.fullmatch(call.path)
    command = INSTANCE.get((call.method, path["rest"] or "")) if path else None
    if path is None or command is None:
        return None
    if path["disk"] is not None:
        params["disk"] = path["disk"]
    return command, path["name"]
