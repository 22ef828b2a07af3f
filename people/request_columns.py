"""What requests can be asked for, and the columns of their list."""

from typing import Any

from django.db.models import Q
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from people.requests import LOOKS, sizes_of, title_of
from permissions.selectors import name_of_persona
from quotas.amounts import DIMENSIONS
from quotas.models import Request
from ui.columns import Column, ago
from ui.filtering import Language, of_choices, of_moment, of_text
from ui.tables import Table, declare
from ui.templatetags.parts import draw, linked, state
from ui.templatetags.places import page
from ui.templatetags.units import DASH

# Parts of the list, and what `state:` can be.
GROUPS: dict[str, tuple[Any, Q]] = {
    "open": (_("Open"), Q(state=Request.State.OPEN)),
    "approved": (_("Approved"), Q(state=Request.State.APPROVED)),
    "declined": (_("Declined"), Q(state=Request.State.DECLINED)),
    "withdrawn": (_("Withdrawn"), Q(state=Request.State.WITHDRAWN)),
}


def _for(name: str) -> Q:
    name = name.removeprefix("@")
    return Q(persona__user__username__icontains=name) | Q(persona__group__name__icontains=name)


def _by(name: str) -> Q:
    return Q(asked_by__username__iexact=name) | Q(asked_by=None, former_asker__iexact=name)


REQUESTS = Language(
    keys={
        "status": of_choices(_("state"), "status:open", {name: each for name, (__, each) in GROUPS.items()}),
        "kind": of_choices(_("quota or machine"), "kind:quota", {kind: Q(kind=kind) for kind in Request.Kind.values}),
        "for": of_text(_("for whom"), "for:web", _for),
        "by": of_text(_("who asked"), "by:alice", _by),
        "cluster": of_text(_("cluster"), "cluster:prod", lambda value: Q(cluster__slug__iexact=value)),
        "asked": of_moment(_("when it was asked"), "asked>2026-11-01", "asked_at"),
    },
    word=lambda value: _for(value) | Q(name__icontains=value) | Q(reason__icontains=value),
    says=_("words, or for: by: status: cluster:"),
)


def _what(asked: Any, _context: Context) -> SafeString:
    return linked(page("request", asked.pk), capfirst(title_of(asked)))


def _who(asked: Any, _context: Context) -> SafeString:
    owner, by = name_of_persona(asked.persona), asked.asker
    if by in ("", owner):
        return draw("{}", owner)
    return draw('{} <span class="dim">{}</span>', owner, gettext("by %s") % by)


def _figure(name: str) -> Any:
    return lambda asked: getattr(asked, name)


REQUEST_TABLE = declare(
    Table(
        name="requests",
        title=_("Requests"),
        kind="request",
        language=REQUESTS,
        order="-asked",
        fields=(
            *("state", "kind", "name", "reason", "cluster__slug", *DIMENSIONS),
            *("persona__user__username", "persona__group__name", "asked_by__username", "former_asker"),
        ),
        columns=(
            Column(
                name="state",
                label=_("State"),
                cell=lambda asked, _context: state(kind=LOOKS[asked.state], word=asked.get_state_display()),
                values={"state": lambda asked: asked.state},
                sort=("state", "-pk"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="what",
                label=_("What"),
                cell=_what,
                values={
                    "number": lambda asked: asked.pk,
                    "kind": lambda asked: asked.kind,
                    "name": lambda asked: asked.name,
                },
                sort=("kind", "name", "-pk"),
                stands="name",
                width=200,
                is_fixed=True,
            ),
            Column(
                name="sizes",
                label=_("How much"),
                cell=lambda asked, _context: sizes_of(asked),
                values={name: _figure(name) for name in DIMENSIONS},
                css="wrap",
                width=340,
            ),
            Column(
                name="reason",
                label=_("What for"),
                cell=lambda asked, _context: Truncator(asked.reason).chars(120),
                values={"reason": lambda asked: asked.reason},
                css="wrap",
                width=240,
                is_extra=True,
            ),
            Column(
                name="for",
                label=_("For"),
                cell=_who,
                values={
                    "for": lambda asked: name_of_persona(asked.persona),
                    "by": lambda asked: asked.asker,
                },
                sort=("persona__user__username", "persona__group__name", "-pk"),
                width=180,
            ),
            Column(
                name="cluster",
                label=_("Cluster"),
                cell=lambda asked, _context: asked.cluster.slug if asked.cluster is not None else DASH,
                values={"cluster": lambda asked: asked.cluster.slug if asked.cluster is not None else ""},
                sort=("cluster__slug", "-pk"),
            ),
            ago("asked_at", name="asked", label=_("Asked")),
            ago("decided_at", name="decided", label=_("Decided"), css="num dim p2"),
        ),
    )
)
