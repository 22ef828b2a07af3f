"""What stands below a list: which of its rows are shown, of how many, and where its pages end."""

from typing import Any

from django import template
from django.core.paginator import Page
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ui.paging import Pages
from ui.templatetags.units import DASH, count

register = template.Library()


@register.simple_tag
def rows_in_all(page: Page[Any]) -> str:
    """The number of a list's rows, as far as they were counted."""
    pages = page.paginator
    if isinstance(pages, Pages) and pages.is_more:
        return _("more than %(number)s") % {"number": count(pages.deepest)}
    return count(pages.count)


@register.simple_tag
def page_position(page: Page[Any], noun: str) -> str:
    """Which rows of a list a page shows, and of how many; `noun` is one of machines, nodes, clusters, jobs,
    templates, people, teams, members, batches, requests, entries."""
    total = page.paginator.count
    if noun == "machines":
        said = ngettext("%(rows)s of %(total)s machine", "%(rows)s of %(total)s machines", total)
    elif noun == "nodes":
        said = ngettext("%(rows)s of %(total)s node", "%(rows)s of %(total)s nodes", total)
    elif noun == "jobs":
        said = ngettext("%(rows)s of %(total)s job", "%(rows)s of %(total)s jobs", total)
    elif noun == "clusters":
        said = ngettext("%(rows)s of %(total)s cluster", "%(rows)s of %(total)s clusters", total)
    elif noun == "templates":
        said = ngettext("%(rows)s of %(total)s template", "%(rows)s of %(total)s templates", total)
    elif noun == "people":
        said = ngettext("%(rows)s of %(total)s account", "%(rows)s of %(total)s accounts", total)
    elif noun == "teams":
        said = ngettext("%(rows)s of %(total)s team", "%(rows)s of %(total)s teams", total)
    elif noun == "members":
        said = ngettext("%(rows)s of %(total)s member", "%(rows)s of %(total)s members", total)
    elif noun == "batches":
        said = ngettext("%(rows)s of %(total)s batch", "%(rows)s of %(total)s batches", total)
    elif noun == "requests":
        said = ngettext("%(rows)s of %(total)s request", "%(rows)s of %(total)s requests", total)
    else:
        said = ngettext("%(rows)s of %(total)s entry", "%(rows)s of %(total)s entries", total)
    return said % {"rows": f"{count(page.start_index())}{DASH}{count(page.end_index())}", "total": rows_in_all(page)}


@register.simple_tag
def pages_end(page: Page[Any]) -> str:
    """Why the last page is not the end of the list; empty where it is."""
    pages = page.paginator
    if not isinstance(pages, Pages) or not pages.is_cut:
        return ""
    shown = pages.num_pages * pages.per_page
    return _("Only the first %(number)s are paged through: narrow it down with a filter, or turn the order round.") % {
        "number": count(shown)
    }
