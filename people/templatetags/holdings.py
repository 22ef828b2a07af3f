"""Rows of what somebody or a team holds: of these there are many on a page, and each says much."""

from collections.abc import Iterable

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from people.views.holdings import Row
from permissions.policy import Holding
from ui.templatetags.parts import draw
from ui.templatetags.times import moment
from ui.templatetags.units import DASH

register = template.Library()


@register.simple_tag
def holding_rows(rows: Iterable[Row]) -> SafeString:
    """The rows of the table of templates/people/_holdings.html."""
    on, rights, held_by, by, until = _("On"), _("Rights"), _("Held by"), _("By"), _("Until")
    drawn = [
        draw(
            _ROW,
            on,
            _place(row),
            rights,
            draw_held(row.held),
            held_by,
            _("team %(team)s") % {"team": row.held.name} if row.held.is_team else row.held.name,
            by,
            _giver(row.held),
            until,
            _ends(row.held),
            _doors(row),
        )
        for row in rows
    ]
    return mark_safe("".join(drawn))  # noqa: S308 - every value was escaped


@register.simple_tag
def draw_held(held: Holding) -> SafeString:
    """What was given in one way: a role with what narrows it, or rights."""
    if held.role is None:
        return draw('<span class="chips">{}</span>', _joined(draw(_CHIP, verb) for verb in held.verbs))
    narrowed = [_("tag %(tag)s") % {"tag": held.tag}] if held.tag else []
    narrowed += [_("owner %(owner)s") % {"owner": held.owner}] if held.owner else []
    return draw("{} {}", _("role %(role)s") % {"role": held.role}, _joined(draw(_CHIP, each) for each in narrowed))


def _place(row: Row) -> SafeString:
    there = draw('<a href="{}">{}</a>', row.url, row.name) if row.url else draw("{}", row.name)
    if not row.belongs_to:
        return there
    return draw('{} <span class="muted">{}</span>', there, _("on %(name)s") % {"name": row.belongs_to})


def _giver(held: Holding) -> SafeString:
    giver = held.giver or DASH
    return (
        draw('{} <span class="muted">{}</span>', giver, moment(held.granted_at))
        if held.granted_at
        else draw("{}", giver)
    )


def _ends(held: Holding) -> SafeString:
    return _joined(draw("{} {} ", verb, moment(end)) for verb, end in held.ends) or SafeString(DASH)


def _doors(row: Row) -> SafeString:
    doors = []
    if row.change:
        label = _("Change rights on %(on)s") % {"on": row.name}
        doors.append(draw(_DOOR, row.change, row.change, label, _("Change")))
    if row.revoke:
        label = _("Revoke what is held on %(on)s") % {"on": row.name}
        doors.append(draw(_DOOR, row.revoke, row.revoke, label, _("Revoke")))
    return SafeString(" ".join(doors))


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return SafeString("".join(parts))


_CHIP = '<span class="chip">{}</span>'
_ROW = """<tr><td data-label="{}">{}</td><td class="wrap" data-label="{}">{}</td><td data-label="{}">{}</td>
  <td data-label="{}">{}</td><td class="wrap" data-label="{}">{}</td><td class="num">{}</td></tr>
"""
_DOOR = (
    '<a class="btn is-small" href="{}" hx-get="{}" hx-select="#confirm" hx-target="#dialog" hx-swap="innerHTML"'
    ' hx-push-url="false" aria-label="{}">{}</a>'
)
