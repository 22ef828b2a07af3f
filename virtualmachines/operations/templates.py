"""Keep, change, copy and delete templates. Ganeti knows nothing of them, so nothing is sent.

What a template says is judged where it is said, as far as it is for one cluster; what it leaves open, and what another
cluster makes of it, is judged when a machine is created from it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Cluster
from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.services import Target
from objectlog.words import gettext as _
from operations.contract import Ask, Claims, Invalid, NoParams, Operation, Refusal, Site, Words
from operations.groups import Group
from operations.persona_bound import look_whether_same_persona
from permissions.models import Persona, User
from permissions.policy import Allowed, Denied, Verdict, can, may_act_for, visible
from permissions.services import grant, persona_of, revoke
from virtualmachines.models import MachineTemplate
from virtualmachines.operations.creating import completed
from virtualmachines.rules import Facts, judge_creation
from virtualmachines.rules.sharing import judge_shared
from virtualmachines.spec import BadData, VMSpec, spec_as_data, spec_from_data
from virtualmachines.spec.copying import without_guarded
from virtualmachines.spec.telling import tell_all

P = TypeVar("P")
NOTHING = VMSpec("")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,99}")


@dataclass(frozen=True)
class TemplateParams:
    """A template: for a cluster or (None) any. `opened`: what was there when its form was opened, see `version_of`.

    `model`: a machine whose settings were taken; what it has is not judged, as it has it.
    """

    name: str = ""
    cluster: Cluster | None = None
    spec: VMSpec = field(default_factory=lambda: NOTHING)
    owner: Persona | None = None
    description: str = ""
    notes: str = ""
    is_protected: bool = False
    opened: str = ""
    model: VMSpec = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True)
class CopyParams:
    """What the copy is called. `cluster`: for which it is; None for any. `opened`: for whom, as the page said."""

    name: str = ""
    cluster: Cluster | None = None
    description: str = ""
    opened: str = ""


class OnTemplate(Operation[MachineTemplate, P]):
    """What is done to a template: it is ours, so no cluster need be there."""

    kind = "template"
    needs = "admin"
    sends = False
    needs_target = False
    locks = False

    def rows(self) -> QuerySet[MachineTemplate]:
        return MachineTemplate.objects.select_related("cluster", "owner__user", "owner__group").order_by("name", "pk")

    def target_of(self, target: MachineTemplate) -> Target:
        return target_of(target)


class CreateTemplate(Operation[Site, TemplateParams]):
    """Keep what a creation can say under a name. Whoever may create machines on its cluster may."""

    kind = "template"
    verb = "create"
    label = gettext_lazy("Create a template")
    needs = "create_vm"
    icon = "plus"
    sends = False
    needs_target = False
    locks = False
    is_on_site = True
    has_own_page = True
    params_type = TemplateParams

    def judge(self, ask: Ask[Site, TemplateParams]) -> Verdict:
        return may_create(ask.actor.user, ask.params.cluster)

    def target_of(self, target: Any) -> Target:
        return target_of(target) if isinstance(target, MachineTemplate) else Target(self.kind, None, "")

    def check(self, ask: Ask[Site, TemplateParams]) -> None:
        judge_template(ask.actor.user, ask.params, owner_of(ask), None)

    def changes(self, ask: Ask[Site, TemplateParams]) -> list[Change]:
        return tell_template(None, ask.params, owner_of(ask), ask.actor.user)

    def claim(self, ask: Ask[Site, TemplateParams], entry: UUID) -> Claims:
        return Claims(made=_keep(MachineTemplate(), ask.params, owner_of(ask), ask.actor.user))

    def perform(self, ask: Ask[Site, TemplateParams]) -> str:
        return ""

    def journal_params(self, params: TemplateParams) -> dict[str, Any]:
        return _kept(params)


class EditTemplate(OnTemplate[TemplateParams]):
    """Change what it says. Of two who do so at once, the second is told."""

    verb = "edit"
    label = gettext_lazy("Edit")
    icon = "edit"
    has_own_page = True
    params_type = TemplateParams

    def check(self, ask: Ask[MachineTemplate, TemplateParams]) -> None:
        if ask.params.opened and ask.params.opened != version_of(ask.target):
            raise Refusal(_("Somebody else has changed this template meanwhile. Nothing was saved; open it again."))
        verdict = may_create(ask.actor.user, ask.params.cluster)
        if isinstance(verdict, Denied) and cluster_key(ask.params.cluster) != ask.target.cluster_id:
            raise Invalid({"cluster": verdict.reason})
        judge_template(ask.actor.user, ask.params, ask.params.owner, ask.target)

    def changes(self, ask: Ask[MachineTemplate, TemplateParams]) -> list[Change]:
        return tell_template(ask.target, ask.params, ask.params.owner, ask.actor.user)

    def perform(self, ask: Ask[MachineTemplate, TemplateParams]) -> str:
        _keep(ask.target, ask.params, ask.params.owner, ask.actor.user)
        return ""

    def journal_params(self, params: TemplateParams) -> dict[str, Any]:
        return _kept(params)


class CopyTemplate(OnTemplate[CopyParams]):
    """The same under another name, owned by who copies it; the journal's entry is about the copy."""

    verb = "copy"
    label = gettext_lazy("Copy")
    needs = "use"
    icon = "copy"
    question = gettext_lazy("Copy template {target}?")
    consequence = gettext_lazy(
        "The copy is yours. Parameters that only admins of its cluster set are left out where you are none."
    )
    params_type = CopyParams

    def check(self, ask: Ask[MachineTemplate, CopyParams]) -> None:
        look_whether_same_persona(ask.actor, ask.params.opened)
        verdict = may_create(ask.actor.user, ask.params.cluster)
        if isinstance(verdict, Denied):
            raise Invalid({"cluster": verdict.reason})
        faults = dict(_judge_name(ask.params.name, ask.params.cluster, None))
        if faults:
            raise Invalid(faults)

    def changes(self, ask: Ask[MachineTemplate, CopyParams]) -> list[Change]:
        return tell_template(None, *self._wanted(ask), ask.actor.user)

    def claim(self, ask: Ask[MachineTemplate, CopyParams], entry: UUID) -> Claims:
        return Claims(made=_keep(MachineTemplate(), *self._wanted(ask), ask.actor.user))

    def perform(self, ask: Ask[MachineTemplate, CopyParams]) -> str:
        return ""

    def journal_params(self, params: CopyParams) -> dict[str, Any]:
        return {"name": params.name, "description": params.description, "cluster": _slug(params.cluster)}

    def _wanted(self, ask: Ask[MachineTemplate, CopyParams]) -> tuple[TemplateParams, Persona]:
        source, params, user = ask.target, ask.params, ask.actor.user
        spec = spec_of_template(source)
        if not sees_all_of(user, source):
            spec = without_guarded(spec)[0]
        copy = TemplateParams(
            params.name, params.cluster, spec, None, params.description, source.notes, source.is_protected
        )
        return copy, ask.actor.persona or persona_of(user)


