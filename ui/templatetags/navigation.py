"""What pages have much of, drawn here and not in a template: the clusters in the navigation, a hundred of them, the
jobs in the dock, and those that failed.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from ui.places import page_of
from ui.templatetags.parts import draw, icon, job_state
from ui.templatetags.times import since
from ui.templatetags.units import DASH, count

register = template.Library()

_ICONS = {"ok": ("s-ok", "is-ok"), "bad": ("s-bad", "is-bad"), "warn": ("s-warn", "is-warn")}


@register.simple_tag
def cluster_links(clusters: Iterable[Any], current_path: str) -> SafeString:
    """An item for each, which has label, url, kind, word and count; marked is the one whose page this is."""
    items = [
        _item(
            *(each.url, each.label, each.kind, each.word),
            "" if each.count is None else count(each.count),
            is_current=each.url == current_path,
        )
        for each in clusters
    ]
    return mark_safe("\n".join(items))  # noqa: S308 - drawn parts


# The same ones on every page.
@lru_cache(maxsize=1024)
def _item(url: str, label: str, kind: str, word: str, counted: object, *, is_current: bool) -> SafeString:
    name, css = _ICONS.get(kind, ("s-unknown", ""))
    return draw(
        '<li><a href="{}"{} title="{}">{}<span>{}</span>{}</a></li>',
        url,
        mark_safe(' aria-current="page"') if is_current else "",
        word,
        icon(name, css=css, title=word),
        label,
        draw('<span class="nav-count">{}</span>', counted) if counted else "",
    )


@register.simple_tag
def dock_rows(jobs: Iterable[Any]) -> SafeString:
    """A row for each, which has title, url, status, cluster, by and started_at."""
    cluster, by, started = _("Cluster"), _("By"), _("Started")
    rows = [
        draw(
            _ROW,
            job_state(job.status),
            *(job.url, job.title),
            *(cluster, job.cluster),
            *(by, job.by or DASH),
            *(started, since(job.started_at)),
        )
        for job in jobs
    ]
    return mark_safe("".join(rows))  # noqa: S308 - drawn parts


@register.simple_tag
def failed_rows(jobs: Iterable[Any]) -> SafeString:
    """A row for each job that failed, with what it said, cut to what can be read here."""
    rows = [
        draw(
            _FAILED_ROW,
            job_state(job.status),
            page_of("job", job.cluster, job.ganeti_id),
            job.title or _("Job"),
            draw('<span class="sub">{}</span>', Truncator(job.error).chars(_SAID)) if job.error else "",
            since(job.ended_at),
        )
        for job in jobs
    ]
    return mark_safe("".join(rows))  # noqa: S308 - drawn parts


_SAID = 140
_FAILED_ROW = (
    '<tr><td class="state-col">{}</td><td class="name is-wide"><a href="{}">{}</a>{}</td>'
    '<td class="num dim">{}</td></tr>\n'
)
_ROW = (
    '<tr><td class="state-col">{}</td><td class="name"><a href="{}">{}</a></td><td data-label="{}">{}</td>'
    '<td data-label="{}">{}</td><td class="num" data-label="{}">{}</td></tr>\n'
)
