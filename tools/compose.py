"""Compose files as they are written, for who starts their services without an engine (tools/container.py).

Every key of a service is either turned into what is started, or named in `_OF_ENGINES`: what is in neither is refused,
so that nothing is written there which nobody has tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: what only an engine can do: its own names, when it builds and starts again, and on which ports of the host it listens
_OF_ENGINES = {"image", "build", "restart", "ports"}
_GIVEN = re.compile(r"\$\{(\w+):\?[^}]*\}")
_UNITS = {"s": 1.0, "m": 60.0}
COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"


class ComposeError(Exception):
    """It says what nobody can start; the text says what."""


@dataclass(frozen=True)
class Service:
    """One service: what runs, what it is given, and what it may."""

    name: str
    #: empty: those of the image
    command: tuple[str, ...]
    environment: Mapping[str, str]
    hostname: str
    #: empty: that of the image; None: it has none
    health: tuple[str, ...] | None
    #: what must be before it, by service
    after: Mapping[str, str]
    grace_s: float
    #: volumes, by where they are seen
    volumes: Mapping[str, str]
    #: options of systemd-nspawn that hold it as the file wants it held
    confined_by: tuple[str, ...]


def read_services(path: Path, image: str, given: Mapping[str, str]) -> dict[str, Service]:
    """Those that run in an image, with what the one who starts them gives. Raises ComposeError."""
    written: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return {name: _read(name, dict(about), given) for name, about in written.items() if about["image"] == image}


def in_order(services: Mapping[str, Service]) -> Iterator[Service]:
    """Each after those that it waits for; what is not among them is started by somebody else."""
    waiting = dict(services)
    while waiting:
        ready = [each for each in waiting.values() if not waiting.keys() & each.after.keys()]
        if not ready:
            raise ComposeError(f"{', '.join(waiting)} wait for each other.")
        for each in ready:
            del waiting[each.name]
            yield each


def _read(name: str, about: dict[str, Any], given: Mapping[str, str]) -> Service:
    for key in _OF_ENGINES:
        about.pop(key, None)
    health = about.pop("healthcheck", {})
    test = health.get("test", ["CMD"])
    if test[0] != "CMD":
        raise ComposeError(f"{name}: a check of health by {test[0]}.")
    service = Service(
        name,
        tuple(about.pop("command", ())),
        {key: _filled(str(value), given) for key, value in about.pop("environment", {}).items()},
        str(about.pop("hostname", "")),
        None if health.get("disable") else tuple(test[1:]),
        {other: condition["condition"] for other, condition in about.pop("depends_on", {}).items()},
        _seconds(str(about.pop("stop_grace_period", "10s"))),
        {place: volume for volume, _, place in (each.partition(":") for each in about.pop("volumes", ()))},
        tuple(_confine(name, about)),
    )
    if about:
        raise ComposeError(f"{name}: nobody has tried {', '.join(about)}.")
    return service


def _confine(name: str, about: dict[str, Any]) -> Iterator[str]:
    """What it may not; an engine holds nothing that is not written."""
    if about.pop("read_only", False):
        yield "--read-only"
    yield from (f"--tmpfs={place}:mode=1777" for place in about.pop("tmpfs", ()))
    for dropped in about.pop("cap_drop", ()):
        yield f"--drop-capability={'all' if dropped == 'ALL' else f'CAP_{dropped}'}"
    for option in about.pop("security_opt", ()):
        if option != "no-new-privileges:true":
            raise ComposeError(f"{name}: nobody has tried {option}.")
        yield "--no-new-privileges=yes"
    if user := about.pop("user", ""):
        yield f"--user={user}"


def _filled(value: str, given: Mapping[str, str]) -> str:
    try:
        filled = _GIVEN.sub(lambda found: given[found[1]], value)
    except KeyError as missing:
        raise ComposeError(f"{missing} must be given.") from None
    return filled.replace("$$", "$")


def _seconds(period: str) -> float:
    return float(period[:-1]) * _UNITS[period[-1]]
