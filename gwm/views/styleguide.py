"""The style guide: every part of the pages in every state, on one page, for those who work on the look."""

import re
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gwm.views.sample_pieces import list_pieces
from permissions.policy import can
from ui.paging import Pages

ICON_SHEET = settings.BASE_DIR / "static" / "img" / "icons.svg"

SWATCHES = {
    "Surfaces": ("bg", "panel", "sunken", "raised", "hover", "line", "line-strong", "field-line"),
    "Ink": ("text", "muted", "faint", "accent", "accent-soft"),
    "States": ("ok", "off", "busy", "warn", "bad", "ok-soft", "off-soft", "busy-soft", "warn-soft", "bad-soft"),
    "Meters": ("meter-used", "meter-held", "meter-warn", "meter-bad", "meter-track"),
}


class SampleForm(forms.Form):
    """A form with every kind of field."""

    host = forms.CharField(label="Host name", help_text="The cluster's own name, as in the output of gnt-cluster info.")
    port = forms.IntegerField(label="Port", initial=5080)
    user = forms.CharField(label="RAPI user", required=False, help_text="Without one the cluster can only be read.")
    password = forms.CharField(label="Password", widget=forms.PasswordInput, required=False)
    trust = forms.ChoiceField(
        label="Trust the certificate by",
        choices=[
            ("pin", "its fingerprint"),
            ("ca", "custom CA"),
            ("system", "this system's authorities"),
        ],
        widget=forms.RadioSelect,
        initial="pin",
    )
    kind = forms.ChoiceField(label="Reboot", choices=[("hard", "Hard"), ("soft", "Soft"), ("full", "Full")])
    notes = forms.CharField(label="Notes", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    read_only = forms.BooleanField(
        label="Read only", required=False, help_text="Show everything and change nothing on it."
    )


class SampleConfirm(forms.Form):
    """What a shut-down asks for."""

    timeout_s = forms.IntegerField(label="Wait for the guest", initial=120, help_text="Seconds; then it is cut off.")


def _machine(state: str, name: str, cluster: str, owner: str, node: str, os: str, **rest: Any) -> SimpleNamespace:
    """A row of the sample list; sizes in MiB."""
    return SimpleNamespace(state=state, name=name, cluster=cluster, owner=owner, node=node, os=os, **rest)


def _machines() -> list[SimpleNamespace]:
    """A sample list with a machine in every state."""
    web, db = {"vcpus": 2, "memory": 4096, "disk": 40_960}, {"vcpus": 8, "memory": 32_768, "disk": 819_200}
    return [
        _machine("running", "web1.prod.example.org", "prod", "web-team", "node3", "Debian 12", chips=["web"], **web),
        _machine("running", "web2.prod.example.org", "prod", "web-team", "node1", "Debian 12", chips=["web"], **web),
        _machine("migrating", "db2.prod.example.org", "prod", "dba", "node2 → node4", "Debian 12", chips=["db"], **db),
        _machine("ADMIN_down", "build7.lab.example.org", "lab", "peter", "lab1", "Fedora 43", chips=[], **web),
        _machine("ERROR_down", "mail.prod.example.org", "prod", "postmaster", "node2", "Debian 12", chips=[], **db),
        _machine("USER_down", "wiki.prod.example.org", "prod", "peter", "node3", "Debian 12", chips=[], **web),
        _machine("ERROR_nodeoffline", "legacy.old.example.org", "old", "", "n7", "Debian 9", chips=[], **web),
        _machine("missing", "ns1.prod.example.org", "prod", "netops", "node1", "Debian 12", chips=["dns"], **web),
        _machine("running", "192.0.2.77", "prod", "netops", "node1", "", chips=[], vcpus=1, memory=None, disk=None),
    ]


def _button(label: str, icon: str, style: str = "", reason: str = "") -> SimpleNamespace:
    """What the tag `action` draws."""
    return SimpleNamespace(
        label=label,
        icon=icon,
        style=style,
        url="#",
        is_page=False,
        allowed=not reason,
        reason=reason,
        name=label.lower().replace(" ", "-"),
    )


def _log(now: datetime) -> list[SimpleNamespace]:
    """Lines of a job."""
    return [
        SimpleNamespace(time=now - timedelta(seconds=9), text="Instance modify", kind=""),
        SimpleNamespace(time=now - timedelta(seconds=8), text="memory size changed from 8192 to 12288 MiB", kind=""),
        SimpleNamespace(time=now - timedelta(seconds=7), text="WARNING: node2 has 6 GiB of memory left", kind="warn"),
        SimpleNamespace(time=now - timedelta(seconds=2), text="ERROR: hypervisor says no", kind="bad"),
    ]


def sample_context(now: datetime) -> dict[str, Any]:
    """Everything that the page shows, as of `now`."""
    bad = SampleForm({"host": "", "port": "rapi", "trust": "pin", "kind": "hard"})
    page = Pages(range(312), 10).get_page(3)
    return {
        "icons": re.findall(r'<symbol id="([^"]+)"', ICON_SHEET.read_text()),
        "swatches": SWATCHES,
        "machines": _machines(),
        "sort": "name",
        "now": now,
        "recent": now - timedelta(seconds=8),
        "old": now - timedelta(minutes=42),
        "soon": now + timedelta(minutes=3),
        "lines": _log(now),
        "form": SampleForm(),
        "bad_form": bad,
        "confirm_form": SampleConfirm(),
        "pieces": list(list_pieces()),
        "page": page,
        "page_range": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "page_sizes": [10, 50, 200],
        "tally": [
            SimpleNamespace(label=label, count=number, of=of, kind=kind, url="#tally")
            for label, number, of, kind in (
                ("Running", 1112, 1247, "ok"),
                ("Stopped", 132, None, "off"),
                ("Crashed", 2, None, "bad"),
                ("Nodes down", 0, None, "bad"),
                ("Missing", 1, None, "warn"),
                ("Jobs in progress", 3, None, "busy"),
            )
        ],
        "tabs": [
            SimpleNamespace(label="Overview", url="#", is_current=True, count=None),
            SimpleNamespace(label="Parameters", url="#", is_current=False, count=None),
            SimpleNamespace(label="Console", url="#", is_current=False, count=None),
            SimpleNamespace(label="Jobs", url="#", is_current=False, count=14),
            SimpleNamespace(label="Journal", url="#", is_current=False, count=1280),
        ],
        "buttons": [
            _button("Console", "screen", "primary"),
            _button("Shut down", "power"),
            _button("Reboot", "restart", reason="It is being migrated: wait for job 18,204 or cancel it."),
        ],
        "menu": [
            SimpleNamespace(label="Settings", buttons=[_button("Rename", "edit")]),
            SimpleNamespace(
                label="Move",
                buttons=[_button("Migrate", "right", reason="Only cluster admins may migrate; ask the owner of prod.")],
            ),
            SimpleNamespace(label="Danger", buttons=[_button("Delete", "trash", "danger")]),
        ],
        "down": SimpleNamespace(
            slug="old",
            unreachable_since=now - timedelta(minutes=41),
            synced_at=now - timedelta(minutes=42),
            last_error="connection timed out",
        ),
        "fingerprint": ":".join("9f3a77c1e02b4d58"[i : i + 2] for i in range(0, 16, 2)).upper(),
    }


@require_safe
@login_required
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every part in every state; for staff."""
    verdict = can(request.user, "see_styleguide")
    if not verdict:
        raise PermissionDenied(verdict.reason)
    return render(request, "gwm/styleguide.html", sample_context(timezone.now()))
