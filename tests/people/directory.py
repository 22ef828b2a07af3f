"""A real LDAP directory on this machine, with people and groups, and somebody with a browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ldap
import ldap.modlist
import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import translation
from ldap.controls.simple import ManageDSAITControl

from objectlog.models import Event
from people.directory.described import Directory
from permissions.models import User
from tools.directory import ADMIN, SECRET, SUFFIX, Slapd, running_directory

PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
PASSWORD = "directory password 1"


class Tree:
    """What is in the directory; a test changes it and it is made anew for the next."""

    def __init__(self, server: Slapd) -> None:
        self.server = server
        self._link: Any = None

    @property
    def link(self) -> Any:
        if self._link is None:
            self._link = ldap.initialize(self.server.url)
            self._link.simple_bind_s(ADMIN, SECRET)
            # A reference is an entry to us.
            self._link.set_option(ldap.OPT_SERVER_CONTROLS, [ManageDSAITControl()])
        return self._link

    def forget(self) -> None:
        """The connection: the server was stopped."""
        self._link = None

    def clear(self) -> None:
        try:
            found = self.link.search_s(SUFFIX, ldap.SCOPE_SUBTREE, attrlist=["1.1"])
        except ldap.NO_SUCH_OBJECT:
            return
        for dn, _values in sorted(found, key=lambda each: -len(ldap.dn.str2dn(each[0]))):
            self.link.delete_s(dn)

    def fill(self) -> None:
        """Root of the tree, and the two places."""
        self.clear()
        self.add(SUFFIX, objectClass=["dcObject", "organization"], dc="example", o="Example")
        for dn, name in ((PEOPLE, "people"), (GROUPS, "groups")):
            self.add(dn, objectClass="organizationalUnit", ou=name)

    def add(self, dn: str, **values: Any) -> None:
        lists = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
        as_bytes = {n: [v if isinstance(v, bytes) else v.encode() for v in some] for n, some in lists.items()}
        self.link.add_s(dn, ldap.modlist.addModlist(as_bytes))

    def person(self, name: str, under: str = PEOPLE, **values: Any) -> str:
        """Somebody with the usual password."""
        dn = f"uid={ldap.dn.escape_dn_chars(name)},{under}"
        given = {"uid": name, "cn": name, "sn": name.title(), "userPassword": PASSWORD, **values}
        self.add(dn, objectClass="inetOrgPerson", **given)
        return dn

    def group(self, name: str, *members: str) -> str:
        dn = f"cn={name},{GROUPS}"
        self.add(dn, objectClass="groupOfNames", cn=name, member=list(members) or [ADMIN])
        return dn

    def service(self, name: str, password: str) -> str:
        """Who may read and is not root, so that limits hold."""
        dn = f"cn={name},{SUFFIX}"
        self.add(dn, objectClass=["organizationalRole", "simpleSecurityObject"], cn=name, userPassword=password)
        return dn

    def change(self, dn: str, **values: Any) -> None:
        lists = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
        self.link.modify_s(dn, [(ldap.MOD_REPLACE, n, [v.encode() for v in some]) for n, some in lists.items()])


@contextmanager
def running_tree(more: str = "", within: str = "") -> Iterator[Tree]:
    with running_directory(more, within) as server:
        yield Tree(server)


def describe(server: Slapd, **more: Any) -> Directory:
    """The directory as the file describes it."""
    given = {
        "servers": (server.tls_url,),
        "base": PEOPLE,
        "group_base": GROUPS,
        "name": "Corporate directory",
        "bind_dn": ADMIN,
        "bind_password": SECRET,
        "ca_file": server.ca_file,
        "adds_accounts": True,
        "connect_s": 2,
        "answer_s": 2,
        **more,
    }
    return Directory(**given)


def sign_in(name: str, password: str = PASSWORD, client: Client | None = None) -> Any:
    """What the sign-in page answers."""
    return (client or Client()).post("/login/", {"login": name, "password": password})


def is_in(answer: Any) -> bool:
    return bool(answer.status_code == 302)


def who_is(client: Client) -> str:
    """Whose the session is."""
    found = User.objects.filter(pk=client.session.get("_auth_user_id") or 0).first()
    return found.username if found is not None else ""


def said() -> list[tuple[str, str, str]]:
    """What the journal says, in English: verb, outcome, words."""
    with translation.override("en"):
        return [(event.verb, event.outcome, event.said) for event in Event.objects.order_by("pk")]


@pytest.fixture
def tree(running: Tree) -> Iterator[Tree]:
    """What a module's directory (`running`) has in it, made anew, with nothing counted."""
    running.fill()
    cache.clear()
    yield running
    cache.clear()


@pytest.fixture
def use(tree: Tree, settings: Any) -> Callable[..., Directory]:
    """Makes it the directory, with what a test says of it."""

    def make_it_so(**more: Any) -> Directory:
        there = settings.GWM_DIRECTORY = describe(tree.server, **more)
        settings.AUTHENTICATION_BACKENDS = [
            "django.contrib.auth.backends.ModelBackend",
            "people.directory.backend.DirectoryBackend",
        ]
        return there

    make_it_so()
    return make_it_so
