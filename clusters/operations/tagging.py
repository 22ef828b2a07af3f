"""Tags of clusters, as Ganeti keeps them; and what tags of anything have in common."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Cluster
from clusters.operations.ganeti import GanetiOperation
from clusters.tags import find_fault
from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Submission
from permissions.policy import can
from rapi.client import RapiClient
from rapi.shapes.fields import listing
from ui.templatetags.units import DASH


@dataclass(frozen=True)
class TagsParams:
    """Which ones."""

    tags: tuple[str, ...] = ()


def change_of_tags(before: set[str], after: set[str]) -> Change:
    """All tags, before and after."""
    told = [", ".join(sorted(tags)) or DASH for tags in (before, after)]
    return Change("tags", gettext_noop("tags"), told[0], told[1])


def tags_of(cluster: Cluster) -> set[str]:
    """Those of the cluster itself, as it was last read."""
    return {tag for tag in listing(cluster.info.get("tags")) if isinstance(tag, str)}


class _TaggingClusters(GanetiOperation[Cluster, TagsParams]):
    """Its machines, nodes and groups have tags of their own."""

    kind = "cluster"
    needs = "tags"
    icon = "tag"
    locks = False
    can_check = True
    params_type = TagsParams

    def cluster_of(self, target: Cluster) -> Cluster:
        return target

    def check(self, ask: Ask[Cluster, TagsParams]) -> None:
        is_admin = bool(can(ask.actor.user, "admin", ask.target))
        words = find_fault(ask.params.tags, by_admin=is_admin) or self.explain(tags_of(ask.target), ask.params.tags)
        if words:
            raise Invalid({"tags": words})

    def explain(self, there: set[str], tags: tuple[str, ...]) -> str:
        """Why there is nothing to do; empty if there is."""
        raise NotImplementedError

    def after(self, there: set[str], tags: tuple[str, ...]) -> set[str]:
        """All that it has then."""
        raise NotImplementedError

    def changes(self, ask: Ask[Cluster, TagsParams]) -> list[Change]:
        there = tags_of(ask.target)
        return [change_of_tags(there, self.after(there, ask.params.tags))]


class AddClusterTags(_TaggingClusters):
    verb = "add-tags"
    label = gettext_lazy("Add tags")
    noun = gettext_lazy("Adding tags")
    question = gettext_lazy("Add tags to {target}?")
    consequence = gettext_lazy("They are the cluster's own: its machines get none of them.")

    def explain(self, there: set[str], tags: tuple[str, ...]) -> str:
        return _("It has them already.") if there.issuperset(tags) else ""

    def after(self, there: set[str], tags: tuple[str, ...]) -> set[str]:
        return there.union(tags)

    def submit(self, client: RapiClient, ask: Ask[Cluster, TagsParams], reason: str) -> Submission:
        there = tags_of(ask.target)
        new = [tag for tag in ask.params.tags if tag not in there]
        return Submission([client.add_tags("cluster", "", new, reason=reason, dry_run=ask.dry_run)])


class RemoveClusterTags(_TaggingClusters):
    verb = "remove-tags"
    label = gettext_lazy("Remove tags")
    noun = gettext_lazy("Removing tags")
    question = gettext_lazy("Remove tags of {target}?")
    consequence = gettext_lazy("They are the cluster's own: its machines keep theirs.")

    def explain(self, there: set[str], tags: tuple[str, ...]) -> str:
        return "" if there.intersection(tags) else _("It has none of them.")

    def after(self, there: set[str], tags: tuple[str, ...]) -> set[str]:
        return there.difference(tags)

    def submit(self, client: RapiClient, ask: Ask[Cluster, TagsParams], reason: str) -> Submission:
        there = tags_of(ask.target)
        # Ganeti refuses the call if one of them is not there
        old = [tag for tag in ask.params.tags if tag in there]
        return Submission([client.remove_tags("cluster", "", old, reason=reason, dry_run=ask.dry_run)])