class DeleteTemplate(OnTemplate[NoParams]):
    """Machines created from it stay as they are."""

    verb = "delete"
    label = gettext_lazy("Delete")
    icon = "trash"
    group = Group.DANGER
    is_destructive = True
    question = gettext_lazy("Delete template {target}?")
    consequence: ClassVar[Words] = gettext_lazy("Machines created from it stay. The rights on it are lost.")

    def changes(self, ask: Ask[MachineTemplate, NoParams]) -> list[Change]:
        """What it said is in the journal, so that it can be made again."""
        before, owner = _as_params(ask.target), ask.target.owner
        return [
            replace(each, before=each.after, after=None) for each in tell_template(None, before, owner, ask.actor.user)
        ]

    def perform(self, ask: Ask[MachineTemplate, NoParams]) -> str:
        ask.target.delete()
        return ""


def target_of(template: MachineTemplate) -> Target:
    """A template as the journal knows it."""
    cluster = template.cluster
    return Target("template", template.pk, template.name, _slug(cluster), cluster_key(cluster))


def may_create(user: User, cluster: Cluster | None) -> Verdict:
    """Whether they may keep templates for it; for any: whether they may create machines somewhere."""
    if cluster is not None:
        return can(user, "create_vm", cluster)
    if visible(user, "create_vm", Cluster.objects.all()).exists():
        return Allowed()
    return Denied(_("You may not create machines on any cluster (needs create_vm)."))


def sees_all_of(user: User, template: MachineTemplate) -> bool:
    """Whether they may see and set what concerns the nodes themselves: as admin of its cluster; of any, of itself."""
    return bool(can(user, "admin", template.cluster if template.cluster is not None else template))


def owner_of(ask: Ask[Any, TemplateParams]) -> Persona:
    """Whose a new one will be."""
    return ask.params.owner or ask.actor.persona or persona_of(ask.actor.user)


def version_of(template: MachineTemplate) -> str:
    """By which it is known whether it was changed."""
    return template.changed_at.isoformat()


def spec_of_template(template: MachineTemplate) -> VMSpec:
    """What it says. Refusal if this release can't read it."""
    try:
        return spec_from_data(template.spec)
    except BadData as bad:
        raise Refusal(_("What template %(name)s says can't be read: %(why)s") % {"name": template, "why": bad}) from bad


