"""Tags of machines, as Ganeti keeps them."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Submission
from permissions.policy import can
from rapi.client import RapiClient
from ui.templatetags.units import DASH
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, look_whether_same
from virtualmachines.tags import OUR_PREFIX, TOOLS_PREFIX

# What Ganeti takes (lib/constants: TAG_CHAR, MAX_TAG_LEN).
_TAG = re.compile(r"[\w.+*/:@-]{1,128}", re.ASCII)


@dataclass(frozen=True)
class TagsParams:
    """Which ones."""

    tags: tuple[str, ...] = ()


class _Tagging(VMOperation[TagsParams]):
    for_users = gettext_lazy("Whoever works on it notices nothing; who has rights by its tags may gain or lose them.")
    needs = "tags"
    judges_plans = True
    icon = "tag"
    can_check = True
    params_type = TagsParams

    def check(self, ask: Ask[VirtualMachine, TagsParams]) -> None:
        words = _judge(ask) or self.explain(ask.target, ask.params.tags)
        if words:
            raise Invalid({"tags": words})

    def explain(self, target: VirtualMachine, tags: tuple[str, ...]) -> str:
        """Why there is nothing to do; empty if there is."""
        raise NotImplementedError

    def after(self, target: VirtualMachine, tags: tuple[str, ...]) -> set[str]:
        """All that it has then."""
        raise NotImplementedError

    def changes(self, ask: Ask[VirtualMachine, TagsParams]) -> list[Change]:
        before, after = sorted(ask.target.tags), sorted(self.after(ask.target, ask.params.tags))
        return [Change("tags", gettext_noop("tags"), ", ".join(before) or DASH, ", ".join(after) or DASH)]


def _judge(ask: Ask[VirtualMachine, TagsParams]) -> str:
    for tag in ask.params.tags:
        if not _TAG.fullmatch(tag):
            return _("“%s” is not a tag: letters, digits and _.+*/:@- only, at most 128.") % tag[:130]
        if tag.startswith(OUR_PREFIX):
            return _("Tags that begin with %s are kept by this program.") % OUR_PREFIX
        if tag.startswith(TOOLS_PREFIX) and not can(ask.actor.user, "admin", ask.target.cluster):
            return _("Tags that begin with %s are for administrators of the cluster.") % TOOLS_PREFIX
    return "" if ask.params.tags else _("Type a tag.")


class AddTags(_Tagging):
    verb = "add-tags"
    label = gettext_lazy("Add tags")
    label_of_many = ngettext_lazy("Add tags to %d machine", "Add tags to %d machines")
    doing = gettext_lazy("adding tags")
    noun = gettext_lazy("Adding tags")
    question = gettext_lazy("Add tags to {target}?")

    def explain(self, target: VirtualMachine, tags: tuple[str, ...]) -> str:
        return _("It has them already.") if set(tags) <= set(target.tags) else ""

    def after(self, target: VirtualMachine, tags: tuple[str, ...]) -> set[str]:
        return {*target.tags, *tags}

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, TagsParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        new = [tag for tag in ask.params.tags if tag not in ask.target.tags]
        return Submission([client.add_tags("instance", ask.target.name, new, reason=reason, dry_run=ask.dry_run)])


class RemoveTags(_Tagging):
    verb = "remove-tags"
    label = gettext_lazy("Remove tags")
    label_of_many = ngettext_lazy("Remove tags from %d machine", "Remove tags from %d machines")
    doing = gettext_lazy("removing tags")
    noun = gettext_lazy("Removing tags")
    question = gettext_lazy("Remove tags of {target}?")

    def obstacle(self, target: VirtualMachine) -> str | None:
        return None if target.tags else _("It has no tags.")

    def explain(self, target: VirtualMachine, tags: tuple[str, ...]) -> str:
        return "" if set(tags) & set(target.tags) else _("It has none of them.")

    def after(self, target: VirtualMachine, tags: tuple[str, ...]) -> set[str]:
        return {*target.tags}.difference(tags)

    def submit(self, client: RapiClient, ask: Ask[VirtualMachine, TagsParams], reason: str) -> Submission:
        look_whether_same(client, ask.target)
        # Ganeti refuses the call if one of them is not there
        there = [tag for tag in ask.params.tags if tag in ask.target.tags]
        return Submission([client.remove_tags("instance", ask.target.name, there, reason=reason, dry_run=ask.dry_run)])
