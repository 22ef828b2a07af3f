"""Reading clusters and what belongs to them: always for somebody, and only what they may see (else Http404)."""

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from clusters.models import Cluster, Job, Node
from permissions.models import User
from permissions.policy import visible


def list_clusters(user: User) -> QuerySet[Cluster]:
    """The clusters on which `user` holds any right."""
    return visible(user, "view", Cluster.objects.all())


def get_cluster(user: User, slug: str) -> Cluster:
    """One cluster by its short name; Http404 if there is none that `user` may see."""
    return get_object_or_404(list_clusters(user), slug=slug)


def list_nodes(user: User) -> QuerySet[Node]:
    """The nodes `user` may see, with their cluster and group."""
    return visible(user, "view", Node.objects.select_related("cluster", "group"))


def get_node(user: User, slug: str, name: str) -> Node:
    """One node; one that is there before one of the same name that is missing. Http404."""
    found = list(list_nodes(user).filter(cluster__slug=slug, name=name))
    if not found:
        raise Http404(f"There is no node {name} on {slug} that you may see.")
    return min(found, key=lambda node: (node.missing_since is not None, -node.pk))


def list_jobs(user: User) -> QuerySet[Job]:
    """The jobs `user` may see: those of clusters they run, and those that touch their machines."""
    return visible(user, "view", Job.objects.select_related("cluster", "entry"))


def get_job(user: User, slug: str, number: int) -> Job:
    """One job by Ganeti's number; Http404 if there is none that `user` may see."""
    return get_object_or_404(list_jobs(user), cluster__slug=slug, ganeti_id=number)