def judge_template(user: User, params: TemplateParams, owner: Persona | None, before: MachineTemplate | None) -> None:
    """Name, owner, and what is said that was not said before. Raises Invalid."""
    cluster, spec = params.cluster, params.spec
    faults = dict(_judge_name(params.name, cluster, before.pk if before is not None else None))
    is_owner_new = owner is not None and (before is None or owner.pk != before.owner_id)
    is_admin = cluster is not None and bool(can(user, "admin", cluster))
    if owner is not None and is_owner_new and not is_admin and not may_act_for(user, owner):
        faults["owner"] = _("You may not act for %s.") % owner
    if spec.name or spec.source is not None:
        faults["spec"] = _("A template says neither the name of a machine nor an export.")
    if spec.osparams_private or spec.osparams_secret:
        faults["spec"] = _("Secrets are not kept in templates.")
    faults |= judge_shared(spec)
    if cluster is not None:
        said = spec_as_data(spec)
        known = spec_as_data(params.model)
        if before is not None:
            known = before.spec if before.cluster_id == cluster.pk else {}
        found = judge_creation(completed(spec, cluster), Facts.of(cluster), is_admin=is_admin, may_export=False)
        for path, words in found.items():
            value = _at(said, path)
            if value is not None and value != _at(known, path):
                faults.setdefault(path, words)
    if faults:
        raise Invalid(faults)


def _judge_name(name: str, cluster: Cluster | None, but: int | None) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(name) or name != name.strip():
        yield "name", _("Type a name of letters, digits, spaces and . _ + - that begins with a letter or digit.")
    elif MachineTemplate.objects.filter(cluster=cluster, name=name).exclude(pk=but or 0).exists():
        yield "name", _explain_taken(name, cluster)


def _explain_taken(name: str, cluster: Cluster | None) -> str:
    if cluster is None:
        return _("There is a template called %s for any cluster already. Type another name.") % name
    words = {"name": name, "cluster": cluster.slug}
    return _("There is a template called %(name)s for %(cluster)s already. Type another name.") % words


def tell_template(
    before: MachineTemplate | None, params: TemplateParams, owner: Persona | None, user: User
) -> list[Change]:
    """What is other than before, as `user` may know it: first what is ours, then what it says of machines."""
    old = _as_params(before) if before is not None else TemplateParams()
    pairs = (
        ("name", gettext_noop("name"), old.name, params.name),
        ("cluster", gettext_noop("cluster"), _tell_cluster(old.cluster), _tell_cluster(params.cluster)),
        ("owner", gettext_noop("owner"), old.owner.name if old.owner else "", owner.name if owner else ""),
        ("description", gettext_noop("description"), old.description, params.description),
        ("notes", gettext_noop("notes of its machines"), old.notes, params.notes),
        ("is_protected", gettext_noop("machines protected"), old.is_protected, params.is_protected),
    )
    is_new = before is None
    told = [
        Change(name, label, None if is_new else was, will)
        for name, label, was, will in pairs
        if was != will or (is_new and name == "cluster")
    ]
    sees_host = params.cluster is None or bool(can(user, "admin", params.cluster))
    for each in tell_all(old.spec, params.spec, sees_host=sees_host):
        told.append(replace(each, before=None) if is_new and each.before == "" else each)
    return told


def _tell_cluster(cluster: Cluster | None) -> str | Message:
    return cluster.slug if cluster is not None else Message(gettext_noop("any cluster"))


def _as_params(template: MachineTemplate) -> TemplateParams:
    """One that can't be read any more says nothing: it can still be deleted, or said anew."""
    try:
        spec = spec_of_template(template)
    except Refusal:
        spec = NOTHING
    return TemplateParams(
        template.name,
        template.cluster,
        spec,
        template.owner,
        template.description,
        template.notes,
        template.is_protected,
    )


def _keep(row: MachineTemplate, params: TemplateParams, owner: Persona | None, by: User) -> MachineTemplate:
    """Write it down, with the rights of its owner. Of two that take one name at once, the second is told."""
    before = row.owner
    size = params.spec.beparams
    vcpus, memory = size.get("vcpus"), size.get("maxmem")
    values: dict[str, Any] = {
        "name": params.name,
        "cluster": params.cluster,
        "owner": owner,
        "description": params.description,
        "notes": params.notes,
        "is_protected": params.is_protected,
        "spec": spec_as_data(params.spec),
        "os": params.spec.os,
        "hypervisor": params.spec.hypervisor,
        "vcpus": vcpus if isinstance(vcpus, int) else None,
        "memory_mib": memory if isinstance(memory, int) else None,
        "disk_mib": sum(disk.size_mib for disk in params.spec.disks),
    }
    for name, value in values.items():
        setattr(row, name, value)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as taken:
        raise Invalid({"name": _explain_taken(params.name, params.cluster)}) from taken
    if before is None or owner is None or before.pk != owner.pk:
        if before is not None and (who := before.user or before.group) is not None:
            revoke(["admin"], who, row)
        if owner is not None and (who := owner.user or owner.group) is not None:
            grant(["admin"], who, row, by=by)
    return row


def _at(data: Any, path: str) -> Any:
    """What stands there; None for nothing."""
    for step in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def _kept(params: TemplateParams) -> dict[str, Any]:
    return {"name": params.name, "cluster": _slug(params.cluster), "description": params.description}


def _slug(cluster: Cluster | None) -> str:
    return cluster.slug if cluster is not None else ""


def cluster_key(cluster: Cluster | None) -> int | None:
    """The key of a cluster that may be any."""
    return cluster.pk if cluster is not None else None
