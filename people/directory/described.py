"""The LDAP directory of this installation, as a file describes it. Knows neither Django nor LDAP.

The password stands in a file of its own, or in this one; neither is ever shown.
"""

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: what rows of people and teams that come of the directory are kept under; no OpenID provider may have it
KEY = "ldap"
#: kinds of groups, by the class of their entries
GROUP_TYPES = ("groupOfNames", "groupOfUniqueNames", "posixGroup", "group", "organizationalRole")
#: what else somebody may be by a group
FLAGS = ("administrator",)
_TEXTS = {
    "name": "the directory",
    "bind_dn": "",
    "base": "",
    "filter": "(uid=%(user)s)",
    "dn_template": "",
    "group_base": "",
    "group_type": "groupOfNames",
    "password_url": "",
    "ca_file": "",
}
_FLAGS = {"start_tls": True, "verify": True, "adds_accounts": False, "nested_groups": False}
_SECONDS = {"connect_s": 3, "answer_s": 5}
_LISTS = ("required_groups", "denied_groups")
_ATTRIBUTES = {
    "id": "entryUUID",
    "username": "uid",
    "first_name": "givenName",
    "last_name": "sn",
    "email": "mail",
}
_KEYS = {*_TEXTS, *_FLAGS, *_SECONDS, *_LISTS, "servers", "bind_password", "bind_password_file"}
_TABLES = {"attributes", "flags", "teams"}
_HERE = {"localhost", "127.0.0.1", "::1"}
_PLACE = "%(user)s"
_PLAINLY = re.compile(r"\([A-Za-z0-9.;-]+=[^()]*\Z")


class BadDirectory(ValueError):
    """The file cannot be used; the text says why, without any value of it that is secret."""


@dataclass(frozen=True)
class Directory:
    """The directory that may say who somebody is."""

    servers: tuple[str, ...]
    base: str
    name: str = _TEXTS["name"]
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    filter: str = _TEXTS["filter"]
    dn_template: str = ""
    group_base: str = ""
    group_type: str = "groupOfNames"
    nested_groups: bool = False
    required_groups: tuple[str, ...] = ()
    denied_groups: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: dict(_ATTRIBUTES))
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    adds_accounts: bool = False
    start_tls: bool = True
    verify: bool = True
    ca_file: str = ""
    password_url: str = ""
    connect_s: int = 3
    answer_s: int = 5

    key: str = KEY

    #: as an OpenID provider has it: where a row keeps what somebody is called there
    username_claim: str = "username"

    @property
    def asks_for_groups(self) -> bool:
        """Whether anything hangs on groups."""
        return bool(self.required_groups or self.denied_groups or self.flags or self.teams)


def is_installed() -> bool:
    """Whether the packages of the extra are there."""
    return all(importlib.util.find_spec(name) is not None for name in ("ldap", "django_auth_ldap"))


