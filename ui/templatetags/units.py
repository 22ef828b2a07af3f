"""Numbers with their units, as people read them.

Sizes are binary (1 GiB = 1024 MiB), with one decimal below 100 from GiB upwards. What Ganeti did not say is a dash,
never a zero. Number and unit stand together: between them is a space that does not break.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ui.said import Voice, in_figures, said, voice

register = template.Library()

DASH = "–"  # noqa: RUF001 (a dash is meant)
SPACE = "\u00a0"

# Symbols of units are the same in every language.
_SIZES = (("TiB", 1024 * 1024), ("GiB", 1024), ("MiB", 1))
_SPANS = (("d", 86_400), ("h", 3_600), ("min", 60))

Number = int | float | None


def _figure(here: Voice, value: float, decimals: bool) -> str:
    """`value` with one decimal below 100 if `decimals`, with thousands separated otherwise."""
    return here.in_figures(value, 1) if decimals and round(value, 1) < 100 else here.in_figures(round(value))


def _unit_for(mib: float) -> tuple[str, int]:
    """The largest unit in which `mib` MiB is at least one."""
    for unit, size in _SIZES:
        if abs(mib) >= size:
            return unit, size
    return _SIZES[-1]


@register.filter
def mib(value: Number) -> str:
    """A size given in MiB: "512 MiB", "4.0 GiB", "1.5 TiB"; None is a dash."""
    return DASH if value is None else _size(voice(), value)


def _size(here: Voice, value: float) -> str:
    unit, size = _unit_for(value)
    return f"{_figure(here, value / size, unit != 'MiB')}{SPACE}{unit}"


def _some_of(here: Voice, some: str, total: str) -> str:
    """Two figures as part and whole: "24 of 40"."""
    return here.said(_SOME_OF) % {"some": some, "total": total}


_SOME_OF = gettext_noop("%(some)s of %(total)s")


@register.simple_tag
def mib_of(used: Number, total: Number) -> str:
    """Two sizes in MiB in the unit of the larger: "41.0 of 50.0 GiB"."""
    return tell_sizes(voice(), used, total)


def tell_sizes(here: Voice, used: Number, total: Number) -> str:
    """The same in a language."""
    if used is None or total is None:
        known = total if used is None else used
        told = DASH if known is None else _size(here, known)
        return told if used is not None or total is None else _some_of(here, DASH, told)
    unit, size = _unit_for(max(used, total))
    if 0 < min(used, total) < size / 10:  # too small to be told in the larger unit
        return _some_of(here, _size(here, used), _size(here, total))
    decimals = unit != "MiB"
    return _some_of(here, _figure(here, used / size, decimals), f"{_figure(here, total / size, decimals)}{SPACE}{unit}")


def count_of(used: Number, total: Number) -> str:
    """Two plain numbers: "24 of 40", or the first alone."""
    return tell_counts(voice(), used, total)


def tell_counts(here: Voice, used: Number, total: Number) -> str:
    """The same in a language."""
    told, of = (DASH if number is None else here.in_figures(number) for number in (used, total))
    return told if total is None else _some_of(here, told, of)


@register.filter
def count(value: Number) -> str:
    """A number with its thousands separated: "1,247"; None is a dash."""
    return DASH if value is None else in_figures(value)


@register.simple_tag
def percent(part: Number, whole: Number) -> str:
    """The share of `part` in `whole`: "82 %"; a dash when either is unknown or the whole is nothing."""
    if part is None or not whole:
        return DASH
    return f"{round(100 * part / whole)}{SPACE}%"


@register.filter
def span(seconds: Number) -> str:
    """A length of time given in seconds: "8 s", "3 min", "2 h", "5 d"; None is a dash."""
    if seconds is None:
        return DASH
    seconds = max(0, seconds)
    for unit, size in _SPANS:
        if seconds >= size:
            return f"{int(seconds // size)}{SPACE}{unit}"
    return f"{int(seconds)}{SPACE}s"


# Clocks of clusters may be ahead of ours by this much before it is worth a word.
_CLOCKS_DIFFER_S = 60


def describe_age(when: datetime | None, now: datetime | None = None) -> str:
    """How long ago `when` was: "8 s ago", "just now"; None is "never".

    What has happened cannot lie ahead: a time that does comes from a clock that is ahead of ours, and says so.
    """
    if when is None:
        return _("never")
    seconds = ((now or datetime.now(UTC)) - when).total_seconds()
    if -_CLOCKS_DIFFER_S < seconds < 2:
        return said(_JUST_NOW)
    if seconds < 0:
        return _("%s ahead of our clock") % span(-seconds)
    return said(_AGO) % span(seconds)


_JUST_NOW, _AGO = gettext_noop("just now"), gettext_noop("%s ago")


def describe_wait(when: datetime, now: datetime | None = None) -> str:
    """How long until `when`: "in 3 min", or "now" when it has come."""
    seconds = (when - (now or datetime.now(UTC))).total_seconds()
    return _("now") if seconds < 1 else _("in %s") % span(seconds)


def duration(started: datetime | None, ended: datetime | None) -> str:
    """How long something took: "2.4 s", "3 min 20 s", "1 h 4 min"; a dash when either end is unknown."""
    if started is None or ended is None:
        return DASH
    seconds = max(0.0, (ended - started).total_seconds())
    if seconds < 10:
        return f"{in_figures(seconds, 1)}{SPACE}s"
    whole = round(seconds)
    units = (*_SPANS, ("s", 1))
    largest = next(at for at, (_unit, size) in enumerate(units) if whole >= size)
    parts = []
    for unit, size in units[largest : largest + 2]:
        parts.append(f"{whole // size}{SPACE}{unit}")
        whole %= size
    return " ".join(parts)


@register.filter
def age(when: datetime | None) -> str:
    """How long ago `when` was, as text; `{% since %}` of `parts` makes it tick."""
    return describe_age(when)


@register.filter
def yes_no(value: bool | None) -> str:
    """A truth value in words; None is a dash."""
    return DASH if value is None else _("yes") if value else _("no")


@register.filter
def item(mapping: Mapping[Any, Any], key: Any) -> Any:
    """One value of a mapping, or nothing."""
    return mapping.get(key)


@register.filter
def as_words(value: Any) -> str:
    """A value of Ganeti's as people read it: yes and no, lists with commas, name=value as on Ganeti's command line."""
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{key}={as_words(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        is_nested = any(isinstance(each, dict | list | tuple) for each in value)
        return ("; " if is_nested else ", ").join(as_words(each) for each in value)
    return str(value)
