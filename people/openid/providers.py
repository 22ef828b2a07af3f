"""The OpenID Connect providers of this installation, as a file describes them. Knows nothing of Django.

A secret stands in a file of its own, or in this one; neither is ever shown.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_KEYS = {
    *("name", "issuer", "client_id", "client_secret", "client_secret_file", "ca_file", "scopes"),
    *("username_claim", "groups_claim", "adds_accounts", "teams"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HERE = {"localhost", "127.0.0.1", "::1"}


class BadProviders(ValueError):
    """The file cannot be used; the text says why, without any value of it."""


@dataclass(frozen=True)
class Provider:
    """Somebody who may say who is signing in."""

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    ca_file: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    username_claim: str = "preferred_username"
    groups_claim: str = "groups"
    adds_accounts: bool = False
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def teams_for(self, groups: object) -> frozenset[str]:
        """The names of the teams that these groups are in by the table; what is no text counts for nothing."""
        given = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return frozenset(team for group in given if isinstance(group, str) for team in self.teams.get(group, ()))


def is_safe(url: object) -> bool:
    """Whether what is sent to an address can be read by nobody on the way; this machine itself may do without TLS."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE))


def is_local(url: str) -> bool:
    """Whether it is an address of this machine itself."""
    return urlsplit(url).hostname in _HERE


def read_providers(path: Path, *, is_wanted: bool) -> tuple[Provider, ...]:
    """Those that the file describes; none if it is not there, unless it `is_wanted`. BadProviders."""
    try:
        described = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if is_wanted:
            raise BadProviders(f"there is no file {path}.") from None
        return ()
    except OSError as error:
        raise BadProviders(f"cannot read {path} ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):  # its text may quote a secret
        raise BadProviders(f"{path} is no TOML.") from None
    return tuple(_read_one(path, key, about) for key, about in described.items())


def _read_one(path: Path, key: str, about: Any) -> Provider:
    if not isinstance(about, dict) or not _NAME.fullmatch(key):
        raise BadProviders(f"“{key}” in {path} is no [name] of small letters, digits and hyphens.")
    where = f"[{key}] in {path}"
    if unknown := sorted(set(about) - _KEYS):
        raise BadProviders(f"{where} has “{unknown[0]}”, and knows only {', '.join(sorted(_KEYS))}.")
    texts = {
        name: _text(where, about, name)
        for name in _KEYS - {"teams", "adds_accounts", "scopes", "client_secret", "client_secret_file"}
    }
    for name in ("issuer", "client_id"):
        if not texts[name]:
            raise BadProviders(f"{where} lacks “{name}”.")
    if not is_safe(texts["issuer"]):
        raise BadProviders(f"the issuer of {where} is no https address.")
    adds_accounts = about.get("adds_accounts", False)
    if not isinstance(adds_accounts, bool):
        raise BadProviders(f"“adds_accounts” of {where} is neither true nor false.")
    if texts["ca_file"] and not Path(texts["ca_file"]).is_file():
        raise BadProviders(f"“ca_file” of {where} names no file.")
    return Provider(
        key=key,
        name=texts["name"] or key.capitalize(),
        issuer=texts["issuer"],
        client_id=texts["client_id"],
        client_secret=_secret(where, about),
        ca_file=texts["ca_file"],
        scopes=_list(where, "scopes", about.get("scopes", ["openid", "profile", "email"])),
        username_claim=texts["username_claim"] or "preferred_username",
        groups_claim=texts["groups_claim"] or "groups",
        adds_accounts=adds_accounts,
        teams=_table(where, about.get("teams", {})),
    )


def _text(where: str, about: Mapping[str, Any], name: str) -> str:
    value = about.get(name, "")
    if not isinstance(value, str):
        raise BadProviders(f"“{name}” of {where} is no text.")
    return value.strip()


def _secret(where: str, about: Mapping[str, Any]) -> str:
    named, secret = _text(where, about, "client_secret_file"), _text(where, about, "client_secret")
    if named:
        try:
            secret = Path(named).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise BadProviders(f"cannot read the client_secret_file of {where}.") from None
    if not secret:
        raise BadProviders(f"{where} lacks “client_secret_file”.")
    return secret


def _list(where: str, name: str, value: object) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise BadProviders(f"“{name}” of {where} is no list of texts.")
    return tuple(words)


def _table(where: str, table: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        raise BadProviders(f"“teams” of {where} is no table.")
    return {group: _list(where, f"teams.{group}", teams) for group, teams in table.items()}
