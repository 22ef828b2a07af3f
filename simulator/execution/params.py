"""Hypervisor, backend and NIC parameters: which exist, and how an override is set or dropped."""

from typing import Any

from simulator.cluster import Cluster
from simulator.errors import PrereqError, TypeEnforcementError
from simulator.model import Params

BACKEND_PARAMETERS = frozenset(
    {"minmem", "maxmem", "memory", "vcpus", "auto_balance", "always_failover", "spindle_use"}
)
NIC_PARAMETERS = ("mode", "link", "vlan")
DEFAULT = "default"


def check_known(given: Params, known: Any) -> None:
    for name in given:
        if name not in known:
            raise TypeEnforcementError(f"Unknown parameter '{name}'")


def check_hvparams(cluster: Cluster, hypervisor: str, given: Params) -> None:
    defaults = cluster.settings["hvparams"].get(hypervisor, {})
    check_known(given, defaults)
    for name, value in given.items():
        if value != DEFAULT and not same_kind(value, defaults[name]):
            raise TypeEnforcementError(f"'{name}' (value {value}) is not a valid {type(defaults[name]).__name__}")


def same_kind(value: Any, default: Any) -> bool:
    """Ganeti turns text into booleans and integers where a parameter wants them."""
    if isinstance(default, bool):
        return isinstance(value, bool) or str(value).lower() in ("true", "false", "yes", "no")
    if isinstance(default, int):
        return str(value).lstrip("-").isdigit()
    return isinstance(value, str | int | bool)


def with_memory_split(given: Params) -> Params:
    """``memory`` stands for both its bounds."""
    if "memory" not in given:
        return dict(given)
    rest = {name: value for name, value in given.items() if name != "memory"}
    return {"maxmem": given["memory"], "minmem": given["memory"]} | rest


def check_beparams(given: Params) -> Params:
    check_known(given, BACKEND_PARAMETERS)
    params = with_memory_split(given)
    for name in ("minmem", "maxmem"):
        value = params.get(name)
        if value is not None and value != DEFAULT and not str(value).isdigit():
            raise TypeEnforcementError(f"'{name}' (value {value}) is not a valid size")
    return params


def override(current: Params, changes: Params) -> Params:
    """Return the overrides after changes; the value "default" drops one."""
    kept = {name: value for name, value in current.items() if changes.get(name) != DEFAULT}
    return kept | {name: value for name, value in changes.items() if value != DEFAULT}


def check_hypervisor(cluster: Cluster, hypervisor: str) -> None:
    enabled = cluster.settings["enabled_hypervisors"]
    if hypervisor not in enabled:
        text = f"Selected hypervisor ({hypervisor}) not enabled in the cluster ({','.join(enabled)})"
        raise PrereqError(text, "wrong_state")


def check_template(cluster: Cluster, template: str) -> None:
    enabled = cluster.settings["enabled_disk_templates"]
    if template not in enabled:
        text = f"Disk template '{template}' is not enabled for this cluster"
        raise PrereqError(f"{text} (enabled templates: {', '.join(enabled)})", "wrong_state")
