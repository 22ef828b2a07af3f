"""Reading templates: always for somebody, and only those of clusters on which they may create machines, or audit."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from clusters.models import Cluster
from permissions.models import User
from permissions.policy import visible
from virtualmachines.models import MachineTemplate

#: what stands in URLs and on the command line for the cluster of a template that is for any
ANY = "-"
PLACE_OF_TEMPLATE = ("name", "cluster__slug")


def list_templates(user: User) -> QuerySet[MachineTemplate]:
    """The templates `user` may see."""
    there = Q(cluster__isnull=True)
    for verb in ("create_vm", "audit"):
        there |= Q(cluster__in=visible(user, verb, Cluster.objects.order_by()).values("pk"))
    return visible(user, "view", MachineTemplate.objects.all()).filter(there)


def list_templates_with_all(user: User) -> QuerySet[MachineTemplate]:
    """The same with their clusters and owners: for pages of one template."""
    related = ("cluster", "owner__user", "owner__group")
    return list_templates(user).select_related(*related).defer("cluster__info", "cluster__operating_systems")


def pick_template(rows: QuerySet[MachineTemplate], slug: str, name: str) -> MachineTemplate:
    """The one of `rows` with this name for this cluster, or for any. Http404."""
    which: dict[str, Any] = {"cluster__isnull": True} if slug == ANY else {"cluster__slug": slug}
    found = rows.filter(name=name, **which).first()
    if found is None:
        raise Http404(_("There is no template %(name)s that you may see.") % {"name": f"{slug}/{name}"})
    return found


def get_template(user: User, slug: str, name: str) -> MachineTemplate:
    """One template with what `list_templates_with_all` gives. Http404."""
    return pick_template(list_templates_with_all(user), slug, name)


def find_template_called(user: User, called: str) -> MachineTemplate | None:
    """The template that is called so, cluster/name or -/name, if `user` may see it."""
    slug, _slash, name = called.strip().partition("/")
    try:
        return get_template(user, slug, name)
    except Http404:
        return None


def list_choices(user: User) -> list[tuple[str, str]]:
    """Those that `user` may use, as one types them and as they are shown. One query."""
    rows = visible(user, "use", list_templates(user)).order_by("name", "pk").values_list("cluster__slug", "name")
    return [(f"{slug or ANY}/{name}", f"{name} ({slug or _('any cluster')})") for slug, name in rows]


def cluster_of_called(text: str) -> str:
    """The short name of the cluster of a template that is called so; empty for any."""
    slug = text.strip().partition("/")[0]
    return "" if slug == ANY else slug


def place_of_template(template: MachineTemplate) -> tuple[str, str]:
    """What its URL calls it."""
    return template.cluster.slug if template.cluster is not None else ANY, template.name


def called(template: MachineTemplate) -> str:
    """How one types it."""
    return "/".join(place_of_template(template))
