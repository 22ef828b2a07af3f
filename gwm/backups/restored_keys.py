"""The keys of a backup, which become those of an installation together with its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gwm.config import read_env_file
from gwm.secrets import GENERATED, replace_private_file

#: of which there is one at a time
_SINGLE = "GWM_SECRET_KEY"


class RestoredKeys:
    """Those of some texts, on their way into a file of secrets. No texts: that file stays as it is."""

    def __init__(self, path: Path, texts: Mapping[str, str]) -> None:
        self._path = path
        self._there = read_env_file(path)
        self._new = {name: texts[name] for name in GENERATED if name in texts}

    def add(self) -> None:
        """Beside those that there are: whichever rows there will be, they can be opened. Those of before are kept."""
        if not self._new:
            return
        values = dict(self._there)
        for name, text in self._new.items():
            if name != _SINGLE:
                there = _split(values.get(name, ""))
                values[name] = ",".join([*there, *(key for key in _split(text) if key not in there)])
        if self._there and self._there != {**self._there, **self._new}:
            before = self._path.with_name(f"{self._path.name}.before-restore")
            replace_private_file(before, self._path.read_text(encoding="utf-8"))
        _write(self._path, values)

    def settle(self, say: Callable[[str], object]) -> None:
        """In place of those: the rows are there."""
        if self._new:
            _write(self._path, {**self._there, **self._new})
            say(f"The keys of the backup are in {self._path} now.")


def _split(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _write(path: Path, values: Mapping[str, str]) -> None:
    replace_private_file(path, "".join(f"{name}={value}\n" for name, value in values.items()))
