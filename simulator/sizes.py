"""Sizes as Ganeti accepts them: whole MiB, or text with a unit."""

import re
from typing import Any

from simulator.errors import PrereqError

UNITS = {"": 1, "m": 1, "g": 1024, "t": 1024 * 1024}


def parse_size(value: Any) -> int:
    """Return MiB for 1024, "1024", "1g" or "1.5G"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"([.\d]+)\s*([mgt]?)i?b?", str(value).lower())
    if match is None:
        raise PrereqError(f"Invalid disk size '{value}'", "wrong_input")
    return int(float(match[1]) * UNITS[match[2]])


def show_size(mebibytes: int) -> str:
    """Write a size the way Ganeti's logs do: 512M, 1.0G."""
    if mebibytes < 1024:
        return f"{mebibytes}M"
    if mebibytes < 1024 * 1024:
        return f"{mebibytes / 1024:.1f}G"
    return f"{mebibytes / 1024 / 1024:.1f}T"
