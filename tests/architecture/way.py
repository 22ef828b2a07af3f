"""Follows the calls between our functions while something is done, so that a test can say which way they go."""

import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
_LAYERS = next(contract["layers"] for contract in _LINTER["contracts"] if contract["id"] == "apps")
# 0 is the lowest.
HEIGHT = {room.strip(): height for height, layer in enumerate(reversed(_LAYERS)) for room in layer.split("|")}


class Way:
    """Which function called which directly. Named "package.module:Class.function"; comprehensions count as theirs."""

    def __init__(self) -> None:
        self.calls: set[tuple[str, str]] = set()

    @property
    def rooms(self) -> set[str]:
        """The apps that it leads through."""
        return {room_of(name) for name in self.functions}

    @property
    def functions(self) -> set[str]:
        """All that took part."""
        return {name for call in self.calls for name in call}

    @property
    def modules(self) -> set[str]:
        """Where they stand."""
        return {name.partition(":")[0] for name in self.functions}

    @property
    def upward(self) -> set[tuple[str, str]]:
        """The calls of what stands in a higher app."""
        return {(one, other) for one, other in self.calls if HEIGHT[room_of(other)] > HEIGHT[room_of(one)]}

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Here, and in the threads that begin meanwhile."""
        threading.setprofile(self._see)
        sys.setprofile(self._see)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _see(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call" and (name := _name_of(frame)) and (caller := _name_of(frame.f_back)):
            self.calls.add((caller, name))


def room_of(name: str) -> str:
    return name.partition(":")[0].partition(".")[0]


def _name_of(frame: FrameType | None) -> str:
    """Empty for what is not ours."""
    while frame is not None and frame.f_code.co_name in ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"):
        frame = frame.f_back
    module = _module_at(frame.f_code.co_filename) if frame is not None else ""
    return f"{module}:{frame.f_code.co_qualname}" if frame is not None and module else ""


@cache  # asked at each of some hundred thousand calls, of a few hundred files
def _module_at(path: str) -> str:
    """Empty for what is not ours."""
    file = Path(path)
    if ROOT not in file.parents:
        return ""
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    return module if room_of(module) in HEIGHT else ""
