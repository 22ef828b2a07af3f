"""Every page there is, by the URL resolver: a new address without a line here fails test_every_page.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from clusters.operations import CLUSTER_OPERATIONS, JOB_OPERATIONS, NODE_OPERATIONS
from operations.table import list_operations
from people.operations import PERSON_OPERATIONS
from virtualmachines.operations import TEMPLATE_OPERATIONS, VM_OPERATIONS

# Answers for programs, fragments of pages, and what takes POST only.
NOT_PAGES = {
    *["job-status", "vm-console-ticket", "logout"],
    *["dock", "live-ages", "live-changed", "vms-batch", "batch-do", "end-session", "end-other-sessions"],
    "batch",  # there is none before one is planned: see test_batches.py
    *["names", "view-as-stop"],
    *[
        "template",
        "template-edit",
        "template-journal",
        "template-rights",
        "template-do",
    ],  # nor one of these before it is made
    *["directory-connect", "openid-begin", "openid-back", "openid-connect", "openid-disconnect"],
    *["request", "request-do"],  # nor what somebody asked for
    *["passkey-sign-in", "passkey-options", "passkey-again", "factor-passkey-options", "second-factor"],
    *["factor-remove", "factor-codes"],  # nor what is there of who has a second factor: see test_factors.py
    *["key-do", "token-do", "key-feed", "cluster-key-feed", "vm-key-feed"],
}
CLUSTER = {"slug": "demo"}
NODE = {"slug": "demo", "name": "gnt1.example.org"}
VM = {"slug": "demo", "name": "web1.example.org"}
TEMPLATE = {"slug": "demo", "name": "small"}  # made by the fixture `demo`
PERSON = {"name": "admin"}
TEAM = {"name": "web-team"}  # so is this
STOPPED_VM = {"slug": "demo", "name": "web3.example.org"}
JOB = {"slug": "demo", "number": 0}  # the number is that of a job of the demo's
OBJECTS = {
    "cluster": CLUSTER,
    "node": NODE,
    "vm": VM,
    "job": JOB,
    "template": TEMPLATE,
    "person": PERSON,
    "team": TEAM,
    "site": {},
    "role": {"name": "helpdesk"},
    "new-email": {"token": "nothing"},
    "make-account": {"token": "nothing"},
    "new-password": {"uidb36": "1", "key": "nothing"},
}
OPERATIONS = {"cluster": CLUSTER_OPERATIONS, "node": NODE_OPERATIONS, "vm": VM_OPERATIONS, "job": JOB_OPERATIONS}
OPERATIONS |= {"template": TEMPLATE_OPERATIONS, "person": PERSON_OPERATIONS, "team": list_operations("team")}
OPERATIONS |= {kind: list_operations(kind) for kind in ("site", "role")}
# The same page again in another state.
MORE = {
    "a machine that is stopped": ("vm", STOPPED_VM, ""),
    "the console of a machine that is stopped": ("vm-console", STOPPED_VM, ""),
    "a list filtered to nothing": ("vms", {}, "?q=no-such-machine"),
    "a list with all kinds of states": ("vms", {}, "?cluster=demo"),
    "jobs that failed": ("jobs", {}, "?status=error"),
}


@dataclass(frozen=True)
class Address:
    """A page: what to call it, and where it is; `{number}` stands for a job's."""

    name: str
    path: str

    def for_job(self, number: int) -> str:
        return self.path.replace("/jobs/0/", f"/jobs/{number}/")


def list_pages() -> list[Address]:
    """Every page, each operation's confirmation, and some pages in other states."""
    found = [page for pattern in _patterns(get_resolver()) for page in _pages_of(pattern)]
    more = [Address(name, reverse(view, kwargs=where) + query) for name, (view, where, query) in MORE.items()]
    return [*found, *more, Address("not found", "/no/such/page/")]


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern)
        else:
            yield pattern


def _pages_of(pattern: URLPattern) -> Iterator[Address]:
    name = pattern.name or ""
    if name in NOT_PAGES:
        return
    wanted = set(pattern.pattern.converters)
    kind = next((kind for kind in OBJECTS if name == kind or name.startswith(f"{kind}-")), "")
    where = {key: value for key, value in OBJECTS.get(kind, {}).items() if key in wanted}
    if name.endswith("-do"):
        for operation in OPERATIONS[kind]:
            if not operation.has_own_page:
                yield Address(f"{name} {operation.verb}", reverse(name, kwargs={**where, "verb": operation.verb}))
        return
    yield Address(name, reverse(name, kwargs=where))
