"""Finding what a URL names: what is there by name, what is missing by uuid, what was renamed by its old name."""

from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from clusters.models import Cluster, FormerName, FormerSlug, Mirrored

R = TypeVar("R", bound=Mirrored)


class Moved(Http404):
    """It has another URL now: the same with these parts in it. Answered by `gwm.redirects`; 404 where nobody does."""

    def __init__(self, message: str, **where: Any) -> None:
        super().__init__(message)
        self.where = where


def current_cluster(slug: str) -> Cluster | None:
    """The cluster of this short name, or the one that had it last."""
    found = Cluster.objects.filter(slug=slug).only("slug").first()
    if found is None:
        former = FormerSlug.objects.filter(slug=slug).select_related("cluster").order_by("-until", "-pk").first()
        found = former.cluster if former is not None else None
    return found


def find_row(rows: QuerySet[R], kind: str, slug: str, name: str) -> R:
    """The one of `rows` (those that somebody may see) that `slug` and `name` in a URL mean; one query if it is there.

    A name means what is there under it, else what was to be created and never was. A uuid means its row, there or
    missing. Raises Moved for the name of what was
    renamed, or is missing, where nothing that is there has it; Http404 for all else.
    """
    named = Q(name=name, missing_since__isnull=True) | Q(name=name, uuid="")
    # No order: there are two or three at the most, and Django takes long to put wide rows in one.
    found = list(rows.filter(named | Q(uuid=name), cluster__slug=slug).order_by())
    if found:
        return min(found, key=lambda row: row.name != name or row.is_missing)
    cluster = current_cluster(slug)
    if cluster is not None:
        row = rows.filter(named | Q(uuid=name), cluster=cluster).first() or _find_former(rows, kind, cluster, name)
        if row is not None:
            names = {"old": f"{slug}/{name}", "new": f"{cluster.slug}/{row.address}"}
            message = (
                _("Ganeti no longer lists %(old)s. For what is kept of it, type %(new)s.") % names
                if row.is_missing
                else _("%(old)s is %(new)s now.") % names
            )
            raise Moved(message, slug=cluster.slug, name=row.address)
    raise Http404(_("There is no %(name)s on %(cluster)s that you may see.") % {"name": name, "cluster": slug})


def _find_former(rows: QuerySet[R], kind: str, cluster: Cluster, name: str) -> R | None:
    """What had this name last and was renamed, or else is missing; None if something that is there has it."""
    if rows.model._default_manager.filter(cluster=cluster, name=name, missing_since__isnull=True).exists():
        return None
    former = FormerName.objects.filter(cluster=cluster, kind=kind, name=name).order_by("-until", "-pk")
    keys = list(former.values_list("target_pk", flat=True))
    renamed = rows.filter(cluster=cluster).in_bulk(keys)
    return next((renamed[key] for key in keys if key in renamed), None) or (
        rows.filter(cluster=cluster, name=name).order_by("-missing_since", "-pk").first()
    )
