"""What of a quota is used, as a bar with figures."""

from django import template
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from people.usage import Figure
from ui.templatetags.parts import draw, meter

register = template.Library()


@register.simple_tag
def usage_meter(figure: Figure, say: str = "") -> SafeString:
    """The bar of a figure; `say` instead of its label where a header shows that."""
    over = _("exceeded by %s") % figure.tell(figure.over) if say and figure.over else ""
    return meter(
        figure.used,
        figure.limit,
        label="" if say else label_of(figure),
        held=figure.claimed,
        figures=over or tell_figure(figure),
        say=f"{figure.label}: {say}" if say else "",
        calm=figure.over == 0,
    )


@register.filter
def label_of(figure: Figure) -> str:
    """What it counts, as a heading says it."""
    return str(figure.label) if figure.name == "vcpus" else capfirst(str(figure.label))


@register.simple_tag
def limit_of(figure: Figure) -> str:
    """The limit of a figure, with its unit."""
    return _("no limit") if figure.limit is None else figure.tell(figure.limit)


@register.simple_tag
def trend(figure: Figure) -> SafeString:
    """The last 90 days of a figure as a line, and in words; nothing where nothing was kept."""
    if figure.trend is None:
        return draw("")
    told = {"most": figure.tell(figure.trend.most), "day": f"{figure.trend.when:%Y-%m-%d}"}
    return draw(
        '<div class="trend"><span>{}</span><svg viewBox="0 0 90 30" preserveAspectRatio="none" aria-hidden="true">'
        '<path d="{}"/></svg><span class="muted">{}</span></div>',
        label_of(figure),
        figure.trend.path,
        _("at most %(most)s, on %(day)s") % told,
    )


def tell_figure(figure: Figure) -> str:
    """What is used and what may be, in words."""
    now = figure.tell(figure.used + figure.claimed)
    if figure.limit is None:
        return _("%(now)s, no limit") % {"now": now}
    if figure.over:
        told = {"now": now, "limit": figure.tell(figure.limit), "over": figure.tell(figure.over)}
        return _("%(now)s of %(limit)s, exceeded by %(over)s") % told
    return _("%(now)s of %(limit)s") % {"now": now, "limit": figure.tell(figure.limit)}
