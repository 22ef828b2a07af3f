"""Asking for more: for quota on a cluster, or for a machine. Who has `admin` on the cluster approves or declines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from clusters.models import Cluster
from objectlog.changes import Change
from objectlog.services import Target
from objectlog.words import gettext as _
from objectlog.words import mib
from operations.contract import Ask, Claims, Invalid, NoParams, Operation, Site
from operations.persona_bound import look_whether_same_persona
from operations.pipeline import do_beside
from people.mailing import tell_asker, tell_deciders
from people.operations.quotas import LimitParams, QuotaParams, SetQuota, changes_of
from people.request_selectors import count_asked_since, has_open_request, list_clusters_to_ask_for, may_withdraw
from permissions.models import Persona
from permissions.policy import Allowed, Denied, Verdict
from permissions.selectors import name_of_persona
from permissions.services import persona_of
from quotas.amounts import DIMENSIONS, Limits
from quotas.models import Request
from quotas.selectors import limits_of, own_limits

P = TypeVar("P")
# What somebody may ask for within an hour, withdrawn or not: each is a mail to who decides.
MOST_IN_AN_HOUR = 10


@dataclass(frozen=True, kw_only=True)
class AskQuotaParams(LimitParams):
    """The limits as they should be, on which cluster, and why. `opened`: for whom, as the page said."""

    cluster: Cluster | None = None
    reason: str = ""
    opened: str = ""


@dataclass(frozen=True, kw_only=True)
class AskMachineParams:
    """What it is called and how large it is, where (None: anywhere), and why. `opened`: for whom, as the page said."""

    cluster: Cluster | None = None
    name: str = ""
    memory_mib: int = 0
    disk_mib: int = 0
    vcpus: int = 0
    reason: str = ""
    opened: str = ""

    @property
    def limits(self) -> Limits:
        """As it is kept."""
        return Limits(self.memory_mib, self.disk_mib, self.vcpus)


@dataclass(frozen=True, kw_only=True)
class ApproveParams(LimitParams):
    """The limits that are granted, words to who asked, and the machine that was made for it."""

    answer: str = ""
    machine: str = ""


@dataclass(frozen=True)
class DeclineParams:
    """Why not."""

    answer: str = ""


class _Asking(Operation[Site, P]):
    """What everybody may ask for, who may act as whom they ask for; the pipeline judges that."""

    kind = "request"
    needs = ""
    icon = "plus"
    sends = False
    needs_target = False
    locks = False
    has_own_page = True
    is_on_site = True
    asks_for: Request.Kind

    def judge(self, ask: Ask[Site, P]) -> Verdict:
        return Allowed() if ask.actor.user.is_active else Denied(_("This account is disabled."))

    def check(self, ask: Ask[Site, Any]) -> None:
        params, persona = ask.params, asker_of(ask)
        look_whether_same_persona(ask.actor, params.opened)
        if not params.reason.strip():
            raise Invalid({"reason": _("Say what it is for.")})
        there = list_clusters_to_ask_for(ask.actor.user, persona)
        if params.cluster is not None and not there.filter(pk=params.cluster.pk).exists():
            raise Invalid({"cluster": _("You may not ask for anything on %s.") % params.cluster})
        if has_open_request(self.asks_for, persona, params.cluster):
            raise Invalid({"": _twice(persona)})
        if count_asked_since(ask.actor.user, timezone.now() - timedelta(hours=1)) >= MOST_IN_AN_HOUR:
            raise Invalid({"": _("You have asked %d times within an hour. Wait a while.") % MOST_IN_AN_HOUR})

    def target_of(self, target: Any) -> Target:
        return _target_of(target) if isinstance(target, Request) else Target("request", None, "")

    def claim(self, ask: Ask[Site, Any], entry: UUID) -> Claims:
        params, persona = ask.params, asker_of(ask)
        asked = Request(
            kind=self.asks_for,
            persona=persona,
            cluster=params.cluster,
            name=getattr(params, "name", ""),
            reason=params.reason,
            asked_by=ask.actor.user,
            **dict(zip(DIMENSIONS, params.limits.values(), strict=True)),
        )
        try:
            with transaction.atomic():
                asked.save()
        except IntegrityError as faster:
            raise Invalid({"": _twice(persona)}) from faster
        tell_deciders(asked)
        return Claims(made=asked)

    def perform(self, ask: Ask[Site, P]) -> str:
        return ""

    def journal_params(self, params: Any) -> dict[str, Any]:
        return {"reason": params.reason}


class AskQuota(_Asking[AskQuotaParams]):
    """Ask for more than a quota allows."""

    verb = "ask-quota"
    label = gettext_lazy("Ask for quota")
    params_type = AskQuotaParams
    asks_for = Request.Kind.QUOTA

    def check(self, ask: Ask[Site, AskQuotaParams]) -> None:
        cluster, wanted = ask.params.cluster, ask.params.limits
        if cluster is None:
            raise Invalid({"cluster": _("Say on which cluster.")})
        super().check(ask)
        now = limits_of(asker_of(ask), cluster)
        if not any(_is_more(after, before) for after, before in zip(wanted.values(), now.values(), strict=True)):
            raise Invalid({"": _("This is no more than may be used already.")})

    def changes(self, ask: Ask[Site, AskQuotaParams]) -> Sequence[Change]:
        if ask.params.cluster is None:
            return ()
        return changes_of(limits_of(asker_of(ask), ask.params.cluster), ask.params.limits)


class AskMachine(_Asking[AskMachineParams]):
    """Ask for a machine, for who may not create it."""

    verb = "ask-machine"
    label = gettext_lazy("Ask for a machine")
    params_type = AskMachineParams
    asks_for = Request.Kind.MACHINE

    def changes(self, ask: Ask[Site, AskMachineParams]) -> Sequence[Change]:
        params = ask.params
        told = (
            ("name", gettext_noop("name"), params.name),
            ("memory_mib", gettext_noop("memory"), mib(params.memory_mib)),
            ("disk_mib", gettext_noop("disk"), mib(params.disk_mib)),
            ("vcpus", gettext_noop("vCPUs"), params.vcpus),
        )
        return [Change(field, label, None, value) for field, label, value in told if value]


class _OnRequest(Operation[Request, P]):
    kind = "request"
    needs = "decide"
    icon = "check"
    sends = False
    needs_target = False
    locks = False

    def obstacle(self, target: Request) -> str | None:
        return None if target.is_open else _("It is decided already.")

    def target_of(self, target: Request) -> Target:
        return _target_of(target)

    def _close(self, ask: Ask[Request, Any], state: Request.State, **values: Any) -> None:
        asked = ask.target
        asked.state, asked.decided_by, asked.decided_at = state, ask.actor.user, timezone.now()
        for name, value in values.items():
            setattr(asked, name, value)
        asked.save()
        if asked.asked_by_id != ask.actor.user.pk:
            tell_asker(asked)


class Approve(_OnRequest[ApproveParams]):
    """Grant what was asked for: the quota is set in the same step; of a machine it is said which one it is."""

    verb = "approve"
    label = gettext_lazy("Approve")
    question = gettext_lazy("Approve request {target}?")
    params_type = ApproveParams

    def consequence_for(self, target: Request) -> str:
        if target.kind == Request.Kind.QUOTA:
            return _("The quota is set at once, as it stands here.")
        return _("Nothing is created by this: say which machine it is, or why there is none.")

    def check(self, ask: Ask[Request, ApproveParams]) -> None:
        if ask.target.kind == Request.Kind.MACHINE and not (ask.params.machine or ask.params.answer.strip()):
            raise Invalid({"machine": _("Name the machine, or answer in words.")})

    def changes(self, ask: Ask[Request, ApproveParams]) -> Sequence[Change]:
        asked = ask.target
        if asked.kind == Request.Kind.QUOTA and asked.cluster is not None:
            return changes_of(limits_of(asked.persona, asked.cluster), ask.params.limits)
        return [Change("machine", gettext_noop("machine"), None, ask.params.machine)] if ask.params.machine else []

    def perform(self, ask: Ask[Request, ApproveParams]) -> str:
        asked, params = ask.target, ask.params
        given: dict[str, Any] = {"answer": params.answer, "machine": params.machine}
        if asked.kind == Request.Kind.QUOTA and asked.cluster is not None:
            limits = dict(zip(DIMENSIONS, params.limits.values(), strict=True))
            if own_limits(asked.persona, asked.cluster) != params.limits:  # else somebody has set it meanwhile
                do_beside(SetQuota(), Ask(ask.actor, asked.cluster, QuotaParams(who=asked.persona, **limits)))
            given |= limits
        self._close(ask, Request.State.APPROVED, **given)
        return params.answer

    def journal_params(self, params: ApproveParams) -> dict[str, Any]:
        return {}


class Decline(_OnRequest[DeclineParams]):
    """Say no, and why."""

    verb = "decline"
    label = gettext_lazy("Decline")
    icon = "close"
    is_destructive = True
    question = gettext_lazy("Decline request {target}?")
    consequence = gettext_lazy("Who asked is told, in your words.")
    params_type = DeclineParams

    def check(self, ask: Ask[Request, DeclineParams]) -> None:
        if not ask.params.answer.strip():
            raise Invalid({"answer": _("Say why not.")})

    def perform(self, ask: Ask[Request, DeclineParams]) -> str:
        self._close(ask, Request.State.DECLINED, answer=ask.params.answer)
        return ask.params.answer

    def journal_params(self, params: DeclineParams) -> dict[str, Any]:
        return {}


class Withdraw(_OnRequest[NoParams]):
    """Ask no more, by who asked or acts for the same team."""

    verb = "withdraw"
    needs = "view"  # and to have asked, see `judge`
    label = pgettext_lazy("request", "Withdraw")
    icon = "close"
    is_destructive = True
    question = gettext_lazy("Withdraw request {target}?")
    consequence = gettext_lazy("Nobody decides on it then. You can ask again.")

    def judge(self, ask: Ask[Request, NoParams]) -> Verdict:
        if may_withdraw(ask.actor.user, ask.target):
            return Allowed()
        return Denied(_("Only who asked may withdraw a request."))

    def perform(self, ask: Ask[Request, NoParams]) -> str:
        self._close(ask, Request.State.WITHDRAWN)
        return ""


def asker_of(ask: Ask[Any, Any]) -> Persona:
    """For whom it is asked."""
    return ask.actor.persona or persona_of(ask.actor.user)


def _is_more(after: int | None, before: int | None) -> bool:
    return before is not None and (after is None or after > before)


def _target_of(asked: Request) -> Target:
    cluster = asked.cluster
    if cluster is None:
        return Target("request", asked.pk, str(asked))
    return Target("request", asked.pk, str(asked), cluster.slug, cluster.pk)


def _twice(persona: Persona) -> str:
    return _("There is an open request of %s for this already. Withdraw it first.") % name_of_persona(persona)
