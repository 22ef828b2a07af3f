"""The file of settings that a server has: reading it, and completing it with what an installation there needs."""

from __future__ import annotations

import re
from collections.abc import Mapping

LOCAL_DATABASE = "postgres:////var/run/postgresql/gwm"
LOCAL_REDIS = "redis://localhost:6379/0"
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_ASSIGNED = re.compile(r"\s*([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*")


def is_name(text: str) -> bool:
    """Whether a browser could ask for it."""
    return _NAME.fullmatch(text) is not None


def read_settings(text: str) -> dict[str, str]:
    """The settings of a file, as systemd's `EnvironmentFile` has them."""
    found = {}
    for line in text.splitlines():
        if (assigned := _ASSIGNED.fullmatch(line)) is not None:
            found[assigned[1]] = assigned[2].strip("\"'")
    return found


def complete_settings(text: str, name: str, places: Mapping[str, str]) -> str:
    """The same with what an installation on a server needs and the file does not say; `places`: where its database and
    its Redis are."""
    wanted = {**places, "GWM_PUBLIC_URL": f"https://{name}", "GWM_BEHIND_PROXY": "yes", "GWM_DEMO": "no"}
    there = read_settings(text)
    lines = [f"{key}={value}" for key, value in wanted.items() if key not in there]
    return text if not lines else "\n".join([*text.splitlines(), *lines]) + "\n"


def replace_settings(text: str, values: Mapping[str, str]) -> str:
    """The same with other values of what it says already, each where it stood."""
    lines = []
    for line in text.splitlines():
        name = next(iter(read_settings(line)), "")
        lines.append(f"{name}={values[name]}" if name in values else line)
    return "\n".join(lines) + "\n" if lines else ""
