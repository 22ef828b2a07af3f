"""Servers that do nothing but remember: what a deployment does where, and in which order."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from deploy.host import HostError
from deploy.inventory import Member
from deploy.release import HERE
from deploy.site import CURRENT, DATA, ROOT, SETTINGS, Site

SECRETS = f"{DATA}/secrets.env"
_STARTED = re.compile(r"systemctl (?:re)?start (?:--no-block )?([^&]*)")
_RELEASE = re.compile(rf"{ROOT}/releases/(\w+)")


class Release:
    """One whose files are those of this checkout."""

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, path: str) -> str:
        return (HERE / path).read_text()


class Remembering:
    """One server. `events` is of all of them; `unwell` is a release that does not work there."""

    def __init__(self, member: Member, events: list[tuple[str, str]], *, unwell: str = "") -> None:
        self.name, self.events, self.unwell = member.name, events, unwell
        self.files: dict[str, bytes] = {}
        self.current, self.ran_with, self.active = "", "", set[str]()
        self.releases: set[str] = set()

    def ask(self, command: str) -> bool:
        if command.startswith("systemctl is-active "):
            return command.rpartition(" ")[2] in self.active
        if command.startswith("test -e "):
            path = command.removeprefix("test -e ")
            return path in self.files or "check_installation" in path
        if "cmp -s" in command:
            return self.ran_with == self._digest(SETTINGS)
        return command.startswith("test -s ") is False

    def run(self, command: str) -> str:
        if command.startswith("basename $(readlink"):
            return self.current
        if command.startswith("systemctl list-units "):
            return "\n".join(unit for unit in sorted(self.active) if unit.startswith("gwm-web@"))
        if command.startswith("ls -d "):
            return "\n".join(f"{ROOT}/releases/{name}/.complete" for name in sorted(self.releases))
        if command.startswith(f"cat {SECRETS}"):
            return self.files.get(SECRETS, b"").decode().strip()
        if (read := re.match(rf"cat {ROOT}/releases/\w+/(\S+)", command)) is not None:
            return (HERE / read[1]).read_text().removesuffix("\n")
        if command.startswith("ls ") and command.endswith("/deploy/systemd"):
            return " ".join(path.name for path in (HERE / "deploy/systemd").iterdir())
        self._do(command)
        return ""

    def _do(self, command: str) -> None:
        if (begun := _RELEASE.search(command)) is not None and f"mv -T {CURRENT}.new" in command:
            self.current = begun[1]
        elif (started := _STARTED.search(command)) is not None:
            self.active |= set(started[1].split())
        elif "sha256sum < " in command:
            self.ran_with = self._digest(SETTINGS)
            self.events.append((self.name, f"begin {self.current}"))
        elif "manage.py prepare" in command:
            self.events.append((self.name, "prepare"))
            self.files.setdefault(SECRETS, b"GWM_SECRET_KEY=x\n")
        elif "deploy.probe" in command:
            self.events.append((self.name, "probe"))
            if self.current == self.unwell:
                raise HostError(f"{self.name} is not well")
        elif "check_installation updates" in command:
            self.events.append((self.name, "updates"))
        elif "disable --now gwm.target" in command:
            self.active.clear()
            self.events.append((self.name, "stop"))
        elif gone := re.findall(r"rm -f (/etc/systemd/system/\S+)", command):
            for path in gone:
                self.files.pop(path, None)
        elif "nginx" in command and "ln -sfn" in command:
            self.files["/etc/nginx/sites-enabled/ganeti-web-manager"] = b""

    def holds(self, path: str, content: bytes) -> bool:
        return self.files.get(path) == content

    def write(self, path: str, content: bytes, *, mode: str = "644", owner: str = "root:root") -> None:
        self.files[path] = content
        self.events.append((self.name, f"write {Path(path).name}"))

    def carry_text(self, text: str) -> str:
        return "/tmp/text"  # noqa: S108 (nothing lies there)

    def _digest(self, path: str) -> str:
        return hashlib.sha256(self.files.get(path, b"")).hexdigest()


def site_of(member: Member, release: str, host: Remembering, *, alone: bool, only_checks: bool = False) -> Site:
    """With settings that are to be written."""
    there: Any = host
    its: Any = Release(release)
    site = Site(there, its, "gwm.example.org", "GWM_DEMO=no\n", roles=member.roles, is_alone=alone)
    site.say, site.only_checks = (lambda words: None), only_checks
    return site
