"""The clusters in the navigation, drawn here and not in a template: a hundred of them stand on every page."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from ui.templatetags.parts import draw, icon
from ui.templatetags.units import count

register = template.Library()

_ICONS = {"ok": ("s-ok", "is-ok"), "bad": ("s-bad", "is-bad"), "warn": ("s-warn", "is-warn")}


@register.simple_tag
def cluster_links(clusters: Iterable[Any], current_path: str) -> SafeString:
    """An item for each, which has label, url, kind, word and count; marked is the one whose page this is."""
    return mark_safe("\n".join(_item(each, each.url == current_path) for each in clusters))  # noqa: S308 - drawn parts


def _item(cluster: Any, is_current: bool) -> SafeString:
    name, css = _ICONS.get(cluster.kind, ("s-unknown", ""))
    return draw(
        '<li><a href="{}"{} title="{}">{}<span>{}</span>{}</a></li>',
        cluster.url,
        mark_safe(' aria-current="page"') if is_current else "",
        cluster.word,
        icon(name, css=css, title=cluster.word),
        cluster.label,
        "" if cluster.count is None else draw('<span class="nav-count">{}</span>', count(cluster.count)),
    )
