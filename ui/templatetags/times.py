"""Times as pages show them: how long ago, until when, how long it took, at what o'clock and in which zone.

A built-in library of every template (`TEMPLATES` in settings), since hardly a page has no time on it.
static/js/times.js keeps them true while a page is open. Clock times it writes in the zone that the reader chose in the
profile (the server does, too), else in that of their browser.
"""

from collections.abc import Callable
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ui.moments import by_the_clock, tell, tell_day, tell_short_day
from ui.templatetags.parts import draw, icon
from ui.templatetags.units import DASH, describe_age, describe_wait, duration, span

register = template.Library()


@register.simple_tag
def since(when: datetime | None, prefix: str = "", stamp: str = "", of: int | str = "") -> SafeString:
    """How long ago `when` was, as a `<time>` that ticks; the exact time shows on hover. None: "never".

    A `stamp` of clusters (`of`: their keys), as gwm.views.live.ages tells it, is kept true while the page is open.
    """
    if when is None:
        return draw('<span class="dim">{}</span>', _("never"))
    return draw(
        '<time datetime="{}" title="{}" data-ago{}{}>{}{}</time>',
        when.isoformat(timespec="seconds"),
        tell(when, seconds=True),
        draw(' data-stamp="{} {}"', stamp, of) if stamp else "",
        draw(' data-prefix="{}"', prefix) if prefix else "",
        prefix,
        describe_age(when),
    )


@register.simple_tag
def until(when: datetime) -> SafeString:
    """How long it is until `when`, as a `<time>` that ticks: "in 3 min", then "now"."""
    return draw(
        '<time datetime="{}" title="{}" data-until>{}</time>',
        when.isoformat(timespec="seconds"),
        tell(when, seconds=True),
        describe_wait(when),
    )


@register.simple_tag
def took(started: datetime | None, ended: datetime | None) -> SafeString:
    """How long something took, "3 min 20 s"; while it lasts a `<time>` that ticks; a dash if it has not begun."""
    if started is not None and ended is None:
        return draw(
            '<time datetime="{}" data-lasting>{}</time>',
            started.isoformat(timespec="seconds"),
            span(max(0.0, (timezone.now() - started).total_seconds())),
        )
    return draw("{}", duration(started, ended))


def _clock_time(when: datetime | None, form: str, tell_it: Callable[[datetime], str]) -> SafeString:
    """A time with its zone; `form` tells static/js/times.js how to write it in the reader's own."""
    if when is None:
        return draw('<span class="dim">{}</span>', DASH)
    return draw(
        '<time datetime="{}" title="{}" data-clock="{}">{}</time>',
        when.isoformat(timespec="seconds"),
        tell(when, seconds=True),
        form,
        tell_it(when),
    )


@register.simple_tag
def moment(when: datetime | None) -> SafeString:
    """A point in time in full, "2026-11-23 14:02 UTC"; None is a dash."""
    return _clock_time(when, "moment", tell)


@register.simple_tag
def day(when: datetime) -> str:
    """The day of a moment in figures, "2026-11-23"."""
    return tell_day(when)


@register.simple_tag
def time_of_day(when: datetime) -> SafeString:
    """The time alone, to the second, for lines of a log whose zone is told once beside it."""
    return _clock_time(when, "seconds", lambda moment: f"{by_the_clock(moment):%H:%M:%S}")


@register.simple_tag
def zone() -> SafeString:
    """The zone of the times on this page: the chosen one, else the browser's, or without scripts the service's."""
    return draw("<span data-zone>{}</span>", timezone.localtime().strftime("%Z"))


@register.simple_tag
def clock(when: datetime | None) -> SafeString:
    """A point in time as short as it can be told: "14:02 UTC" today, "22 Nov 14:02 UTC" before; None is a dash."""
    return _clock_time(when, "clock", _tell_shortly)


def _tell_shortly(when: datetime) -> str:
    local = by_the_clock(when)
    is_today = local.date() == timezone.localdate()
    return f"{local:%H:%M %Z}" if is_today else f"{tell_short_day(when)} {local:%H:%M %Z}"


@register.simple_tag
def fresh(when: datetime | None, stale_after_s: int = 180, stamp: str = "", of: int | str = "") -> SafeString:
    """How old the data of this page is; older than `stale_after_s` seconds it turns into a warning. See `since`."""
    if when is None:
        return draw('<span class="fresh is-stale">{}<span>{}</span></span>', icon("s-warn"), _("never updated"))
    old = (timezone.now() - when).total_seconds() > stale_after_s
    return draw(
        '<span class="fresh{}" data-stale-after="{}">{}<span>{} {}</span></span>',
        " is-stale" if old else "",
        stale_after_s,
        icon("clock"),
        _("updated"),
        since(when, stamp=stamp, of=of),
    )
