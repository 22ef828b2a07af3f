"""Numbers with their units, as people read them.

Sizes are binary (1 GiB = 1024 MiB), with one decimal below 100 from GiB upwards. What Ganeti did not say is a dash,
never a zero. Number and unit stand together: between them is a space that does not break.
"""

from datetime import UTC, datetime

from django import template

register = template.Library()

DASH = "–"  # noqa: RUF001 (a dash is meant)
SPACE = "\u00a0"

_SIZES = (("TiB", 1024 * 1024), ("GiB", 1024), ("MiB", 1))
_SPANS = (("d", 86_400), ("h", 3_600), ("min", 60))

Number = int | float | None


def _figure(value: float, decimals: bool) -> str:
    """`value` with one decimal below 100 if `decimals`, with thousands separated otherwise."""
    return f"{value:.1f}" if decimals and round(value, 1) < 100 else f"{round(value):,}"


def _unit_for(mib: float) -> tuple[str, int]:
    """The largest unit in which `mib` MiB is at least one."""
    return next(((unit, size) for unit, size in _SIZES if abs(mib) >= size), _SIZES[-1])


@register.filter
def mib(value: Number) -> str:
    """A size given in MiB: "512 MiB", "4.0 GiB", "1.5 TiB"; None is a dash."""
    if value is None:
        return DASH
    unit, size = _unit_for(value)
    return f"{_figure(value / size, unit != 'MiB')}{SPACE}{unit}"


@register.simple_tag
def mib_of(used: Number, total: Number) -> str:
    """Two sizes in MiB in the unit of the larger: "41.0 of 50.0 GiB"."""
    if used is None or total is None:
        known = mib(total if used is None else used)
        return known if used is not None or total is None else f"{DASH} of {known}"
    unit, size = _unit_for(max(used, total))
    if 0 < min(used, total) < size / 10:  # too small to be told in the larger unit
        return f"{mib(used)} of {mib(total)}"
    decimals = unit != "MiB"
    return f"{_figure(used / size, decimals)} of {_figure(total / size, decimals)}{SPACE}{unit}"


@register.filter
def count(value: Number) -> str:
    """A number with its thousands separated: "1,247"; None is a dash."""
    return DASH if value is None else f"{value:,}"


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
    unit, size = next(((unit, size) for unit, size in _SPANS if seconds >= size), ("s", 1))
    return f"{int(seconds // size)}{SPACE}{unit}"


def describe_age(when: datetime | None, now: datetime | None = None) -> str:
    """How long ago `when` was: "8 s ago", "in 3 min" for what is to come, "just now"; None is "never"."""
    if when is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - when).total_seconds()
    if abs(seconds) < 2:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


@register.filter
def is_past(when: datetime) -> bool:
    """Whether a moment has come."""
    return when <= datetime.now(UTC)


@register.filter
def age(when: datetime | None) -> str:
    """How long ago `when` was, as text; `{% since %}` of `parts` makes it tick."""
    return describe_age(when)


@register.filter
def yes_no(value: bool | None) -> str:
    """A truth value in words; None is a dash."""
    return DASH if value is None else "yes" if value else "no"
