"""Names of people, machines and addresses, and what stands in a bundle in their place.

The same name has the same stand-in all through a bundle and in every bundle of this installation, so that one can be
told from another. Who does not have the key of this installation can't reckon back.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import re
import socket
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from ipaddress import ip_address, ip_interface
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Model

from clusters.models import Cluster, Network, Node, NodeGroup
from clusters.models.former import FormerName, FormerSlug
from objectlog.models import Event
from permissions.models import User
from virtualmachines.models import MachineTemplate, VirtualMachine

# What the words of an installation are that says nothing of whose it is.
_ANYBODYS = frozenset(
    {"root", "gwm", "admin", "localhost", "127.0.0.1", "::1", "[::1]", "ganeti", "default", "www-data", "none"}
)
# Of the journal those of the last steps are known, for it may have millions.
_LAST_EVENTS = 20_000
_WORD = re.compile(r"[^\W_](?:[\w.@+-]*\w)?")
_PARTS = re.compile(r"[@+]")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_HEX = re.compile(r"\b(?:[0-9A-Fa-f]{2}:){5,}[0-9A-Fa-f]{2}\b")
_IPV6 = re.compile(
    r"(?<![\w.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:/\d{1,3})?(?!\w|:[0-9A-Fa-f:])"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\w.]*\w)")
_HOST = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")
_UNITS = ("service", "socket", "timer", "target")
_FILES = re.compile(rf".*\.(?:py|so|html|js|css|sock|sqlite3|env|toml|conf|log|msg|mo|po|pem|{'|'.join(_UNITS)})")


class Stand:
    """Takes names out of texts."""

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        """With the kinds and names of what there is here."""
        self._known: dict[str, str] = {}
        self._longer: dict[str, list[str]] = {}
        for kind, name in known:
            self._take(kind, name.strip().lower())

    def _take(self, kind: str, name: str) -> None:
        if not name or name in _ANYBODYS or name.isdigit():
            return
        self._known.setdefault(name, kind)
        if _WORD.fullmatch(name) is None:  # several words, or signs between
            first = _WORD.search(name)
            if first is not None:
                self._longer.setdefault(first[0], []).append(name)
                self._longer[first[0]].sort(key=len, reverse=True)
            return
        short = name.partition(".")[0]
        if short != name and not short.isdigit() and short not in _ANYBODYS and not _is_address(name):
            self._known.setdefault(short, kind)

    def clean(self, text: str) -> str:
        """The text with stand-ins."""
        text = self._names_of_several_words(text)
        text = _MAIL.sub(lambda found: self._mail(found[0]), text)
        text = _HEX.sub(lambda found: self.name_for("number", found[0].lower()), text)
        text = _IPV6.sub(lambda found: self._address(found[0]), text)
        text = _IPV4.sub(lambda found: self._address(found[0]), text)
        return _WORD.sub(lambda found: self._word(found[0]), text)

    def name_for(self, kind: str, name: str) -> str:
        """What stands for it."""
        key = hashlib.sha256(f"names in bundles {settings.SECRET_KEY}".encode()).digest()
        return f"{kind}-{hmac.new(key, name.lower().encode(), hashlib.sha256).hexdigest()[:8]}"

    def _mail(self, text: str) -> str:
        domain = text.partition("@")[2]
        if "." in domain and domain.rpartition(".")[2] not in _UNITS:
            return self.name_for("person", text)
        return text

    def _address(self, text: str) -> str:
        try:
            address = ip_interface(text)
        except ValueError:
            if text.endswith(":") and not text.endswith("::"):  # the sentence goes on behind it
                return f"{self._address(text[:-1])}:"
            return text  # a time, a version
        if address.is_loopback or address.is_unspecified:
            return text
        stands = self.name_for("address", str(address.ip))
        return f"{stands}/{address.network.prefixlen}" if "/" in text else stands

    def _word(self, word: str) -> str:
        kind = self._known.get(word.lower())
        if kind is not None:
            return self.name_for(kind, word)
        if _PARTS.search(word):
            return "".join(
                part if _PARTS.fullmatch(part) else self._word(part) for part in re.split(r"([@+])", word) if part
            )
        if "_" in word and any(part.lower() in self._known for part in word.split("_")):
            return "_".join(self._word(part) for part in word.split("_") if part)
        if _HOST.fullmatch(word) and not _is_ours(word):
            return self.name_for("host", word)
        if "-" in word and any(part.lower() in self._known for part in word.split("-")):
            return "-".join(self._word(part) for part in word.split("-") if part)
        return word

    def _names_of_several_words(self, text: str) -> str:
        if not self._longer:
            return text
        lower, parts, done = text.lower(), list[str](), 0
        if len(lower) != len(text):  # a letter that has no small one of its own
            text = lower
        for found in _WORD.finditer(lower):
            for name in self._longer.get(found[0], ()) if found.start() >= done else ():
                start = found.start() - name.index(found[0])
                if start >= done and lower.startswith(name, start):
                    parts += [text[done:start], self.name_for(self._known[name], name)]
                    done = start + len(name)
                    break
        return "".join([*parts, text[done:]])


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@cache
def _modules() -> frozenset[str]:
    return frozenset(
        {*sys.stdlib_module_names, *packages_distributions(), *settings.INSTALLED_APPS, "rapi", "vncproxy"}
    )


def _is_ours(word: str) -> bool:
    """Whether a word with dots is the name of a module or a file, or a version."""
    return word.partition(".")[0] in _modules() or bool(_FILES.fullmatch(word) or _VERSION.fullmatch(word))


def list_host_names() -> Iterator[tuple[str, str]]:
    """What this host, its user and the services it uses are called."""
    yield from (("host", socket.gethostname()), ("host", socket.getfqdn()))
    yield "person", getpass.getuser()
    for address in (settings.GWM_PUBLIC_URL, settings.REDIS_URL, settings.GWM_CONSOLE_URL, settings.GWM_MAIL_URL):
        yield "host", urlsplit(address).hostname or ""
    yield from (("host", name) for name in settings.ALLOWED_HOSTS)
    yield "host", str(settings.DATABASES["default"].get("HOST") or "")
    yield "address", settings.GWM_BIND


def list_names() -> Iterator[tuple[str, str]]:
    """What people, teams, machines and clusters are called, and were. Raises DatabaseError."""
    of: list[tuple[str, type[Model], tuple[str, ...]]] = [
        ("person", User, ("username", "email", "first_name", "last_name")),
        ("team", Group, ("name",)),
        ("cluster", Cluster, ("slug", "name", "username", "description", "host", "master", "answers_at")),
        ("cluster", FormerSlug, ("slug",)),
        ("node", Node, ("name", "primary_ip", "secondary_ip")),
        ("group", NodeGroup, ("name",)),
        ("network", Network, ("name",)),
        ("machine", VirtualMachine, ("name", "owner_name", "owner_tag")),
        ("template", MachineTemplate, ("name", "description")),
        ("machine", FormerName, ("name",)),
    ]
    for kind, model, columns in of:
        for row in model._default_manager.values_list(*columns).iterator(chunk_size=2000):
            yield from ((kind, str(value)) for value in row if value)
    for user in User.objects.exclude(first_name="", last_name="").values_list("first_name", "last_name").iterator():
        yield "person", " ".join(user).strip()
    last = Event.objects.order_by("-pk").values_list("actor_name", "persona_name", "target_name", "target_kind")
    for actor, persona, target, kind in last[:_LAST_EVENTS]:
        yield from (("person", actor), ("person", persona), (kind or "person", target))
