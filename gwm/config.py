"""The values of the settings that gwm/env.py declares, read and checked.

A value comes from the environment, else from one file (`GWM_CONFIG`, by default `<data>/gwm.env`), else from the
secrets generated at the first start (`<data>/secrets.env`), else from the default. Knows nothing of Django.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from gwm.env import SETTINGS, TABLE
from vncproxy.settings import Network, networks

_PATH = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)*")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
# Within an address, also of a setting that is to have none.
_PASSWORD = re.compile(r"(//[^/\s:@]*:)[^\s”]+@")
_HIDDEN = r"\1[hidden]@"


class SettingError(Exception):
    """A setting has a wrong value; the text names it and says what to do, and shows no password."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        super().__init__(f"{name}: {_PASSWORD.sub(_HIDDEN, problem)} {remedy}")
        self.name = name


class Config:
    """The values of one start. Readers check kind and range and raise SettingError."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._file: dict[str, str] = {}
        self._file = self._read_config_file()
        self._secrets = read_env_file(self.data_dir / "secrets.env")

    @property
    def data_dir(self) -> Path:
        return self.path("GWM_DATA_DIR").absolute()

    def raw(self, name: str) -> str:
        """Return the value as it was written; an empty one counts as not set."""
        setting = TABLE[name]
        for source in (self._environ, self._file, self.__dict__.get("_secrets", {})):
            if value := source.get(name, "").strip():
                return value
        return setting.default

    def is_set(self, name: str) -> bool:
        """Say whether somebody gave a value."""
        return self.raw(name) != TABLE[name].default

    def text(self, name: str) -> str:
        """Return a text."""
        return self.raw(name)

    def path(self, name: str) -> Path:
        """Return a path; `~` is the home directory."""
        return Path(self.raw(name)).expanduser()

    def choice(self, name: str, among: Sequence[str]) -> str:
        """Return a text that is one of these."""
        value = self.raw(name)
        if value not in among:
            raise SettingError(
                name, f"“{value}” is none of its values.", f"Write {', '.join(among[:-1])} or {among[-1]}."
            )
        return value

    def words(self, name: str) -> list[str]:
        """Return the parts of a comma list."""
        return [word.strip() for word in self.raw(name).split(",") if word.strip()]

    def networks(self, name: str) -> tuple[Network, ...]:
        """Return the networks of a comma list."""
        try:
            return networks(name, self.raw(name))
        except ValueError:
            raise SettingError(
                name, f"“{self.raw(name)}” is no list of networks.", "Write it like 10.0.0.0/8,fd00::/8."
            ) from None

    def flag(self, name: str) -> bool:
        """Return a yes or no."""
        value = self.raw(name).lower()
        if value not in _TRUE | _FALSE:
            raise SettingError(name, f"“{value}” is neither yes nor no.", "Write yes or no.")
        return value in _TRUE

    def integer(self, name: str) -> int:
        """Return a whole number within the range of the table."""
        value = self.raw(name)
        try:
            number = int(value)
        except ValueError:
            raise SettingError(
                name, f"“{value}” is not a whole number.", f"Write one such as {TABLE[name].default}."
            ) from None
        self._check_range(name, number)
        return number

    def seconds(self, name: str) -> float:
        """Return a number of seconds within the range of the table."""
        value = self.raw(name)
        try:
            number = float(value)
        except ValueError:
            raise SettingError(
                name, f"“{value}” is not a number of seconds.", f"Write one such as {TABLE[name].default}."
            ) from None
        self._check_range(name, number)
        return number

    def url(self, name: str, *schemes: str) -> str:
        """Return an address with one of the schemes, or the empty text."""
        value = self.raw(name)
        if value and value.partition("://")[0] not in schemes:
            shown = "its value" if TABLE[name].secret else f"“{value}”"
            raise SettingError(
                name, f"{shown} is no address we can use.", f"Begin it with {' or '.join(f'{s}://' for s in schemes)}."
            )
        try:
            _port = urlsplit(value).port
        except ValueError:  # its text may be of the password
            raise SettingError(
                name,
                "its host or its port is none.",
                "Write it like scheme://user:password@host:port/…, with what is neither letter nor digit in the "
                "password as %2F for / and %40 for @.",
            ) from None
        return value

    def secret_values(self) -> list[str]:
        """Return what must never stand in a log."""
        values = [self.raw(setting.name) for setting in SETTINGS if setting.secret]
        return [part for value in values for part in (value, *value.split(",")) if len(part) > 5]

    def _check_range(self, name: str, number: float) -> None:
        setting = TABLE[name]
        if not setting.least <= number <= setting.most:
            limit = f"at least {setting.least:g}" + (
                f" and at most {setting.most:g}" if setting.most < float("inf") else ""
            )
            raise SettingError(name, f"{number:g} is out of range.", f"Write {limit}.")

    def _read_config_file(self) -> dict[str, str]:
        given = self._environ.get("GWM_CONFIG", "").strip()
        path = Path(given).expanduser() if given else self.path("GWM_DATA_DIR") / "gwm.env"
        if given and not path.is_file():
            raise SettingError("GWM_CONFIG", f"there is no file {path}.", "Create it, or unset GWM_CONFIG.")
        values = read_env_file(path)
        for name in values:
            if name not in TABLE:
                near = difflib.get_close_matches(name, TABLE, n=1)
                remedy = f"Did you mean {near[0]}?" if near else "docs/settings.md lists all."
                raise SettingError(name, f"no such setting, in {path}.", remedy)
        return values


def read_env_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines (as systemd's EnvironmentFile: # comments, optional quotes); {} when there is no file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError("GWM_CONFIG", f"cannot read {path} ({error}).", "Run as the user that owns it.") from None
    values = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        if not equals:
            raise SettingError("GWM_CONFIG", f"line {number} of {path} is not NAME=value.", "Correct it.")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        values[name.strip()] = value
    return values


def take_data_option(argv: list[str]) -> None:
    """Let `--data DIR` on a command line decide before any setting is read."""
    for position, word in enumerate(argv):
        if word.startswith("--data="):
            os.environ["GWM_DATA_DIR"] = word.removeprefix("--data=")
        elif word == "--data" and position + 1 < len(argv):
            os.environ["GWM_DATA_DIR"] = argv[position + 1]


def read_path(public_url: str) -> str:
    """The path of its host below which the product lives, with a slash before and none behind it; most have none."""
    parts = urlsplit(public_url)
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        raise SettingError(
            "GWM_PUBLIC_URL",
            f"“{public_url}” is no address below which there could be pages.",
            "Write it like https://gwm.example.org, or https://example.org/gwm.",
        )
    return parts.path
