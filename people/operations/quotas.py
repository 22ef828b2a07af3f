"""How much of a cluster may be used: by everybody, and by one person or team instead. Its admins say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from objectlog.changes import Change
from objectlog.messages import Message
from objectlog.services import Target
from objectlog.words import gettext as _
from objectlog.words import mib
from operations.contract import Ask, Invalid, Operation
from permissions.kinds import KINDS
from permissions.models import Persona, Role, User
from permissions.policy import access_of, find_holdings_by_role, granted_roles, granted_verbs
from permissions.selectors import name_of_persona
from permissions.services import persona_of
from quotas.amounts import DIMENSIONS, Limits
from quotas.models import Quota
from quotas.selectors import default_of, limits_of, list_own_quotas, list_quotas, own_limits
from quotas.services import LABELS, NO_LIMIT, remove_quota, set_default, set_quota

P = TypeVar("P")


@dataclass(frozen=True)
class LimitParams:
    """The most that may be used; None: no limit, 0: nothing."""

    memory_mib: int | None = None
    disk_mib: int | None = None
    vcpus: int | None = None
    machines: int | None = None

    @property
    def limits(self) -> Limits:
        """For the arithmetic."""
        return Limits(self.memory_mib, self.disk_mib, self.vcpus, self.machines)


@dataclass(frozen=True, kw_only=True)
class QuotaParams(LimitParams):
    """The same of one persona."""

    who: Persona


@dataclass(frozen=True)
class PersonaParams:
    """Whose."""

    who: Persona


class _OnQuotas(Operation[Cluster, P]):
    kind = "cluster"
    needs = "admin"
    icon = "disk"
    sends = False
    needs_target = False
    locks = False

    def target_of(self, target: Any) -> Target:
        return Target(self.kind, target.pk, str(target), target.slug, target.pk, target.uuid)


class SetDefaultQuota(_OnQuotas[LimitParams]):
    """Say what everybody without a quota of their own may use on a cluster."""

    verb = "set-default-quota"
    label = gettext_lazy("Set default quota")
    question = gettext_lazy("Set the default quota on {target}?")
    consequence = gettext_lazy("It counts for everybody, and for every team, without a quota of their own here.")
    params_type = LimitParams

    def changes(self, ask: Ask[Cluster, LimitParams]) -> Sequence[Change]:
        return changes_of(default_of(ask.target), ask.params.limits)

    def alters(self, ask: Ask[Cluster, LimitParams], changes: Sequence[Change]) -> bool:
        return bool(changes)

    def perform(self, ask: Ask[Cluster, LimitParams]) -> str:
        set_default(ask.target, ask.params.limits)
        return ""

    def journal_params(self, params: LimitParams) -> dict[str, Any]:
        return {}


class SetQuota(_OnQuotas[QuotaParams]):
    """Say what one person or team may use on a cluster, whatever the default is."""

    verb = "set-quota"
    label = gettext_lazy("Set quota")
    question = gettext_lazy("Set a quota on {target}?")
    consequence = gettext_lazy("It replaces the default as a whole. What is used already stays, whatever the quota.")
    params_type = QuotaParams

    def changes(self, ask: Ask[Cluster, QuotaParams]) -> Sequence[Change]:
        return changes_of(limits_of(ask.params.who, ask.target), ask.params.limits)

    def alters(self, ask: Ask[Cluster, QuotaParams], changes: Sequence[Change]) -> bool:
        # one of their own that says what the default says stays when that is changed
        return own_limits(ask.params.who, ask.target) != ask.params.limits

    def perform(self, ask: Ask[Cluster, QuotaParams]) -> str:
        set_quota(ask.params.who, ask.target, ask.params.limits)
        return ""

    def journal_params(self, params: QuotaParams) -> dict[str, Any]:
        return {"who": name_of_persona(params.who)}


class RemoveQuota(_OnQuotas[PersonaParams]):
    """Have the default count for one person or team again."""

    verb = "remove-quota"
    label = gettext_lazy("Back to default quota")
    is_destructive = True
    question = gettext_lazy("Remove a quota on {target}?")
    consequence = gettext_lazy("The default of the cluster counts again.")
    params_type = PersonaParams

    def check(self, ask: Ask[Cluster, PersonaParams]) -> None:
        if own_limits(ask.params.who, ask.target) is None:
            raise Invalid({"who": _("%s has no quota here but the default.") % name_of_persona(ask.params.who)})

    def changes(self, ask: Ask[Cluster, PersonaParams]) -> Sequence[Change]:
        return changes_of(limits_of(ask.params.who, ask.target), default_of(ask.target))

    def perform(self, ask: Ask[Cluster, PersonaParams]) -> str:
        remove_quota(ask.params.who, ask.target)
        return ""

    def journal_params(self, params: PersonaParams) -> dict[str, Any]:
        return {"who": name_of_persona(params.who)}


def take_quota_with_last_right(who: User | Group, on: Any) -> str:
    """Who holds nothing on a cluster any more has no quota of their own there either; words for the journal, if so."""
    if not isinstance(on, Cluster) or not _take_quotas(who, [on]):
        return ""
    return _("It was the last right there, so the quota went, too.")


def take_quotas_with_role(who: User | Group, role: Role) -> str:
    """The same of all clusters, where a role on everything was taken."""
    if not role.verbs.filter(kind=access_of(Cluster).kind).exists():
        return ""
    there = [each.cluster for each in list_own_quotas(persona_of(who)).select_related("cluster").order_by("cluster")]
    return _told_gone(_take_quotas(who, there))


def quotas_by_role(role: Role) -> Sequence[Quota]:
    """The quotas of all to whom a role gives something on the cluster: of those they may lose the last right there."""
    everywhere = role.verbs.filter(kind=access_of(Cluster).kind).exists()
    on_clusters = role.verbs.filter(kind__in=_kinds_on_clusters()).exists()
    held: set[tuple[User | Group, int | None]] = set()
    for each in find_holdings_by_role(role):
        if each.on is None and everywhere and not each.narrowed:
            held.add((each.who, None))
        elif isinstance(each.on, Cluster) and on_clusters:
            held.add((each.who, each.on.pk))
    people = [who.pk for who, _on in held if isinstance(who, User)]
    teams = [who.pk for who, _on in held if isinstance(who, Group)]
    quotas = list_quotas().filter(Q(persona__user__in=people) | Q(persona__group__in=teams))
    return [each for each in quotas if {(_whose(each), None), (_whose(each), each.cluster_id)} & held]


def take_quotas_of(quotas: Sequence[Quota]) -> str:
    """Remove those of these on whose clusters their people and teams hold nothing any more; words for the journal."""
    taken = [each for each in quotas if _take_quotas(_whose(each), [each.cluster])]
    return _told_gone([f"{name_of_persona(each.persona)} ({each.cluster.slug})" for each in taken])


def _whose(quota: Quota) -> Any:
    return quota.persona.user if quota.persona.user is not None else quota.persona.group


def _told_gone(taken: Sequence[str]) -> str:
    return _("It was the last right there, so the quotas went, too: %s.") % ", ".join(taken) if taken else ""


def _take_quotas(who: User | Group, there: Sequence[Cluster]) -> list[str]:
    """Remove the quotas on those of these clusters on which somebody holds nothing, nor on everything."""
    if granted_roles(who, None).filter(tag="", owner=None, role__verbs__kind=access_of(Cluster).kind).exists():
        return []
    held = [each for each in there if granted_verbs(who, each) or _has_role_on(who, each)]
    return [each.slug for each in there if each not in held and remove_quota(persona_of(who), each)]


def _has_role_on(who: User | Group, cluster: Cluster) -> bool:
    """Whether somebody has a role there that holds something for it, or for what belongs to it."""
    return granted_roles(who, cluster).filter(role__verbs__kind__in=_kinds_on_clusters()).exists()


def _kinds_on_clusters() -> list[str]:
    kinds = (kind for kind in KINDS.values() if kind.grantable)
    return [kind.name for kind in kinds if kind.model is Cluster or access_of(kind.model).parent == "cluster"]


def changes_of(before: Limits, after: Limits) -> list[Change]:
    """Which limits are other than before."""
    pairs = zip(DIMENSIONS, before.values(), after.values(), strict=True)
    return [Change(name, LABELS[name], _told(name, old), _told(name, new)) for name, old, new in pairs if old != new]


def _told(name: str, limit: int | None) -> Any:
    if limit is None:
        return Message(NO_LIMIT)
    return mib(limit) if name.endswith("_mib") else limit
