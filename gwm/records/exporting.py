"""What we keep of a cluster and Ganeti does not, as the steps that would make it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.utils import timezone

from clusters.forms.images import line_of_image
from clusters.models import Cluster
from clusters.operations.images import read_images
from gwm import VERSION
from gwm.records.file import Head, Step
from permissions.models import BUILT_IN_ROLES, Persona, Team, User
from permissions.policy import access_of, find_given, granted_verbs
from permissions.selectors import find_group, list_roles, list_verbs, name_of_persona
from quotas.amounts import DIMENSIONS, Limits
from quotas.models import Quota
from quotas.selectors import default_of
from virtualmachines.forms.sizes import line_of
from virtualmachines.models import MachineTemplate, VirtualMachine
from virtualmachines.operations.sizing import read_sizes


def export_cluster(cluster: Cluster) -> tuple[Head, list[Step]]:
    """The head and the steps. Quotas come last: what is given before exceeded them where it was, too."""
    steps = [
        *_of_cluster(cluster),
        *_rights(Cluster.objects.filter(pk=cluster.pk)),
        *_of_templates(cluster),
        *_of_machines(cluster),
        *_quotas(cluster),
    ]
    before = [*_roles(steps), *_teams(steps)]
    made = timezone.now().isoformat(timespec="seconds")
    head = Head(cluster.slug, cluster.uuid, cluster.name, VERSION, made, len(before) + len(steps))
    return head, [*before, *steps]


def who_is_named(step: Step) -> Iterator[str]:
    """People by their user names, and teams with @."""
    yield from (str(step.given[key]) for key in ("who", "owner") if step.given.get(key))


def _of_cluster(cluster: Cluster) -> Iterator[Step]:
    if images := read_images(cluster):
        yield Step("cluster.cd-images", {"images": "\n".join(map(line_of_image, images))})
    if sizes := read_sizes(cluster):
        yield Step("cluster.sizes", {"sizes": "\n".join(map(line_of, sizes))})


def _of_templates(cluster: Cluster) -> Iterator[Step]:
    templates = MachineTemplate.objects.filter(cluster=cluster).select_related("owner__user", "owner__group")
    for each in templates.order_by("name"):
        texts = {"description": each.description, "notes": each.notes, "owner": _name_of(each.owner)}
        given = {"name": each.name, "spec": each.spec, **{name: text for name, text in texts.items() if text}}
        yield Step("template.create", {**given, "is_protected": True} if each.is_protected else given, each.name)
        # An owner gets this together with the template, whoever makes it.
        subject: Any = each.owner and (each.owner.group or each.owner.user)
        if subject is not None and "admin" not in granted_verbs(subject, each):
            yield Step("template.revoke", {"who": _name_of(subject), "verbs": "admin"}, each.name)
    yield from _rights(templates)


def _of_machines(cluster: Cluster) -> Iterator[Step]:
    machines = VirtualMachine.objects.filter(cluster=cluster).order_by("name")
    rows = machines.select_related("owner__user", "owner__group").only("name", "uuid", "notes", "is_protected", "owner")
    for vm in rows.iterator(2000):
        if vm.owner is not None:
            yield Step("vm.set-owner", {"owner": _name_of(vm.owner)}, vm.name, vm.uuid)
        if vm.notes:
            yield Step("vm.notes", {"notes": vm.notes}, vm.name, vm.uuid)
        if vm.is_protected:
            yield Step("vm.protect", {}, vm.name, vm.uuid)
    yield from _rights(machines)


def _quotas(cluster: Cluster) -> Iterator[Step]:
    default = default_of(cluster)
    if default != Limits():
        yield Step("cluster.set-default-quota", _limits(default))
    for quota in Quota.objects.filter(cluster=cluster).select_related("persona__user", "persona__group").order_by("pk"):
        yield Step("cluster.set-quota", {"who": name_of_persona(quota.persona), **_limits(quota.limits)})


def _limits(limits: Limits) -> dict[str, str]:
    figures = zip(DIMENSIONS, limits.values(), strict=True)
    return {name: f"{limit} MiB" if name.endswith("_mib") and limit else str(limit)
            for name, limit in figures if limit is not None}  # fmt: skip


def _rights(objects: QuerySet[Any]) -> Iterator[Step]:
    """What was granted on some objects of one kind."""
    kind = access_of(objects.model).kind
    for given in find_given(objects):
        who = {"who": _name_of(given.who)}
        until = {"until": given.until.isoformat()} if given.until is not None else {}
        if given.role is None:
            yield _on(given.on, f"{kind}.grant", {**who, "verbs": " ".join(given.verbs), **until})
        else:
            narrowed = {"tag": given.tag, "owner": _name_of(given.owner)}
            told = {name: text for name, text in narrowed.items() if text}
            yield _on(given.on, f"{kind}.grant-role", {**who, "role": given.role.name, **told, **until})


def _on(obj: Model, do: str, given: dict[str, Any]) -> Step:
    if isinstance(obj, Cluster):
        return Step(do, given)
    return Step(do, given, str(obj), obj.uuid if isinstance(obj, VirtualMachine) else "")


def _name_of(who: User | Group | Persona | None) -> str:
    if who is None:
        return ""
    if isinstance(who, Persona):
        return name_of_persona(who)
    return f"@{who.name}" if isinstance(who, Group) else who.username


def _roles(steps: Iterable[Step]) -> Iterator[Step]:
    """Roles of one's own that are granted."""
    names = {str(step.given["role"]) for step in steps if "role" in step.given} - set(BUILT_IN_ROLES)
    for role in list_roles().filter(name__in=names):
        told = {"description": role.description} if role.description else {}
        yield Step("role.create", {"name": role.name, "verbs": " ".join(list_verbs(role)), **told}, role.name)


def _teams(steps: Iterable[Step]) -> Iterator[Step]:
    """Teams that hold or own something, with those in them."""
    names = {name[1:] for step in steps for name in who_is_named(step) if name.startswith("@")}
    for team in filter(None, map(find_group, sorted(names))):
        yield Step("team.create", {"name": team.name}, team.name)
        for person in _people_in(team):
            yield Step("team.add-member", {"who": person.username}, team.name)
            if "admin" in granted_verbs(person, team):
                yield Step("team.add-admin", {"who": person.username}, team.name)


def _people_in(team: Team) -> QuerySet[User]:
    return User.objects.filter(groups=team.pk).order_by("username")