def read_directory(path: Path, *, is_wanted: bool) -> Directory | None:
    """The directory that the file describes; None if the file is not there, unless it `is_wanted`. BadDirectory."""
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if is_wanted:
            raise BadDirectory(f"there is no file {path}.") from None
        return None
    except OSError as error:
        raise BadDirectory(f"cannot read {path} ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):  # its text may quote a secret
        raise BadDirectory(f"{path} is no TOML.") from None
    if not is_installed():
        raise BadDirectory(f"{path} describes an LDAP directory, and the packages that speak to one are not installed.")
    return _read(path, about)


def _read(path: Path, about: Mapping[str, Any]) -> Directory:
    if unknown := sorted(set(about) - _KEYS - _TABLES):
        raise BadDirectory(f"{path} has “{unknown[0]}”, and knows only {', '.join(sorted(_KEYS | _TABLES))}.")
    texts = {name: _text(path, about, name) or default for name, default in _TEXTS.items()}
    given: dict[str, Any] = {
        **texts,
        **{name: _flag(path, about, name, default) for name, default in _FLAGS.items()},
        **{name: _seconds(path, about, name, default) for name, default in _SECONDS.items()},
        **{name: _list(path, name, about.get(name, [])) for name in _LISTS},
        "servers": _list(path, "servers", about.get("servers", [])),
        "bind_password": _secret(path, about),
        "attributes": _attributes(path, about.get("attributes", {})),
        "flags": _table(path, "flags", about.get("flags", {})),
        "teams": _table(path, "teams", about.get("teams", {})),
    }
    directory = Directory(**given)
    _check(path, directory)
    return directory


def _check(path: Path, directory: Directory) -> None:
    for name in ("servers", "base"):
        if not getattr(directory, name):
            raise BadDirectory(f"{path} lacks “{name}”.")
    for url in directory.servers:
        _check_server(path, directory, url)
    if directory.bind_dn and not directory.bind_password:  # it would count as nobody, and succeed
        raise BadDirectory(f"{path} has “bind_dn” and lacks “bind_password_file”.")
    for name in ("filter", "dn_template"):
        text = getattr(directory, name)
        if text and (_PLACE not in text or "%" in text.replace(_PLACE, "")):
            raise BadDirectory(f"“{name}” of {path} has no {_PLACE} where the user name goes, or another %.")
    if not _is_one_filter(directory.filter):
        raise BadDirectory(f"“filter” of {path} does not stand in parentheses.")
    if not all(_PLAINLY.search(before) for before in directory.filter.split(_PLACE)[:-1]):
        # for all people a * is put there, which a rule or another comparison takes for a name
        raise BadDirectory(f"“filter” of {path} compares {_PLACE} in another way than (attribute={_PLACE}).")
    if directory.group_type not in GROUP_TYPES:
        raise BadDirectory(f"“group_type” of {path} is none of {', '.join(GROUP_TYPES)}.")
    if directory.nested_groups and directory.group_type == "posixGroup":
        raise BadDirectory(f"“nested_groups” of {path}: groups of the type posixGroup have no groups in them.")
    if directory.asks_for_groups and not directory.group_base:
        raise BadDirectory(f"{path} names groups and lacks “group_base”.")
    if unknown := sorted(set(directory.flags) - set(FLAGS)):
        raise BadDirectory(f"[flags] in {path} has “{unknown[0]}”, and knows only {', '.join(FLAGS)}.")
    if directory.ca_file and not Path(directory.ca_file).is_file():
        raise BadDirectory(f"“ca_file” of {path} names no file.")
    if directory.password_url and urlsplit(directory.password_url).scheme not in ("http", "https"):
        raise BadDirectory(f"“password_url” of {path} is no http address.")


def _is_one_filter(text: str) -> bool:
    """Whether the parenthesis with which it begins is closed at its end; those in values are written \\28 and \\29."""
    depths = list(accumulate((letter == "(") - (letter == ")") for letter in text))
    return text.startswith("(") and depths[-1] == 0 and 0 not in depths[:-1]


def _check_server(path: Path, directory: Directory, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme == "ldapi":
        return
    if parts.scheme not in ("ldap", "ldaps") or not host or parts.path.strip("/") or " " in url:
        raise BadDirectory(f"“servers” of {path}: “{url}” is no ldap or ldaps address of a host.")
    if parts.scheme == "ldap" and not directory.start_tls and host not in _HERE:
        raise BadDirectory(f"“servers” of {path}: passwords would travel to {host} unsealed. Leave start_tls on.")


def _text(path: Path, about: Mapping[str, Any], name: str) -> str:
    value = about.get(name, "")
    if not isinstance(value, str) or "\0" in value:
        raise BadDirectory(f"“{name}” of {path} is no text.")
    return value.strip()


def _flag(path: Path, about: Mapping[str, Any], name: str, default: bool) -> bool:
    value = about.get(name, default)
    if not isinstance(value, bool):
        raise BadDirectory(f"“{name}” of {path} is neither true nor false.")
    return value


def _seconds(path: Path, about: Mapping[str, Any], name: str, default: int) -> int:
    value = about.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 60:
        raise BadDirectory(f"“{name}” of {path} is no whole number of seconds from 1 to 60.")
    return value


def _secret(path: Path, about: Mapping[str, Any]) -> str:
    named, secret = _text(path, about, "bind_password_file"), about.get("bind_password", "")
    if not isinstance(secret, str):
        raise BadDirectory(f"“bind_password” of {path} is no text.")
    if named:
        try:
            secret = Path(named).expanduser().read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise BadDirectory(f"cannot read the bind_password_file of {path}.") from None
    return secret


def _list(path: Path, name: str, value: object) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
        raise BadDirectory(f"“{name}” of {path} is no list of texts.")
    return tuple(word.strip() for word in words)


def _table(path: Path, name: str, table: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        raise BadDirectory(f"“{name}” of {path} is no table.")
    return {key: _list(path, f"{name}.{key}", value) for key, value in table.items()}


def _attributes(path: Path, table: object) -> dict[str, str]:
    given = _table(path, "attributes", table)
    if unknown := sorted(set(given) - set(_ATTRIBUTES)):
        raise BadDirectory(f"[attributes] in {path} has “{unknown[0]}”, and knows only {', '.join(_ATTRIBUTES)}.")
    named = {name: words[0] for name, words in given.items() if words}
    for name, attribute in named.items():
        if not attribute.replace("-", "").replace(";", "").isalnum() or not attribute.isascii():
            raise BadDirectory(f"“attributes.{name}” of {path} is no name of an attribute.")
    return {**_ATTRIBUTES, **named}
