"""A machine from an export: by a check of a creation Ganeti is asked what it holds, and the form is filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from operations.contract import Actor, Ask
from operations.pipeline import run
from virtualmachines.exports import KeptExport, find_exported
from virtualmachines.operations.creating import Create, CreateParams
from virtualmachines.rules import Facts
from virtualmachines.rules.names import explain_name
from virtualmachines.rules.placing import MIRRORED
from virtualmachines.spec import NicSpec, Options, Placement, VMSpec
from virtualmachines.spec.exports import with_told

_MOST_TRIES = 9


def ask_what_it_holds(actor: Actor, cluster: Any, facts: Facts, export: KeptExport, asked: str) -> HttpResponse:
    """To the page that waits for the answer. Raises Forbidden, Invalid and Refusal. `asked`: the request it is for.

    While the exported machine is there, Ganeti refuses its cards (the MAC addresses), and they are known here.
    """
    is_there = find_exported(actor.user, cluster, export.name) is not None
    spec = VMSpec(
        _free_name(export.name, cluster.pk),
        nics=(NicSpec(),) if is_there else (),
        source=export.source,
        placement=_anywhere(facts, export.node),
        options=Options(start=False),
    )
    entry = run(Create(), Ask(actor, cluster, CreateParams(spec, asked=asked), dry_run=True))
    return redirect(f"{reverse('vms-create')}?{urlencode({'check': str(entry.uuid), 'read': '1'})}")


def is_reading(request: HttpRequest) -> bool:
    """Whether the page is about a check that was asked only to learn what an export holds."""
    return "read" in request.GET


def filled_in(asked: VMSpec, told: VMSpec | None, cluster_pk: int) -> VMSpec:
    """The machine for the form: what Ganeti told; the export's name, if it is free; and no place yet."""
    name = asked.source.path if asked.source is not None else ""
    name = "" if explain_name(name, cluster_pk) else name
    spec = replace(asked, name=name, nics=(), placement=Placement(), options=Options())
    return spec if told is None else with_told(spec, told)


def explain_unread(entry: Any) -> str:
    """Why nothing is known of what the export holds."""
    if not entry.quotes_ganeti:
        return str(entry.message)
    return _("Ganeti could not read the export: %s") % (entry.message or _("no reason given"))


def _free_name(name: str, cluster_pk: int) -> str:
    """One that the check can be asked with: nothing is made."""
    names = [name, *(f"copy{number}-of-{name}" for number in range(1, _MOST_TRIES))]
    return next((each for each in names if not explain_name(each, cluster_pk)), names[-1])


def _anywhere(facts: Facts, node: str) -> Placement:
    """Where Ganeti can think of it: the allocator chooses, or it is the node that keeps the export."""
    if facts.allocator:
        return Placement()
    others = [name for name, each in facts.nodes.items() if name != node and not each.trouble]
    is_mirrored = facts.defaults.disk_template == MIRRORED
    return Placement(node, others[0] if is_mirrored and others else "")
