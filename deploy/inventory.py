"""Which servers an installation has and what each of them is for: one, or those of a file (docs/install.md)."""

from __future__ import annotations

import ipaddress
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from deploy.host import HostError
from deploy.settings import is_name, read_settings


class Role(StrEnum):
    """What a server is for."""

    WEB = "web"
    WORKER = "worker"
    CONSOLE = "console"
    BEAT = "beat"
    DATABASE = "database"
    REDIS = "redis"


# Those that run the product itself; the others run what it needs.
OF_OURS = frozenset({Role.WEB, Role.WORKER, Role.CONSOLE, Role.BEAT})
ALL_ROLES = frozenset(Role)
_SETTING_OF = {Role.DATABASE: "DATABASE_URL", Role.REDIS: "REDIS_URL"}
_ROLES = ", ".join(Role)


@dataclass(frozen=True)
class Member:
    """One server: where SSH finds it, what it is for, and by which address of IP the others reach it."""

    host: str
    roles: frozenset[Role] = ALL_ROLES
    address: str = ""

    @property
    def name(self) -> str:
        """Without who signs in there."""
        return self.host.rpartition("@")[2]

    @property
    def is_ours(self) -> bool:
        """Whether anything of the product itself runs there."""
        return bool(self.roles & OF_OURS)


@dataclass(frozen=True)
class Inventory:
    """All servers of an installation, and what was said with them; a text that is empty was not."""

    members: tuple[Member, ...]
    name: str = ""
    settings: str = ""

    @property
    def is_alone(self) -> bool:
        """Whether one server does it all, and nothing of it is for other machines."""
        return len(self.members) == 1

    def having(self, *roles: Role) -> tuple[Member, ...]:
        """Those with one of these roles, in the order of the inventory."""
        return tuple(member for member in self.members if member.roles & set(roles))


def of_one_host(host: str) -> Inventory:
    """One that does it all."""
    return Inventory((Member(host),))


def read_inventory(path: str) -> Inventory:
    """That of a file. Raises HostError, with the line and what to do, before any server is asked anything."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"The inventory {path} can't be read: {error}.") from error
    return _Reading(path, text).read()


class _Reading:
    """A file's text, and where in it a mistake is."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text

    def wrong(self, key: str, words: str) -> HostError:
        """A mistake at the first line that has a key."""
        lines = self.text.splitlines()
        at = next((number for number, line in enumerate(lines, 1) if key and key in line.partition("#")[0]), 0)
        return HostError(f"{self.path}{f', line {at}' if at else ''}: {words}")

    def read(self) -> Inventory:
        try:
            told = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise HostError(f"{self.path} is no TOML: {error}.") from error
        for key in told.keys() - {"name", "settings", "hosts"}:
            raise self.wrong(key, f"“{key}” is nothing that an inventory says. It says name, settings and hosts.")
        name, file, hosts = told.get("name", ""), told.get("settings", ""), told.get("hosts", {})
        if not (isinstance(name, str) and is_name(name)):
            raise self.wrong("name", 'name must be what people type: name = "gwm.example.org"')
        if not isinstance(file, str):
            raise self.wrong("settings", 'settings must be the name of a file: settings = "gwm.env"')
        if not (isinstance(hosts, dict) and hosts):
            raise self.wrong("hosts", 'No host is named. Each is a table: [hosts."root@web1.example.net"]')
        members = tuple(self._member(host, said) for host, said in hosts.items())
        settings = self._settings(file) if file else ""
        self._check_each_is_one(members)
        self._check_roles(members)
        self._check_services(members, read_settings(settings))
        return Inventory(members, name, settings)

    def _member(self, host: str, said: Any) -> Member:
        if not isinstance(said, dict):
            raise self.wrong(host, f'A host is a table: [hosts."{host}"], and below it roles = ["web"]')
        for key in said.keys() - {"roles", "address"}:
            raise self.wrong(key, f"“{key}” is nothing that is said of a host. It has roles and address.")
        roles, address = said.get("roles", []), said.get("address", "")
        if not (isinstance(roles, list) and roles and all(isinstance(role, str) for role in roles)):
            raise self.wrong(host, f'{host} has no roles. Give it some of {_ROLES}: roles = ["web", "worker"]')
        for role in roles:
            if role not in set(Role):
                raise self.wrong(f'"{role}"', f"“{role}” is no role. There are {_ROLES}.")
        member = Member(host, frozenset(Role(role) for role in roles), str(address))
        if address and not _is_ip(address):
            raise self.wrong(str(address), f"“{address}” is no address. Write an IP, such as 10.0.0.11.")
        return member

    def _settings(self, file: str) -> str:
        try:
            return (Path(self.path).parent / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            words = f"{file} can't be read: {error}. It is looked for beside the inventory."
            raise self.wrong("settings", words) from error

    def _check_each_is_one(self, members: Sequence[Member]) -> None:
        for said, words in (
            ([member.name for member in members], "is named twice. Give one table all its roles."),
            ([member.address for member in members if member.address], "is the address of two. Each has its own."),
        ):
            for what, times in Counter(said).items():
                if times > 1:
                    raise self.wrong(what, f"{what} {words}")
        for member in members:
            if len(members) > 1 and not member.address:
                remedy = 'Say by which IP, on a network of theirs alone: address = "10.0.0.11"'
                raise self.wrong(member.host, f"{member.host} has no address for the other hosts. {remedy}")

    def _check_roles(self, members: Sequence[Member]) -> None:
        count = Counter(role for member in members for role in member.roles)
        for role in (Role.WEB, Role.WORKER, Role.BEAT):
            if not count[role]:
                raise self.wrong("hosts", f"No host has the role {role}. Give it to one.")
        for role in (Role.BEAT, Role.DATABASE, Role.REDIS):
            if count[role] > 1:
                raise self.wrong(f'"{role}"', f"More than one host has the role {role}. Leave it to one.")
        for member in members:
            if Role.WEB in member.roles and Role.WORKER not in member.roles:
                why = "a worker there closes consoles whose right is withdrawn. Add worker to its roles"
                raise self.wrong(member.host, f"{member.host} has web without worker: {why}.")
            if Role.CONSOLE in member.roles and Role.WEB not in member.roles:
                why = "web processes answer consoles themselves. One by itself is set up by hand (docs/install.md)"
                raise self.wrong(
                    member.host, f"{member.host} has console without web: {why}. Add web, or leave it out."
                )

    def _check_services(self, members: Sequence[Member], settings: dict[str, str]) -> None:
        there = {role for member in members for role in member.roles}
        several = sum(member.is_ours for member in members) > 1
        for role, setting in _SETTING_OF.items():
            given = bool(settings.get(setting))
            if role in there and given:
                words = f"A host has the role {role}, and {setting} is among the settings."
                raise self.wrong(f'"{role}"', f"{words} Take one of them away.")
            if role not in there and not given and (role is Role.DATABASE or several):
                words = f"No host has the role {role}, and the settings say no {setting}."
                raise self.wrong("hosts", f"{words} Give one host the role, or say where it is.")


def _is_ip(address: object) -> bool:
    try:
        return isinstance(address, str) and bool(ipaddress.ip_address(address))
    except ValueError:
        return False
