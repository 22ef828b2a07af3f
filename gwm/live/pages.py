"""What each page shows, by the name of its URL: the topics of its note. Every page has a row, if an empty one.

In a topic `{vm}` stands for the key of the machine that the page is about, `{cluster}`, `{node}` and `{job}` likewise,
and `{about}` for what the jobs on it are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from gwm.live.note import Note, now
from permissions.models import User
from permissions.sessions import mark_of


@dataclass(frozen=True)
class Shows:
    """`page` are the topics of the work area, `ages` the clusters whose age stands on it, `jobs` whether jobs do."""

    page: tuple[str, ...] = ()
    ages: str = ""
    jobs: bool = False


_VM = ("vm:{vm}", "cluster:{cluster}", "hosts:{cluster}")
_NODE = ("node:{node}", "cluster:{cluster}")
_CLUSTER = ("cluster:{cluster}", "hosts:{cluster}")
_HERE, _ALL = "age:{cluster}", "age:*"

PAGES: dict[str, Shows] = {
    "overview": Shows(("vms:*", "nodes:*", "cluster:*", "jobs:*", "asked:*"), _ALL),
    "vms": Shows(("vms:*", "cluster:*", "hosts:*", "people:*"), _ALL),
    "vm": Shows((*_VM, "of:{about}", "people:*"), _HERE, jobs=True),
    "vm-actions": Shows(_VM, _HERE),
    "vm-parameters": Shows(_VM, _HERE),
    "vm-console": Shows(_VM, _HERE),
    "vm-jobs": Shows((*_VM, "of:{about}"), _HERE, jobs=True),
    "vm-journal": Shows((*_VM, "journal:vm:{vm}"), _HERE),
    "vm-rights": Shows((*_VM, "journaled:{cluster}"), _HERE),
    "cluster-rights": Shows((*_CLUSTER, "journaled:{cluster}"), _HERE),
    "cluster-journal": Shows((*_CLUSTER, "journaled:{cluster}"), _HERE),
    "node-journal": Shows((*_NODE, "journal:node:{node}"), _HERE),
    "reconciliation": Shows(("vms:*", "nodes:*", "cluster:*", "people:*"), _ALL),
    "cluster-reconciliation": Shows((*_CLUSTER, "vms:{cluster}", "nodes:{cluster}", "people:*"), _HERE),
    "templates": Shows(("templates:*", "cluster:*", "people:*")),
    "template": Shows(("template:{template}", "people:*")),
    "template-rights": Shows(("template:{template}", "people:*", "journal:template:{template}")),
    "team-keys": Shows(("people:*",)),
    "template-journal": Shows(("template:{template}", "journal:template:{template}")),
    "teams": Shows(("people:*",)),
    "team": Shows(("people:*", "journal:team:{team}")),
    "team-vms": Shows(("people:*", "vms:*", "cluster:*", "hosts:*"), _ALL),
    "team-rights": Shows(("people:*", "journal:team:{team}")),
    "team-usage": Shows(("people:*", "vms:*", "quotas:*")),
    "usage": Shows(("people:*", "vms:*", "quotas:*")),
    "requests": Shows(("asked:*", "people:*", "cluster:*")),
    "request": Shows(("asked:{asked}", "people:*", "cluster:*", "vms:*", "quotas:*")),
    "cluster-quotas": Shows((*_CLUSTER, "vms:{cluster}", "quotas:{cluster}", "people:*"), _HERE),
    "team-journal": Shows(("people:*", "journal:team:{team}")),
    "clusters": Shows(("cluster:*", "nodes:*", "vms:*"), _ALL),
    "cluster": Shows((*_CLUSTER, "age:{cluster}", "nodes:{cluster}", "vms:{cluster}", "networks:{cluster}"), _HERE),
    "cluster-parameters": Shows(_CLUSTER, _HERE),
    "cluster-vms": Shows((*_CLUSTER, "vms:{cluster}", "people:*"), _HERE),
    "cluster-nodes": Shows((*_CLUSTER, "nodes:{cluster}"), _HERE),
    "cluster-jobs": Shows((*_CLUSTER, "jobs:{cluster}"), _HERE),
    "nodes": Shows(("nodes:*", "cluster:*"), _ALL),
    "node": Shows((*_NODE, "vms:{cluster}", "nodes:{cluster}"), _HERE),
    "node-primary": Shows((*_NODE, "vms:{cluster}", "people:*"), _HERE),
    "node-secondary": Shows((*_NODE, "vms:{cluster}", "people:*"), _HERE),
    "node-jobs": Shows((*_NODE, "of:{about}"), _HERE, jobs=True),
    "jobs": Shows(("jobs:*", "cluster:*")),
    "job": Shows(("job:{job}", "cluster:{cluster}"), jobs=True),
    "batches": Shows(("batches:*",)),
    "batch": Shows(("batch:{batch}",)),
    "journal": Shows(("journal:*",)),
    "people": Shows(("account:*", "machines:*")),
    "person": Shows(("account:{person}", "rights:{person}", "machines:*")),
    "person-usage": Shows(("account:{person}", "vms:*", "quotas:*")),
    "person-rights": Shows(("account:{person}", "rights:{person}", "rights:groups")),
    "person-journal": Shows(("account:{person}", "journal:*")),
    "site-rights": Shows(("rights:groups", "people:*")),
    "health": Shows(("cluster:*", "hosts:*"), _ALL),
}
FRAME = ("machines:*", "hosts:*", "cluster:*", "jobs:*")
# Forms, and what shows nothing of ours: around them the frame is renewed, they themselves are not.
STILL = frozenset(
    {
        "about",
        "change-password",
        "own-keys",
        "person-keys",
        "key-do",
        "request-do",
        "ask-quota",
        "ask-machine",
        "own-tokens",
        "person-tokens",
        "token-do",
        "key-feed",
        "cluster-key-feed",
        "vm-key-feed",
        "connections",
        "directory-connect",
        "openid-begin",
        "register",
        "register-sent",
        "make-account",
        "openid-back",
        "openid-connect",
        "openid-disconnect",
        "forgot-password",
        "forgot-password-sent",
        "new-password",
        "lists",
        "explain",
        "styleguide",
        "cluster-add",
        "cluster-edit",
        "cluster-do",
        "vm-do",
        "vm-modify",
        "vm-modify-confirm",
        "node-do",
        "job-do",
        "batch-do",
        "vms-batch",
        "reconciliation-batch",
        "vms-create",
        "template-create",
        "template-edit",
        "template-do",
        "person-add",
        "person-do",
        "team-create",
        "team-do",
        "site-do",
        "role-create",
        "role-do",
        "names",
        "acting",
        "view-as",
        "view-as-stop",
        "change-email",
        "password-again",
        "passkey-again",
        "second-factor",
        "passkey-sign-in",
        "passkey-options",
        "factors",
        "factor-app",
        "factor-passkey",
        "factor-passkey-options",
        "factor-codes",
        "factor-remove",
        "new-email",
        "profile",
        "end-session",
        "end-other-sessions",
    }
)
_OBJECTS = ("vm", "cluster", "node", "job", "batch", "template", "person", "team", "asked")


def note_for(request: HttpRequest, user: User, context: Mapping[str, Any]) -> Note:
    """The note of the page that answers `request`."""
    match = request.resolver_match
    is_itself = match is not None and not context.get("is_answer")  # not one that says why there is none
    shows = PAGES.get(match.url_name or "", Shows()) if match is not None and is_itself else Shows()
    names = _names(context)
    rights = (f"rights:{user.pk}", "rights:groups")
    page = [*_fill(shows.page, names), *(_jobs_in(context) if shows.jobs else ())]
    return Note(
        user.pk,
        mark_of(request),
        getattr(request, "arrived_at", None) or now(),
        tuple(dict.fromkeys([*page, *rights])) if page else (),
        (*FRAME, *rights),
        tuple(_fill((shows.ages,), names)) if shows.ages else (),
    )


def _names(context: Mapping[str, Any]) -> dict[str, str]:
    found = {name: context.get(name) for name in _OBJECTS}
    if found["cluster"] is None and found["job"] is not None:
        found["cluster"] = found["job"].cluster
    names = {name: str(each.pk) for name, each in found.items() if each is not None}
    for name, kind in (("vm", "instance"), ("node", "node")):
        if (each := found[name]) is not None:
            names["about"] = f"{kind}:{each.pk}"
    return names


def _fill(topics: Iterable[str], names: Mapping[str, str]) -> Iterator[str]:
    """Topics with keys for names; what the page turned out not to be about is left out."""
    for topic in topics:
        try:
            yield topic.format_map(names)
        except KeyError:
            continue


def _jobs_in(context: Mapping[str, Any]) -> Iterator[str]:
    """The jobs that stand on the page: in its list, in the panel of work, as holders of what one waits for."""
    page = context.get("page")
    for job in page.object_list if page is not None else ():
        yield f"job:{job.pk}"
    for each in context.get("work") or ():
        yield f"job:{each['job'].pk}"
    for lock in context.get("waiting") or ():
        for _number, holder in lock["holders"]:
            if holder is not None:
                yield f"job:{holder.pk}"
