"""Tags of machines, as Ganeti keeps them."""

from django.utils.translation import gettext_lazy, ngettext_lazy

from clusters.operations.tagging import TagsParams, change_of_tags
from clusters.tags import find_fault
from objectlog.changes import Change
from objectlog.words import gettext as _
from operations.contract import Ask, Invalid, Submission
from permissions.policy import can
from rapi.client import RapiClient
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.base import VMOperation, look_whether_same


class _Tagging(VMOperation[TagsParams]):
    for_users = gettext_lazy("Whoever works on it notices nothing; who has rights by its tags may gain or lose them.")
    needs = "tags"
    judges_plans = True
    icon = "tag"
    can_check = True
    params_type = TagsParams

    def check(self, ask: Ask[VirtualMachine, TagsParams]) -> None:
        is_admin = bool(can(ask.actor.user, "admin", ask.target.cluster))
        words = find_fault(ask.params.tags, by_admin=is_admin) or self.explain(ask.target, ask.params.tags)
        if words:
            raise Invalid({"tags": words})

    def explain(self, target: VirtualMachine, tags: tuple[str, ...]) -> str:
        """Why there is nothing to do; empty if there is."""
        raise NotImplementedError

    def after(self, target: VirtualMachine, tags: tuple[str, ...]) -> set[str]:
        """All that it has then."""
        raise NotImplementedError

    def changes(self, ask: Ask[VirtualMachine, TagsParams]) -> list[Change]:
        return [change_of_tags({*ask.target.tags}, self.after(ask.target, ask.params.tags))]


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
