"""The pipeline: every change of a cluster or of what we keep about it goes through `run`.

Policy, lock, refusal, reservation and journal in one short transaction; the call to Ganeti outside any; its outcome
in a second transaction. Whatever happens in between (the process is killed, the network is cut) the entry stays open,
and the job follower finds out from the reason `gwm:<uuid>` what became of it. Nothing is ever sent twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.db import models, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from clusters.bulkhead import CALLS, Full
from clusters.connection import client_for
from clusters.models import Busy, Cluster, Job, JobTarget
from objectlog.changes import Change
from objectlog.models import OPEN_OUTCOMES, Entry, Outcome, Via
from objectlog.services import Target, advance, begin, note
from operations.table import OPERATIONS
from permissions.models import Persona, User
from permissions.policy import Allowed, Denied, access_of, can
from rapi.client import RapiClient
from rapi.errors import RapiError, words_of

# What an operation asks before it sends may take so long: who looks for a lost one relies on when it was sent at last.
PREPARED_WITHIN_S = 15.0

T = TypeVar("T", bound=models.Model)
P = TypeVar("P")

# Words for people: translated where they are shown, so that a class can hold them (gettext_lazy).
Words = str | Promise


class Forbidden(Exception):
    """The actor lacks the right; the text is the policy's reason."""


class Refusal(Exception):
    """Not now, and why; the text is for the person who asked. Nothing was changed or sent."""


class TurnedAway(Refusal):
    """Too many requests wait for the cluster already."""


@dataclass(frozen=True)
class Actor:
    """Who acts, as which persona, and by which way."""

    user: User
    via: Via
    persona: Persona | None = None


@dataclass(frozen=True)
class NoParams:
    """For operations that need none."""


@dataclass(frozen=True)
class Submission:
    """What a call to Ganeti gave: the numbers of the jobs it started, or words where there is no job."""

    job_ids: Sequence[int] = ()
    message: str = ""


class Operation(Generic[T, P]):
    """One thing that can be done to a target. A class per operation, one instance in the table of its app.

    `name` is address, command-line word and journal verb in one. `needs` is the verb of the policy. `doing` is what
    the target's state says while it is in progress, `noun` what it is called then ("A reboot"). `overrules` names
    operations that may be in progress on the target all the same; the target is then busy with this one.
    `needs_target`: not for what Ganeti lists no more.
    """

    name: ClassVar[str]
    label: ClassVar[Words]
    needs: ClassVar[str]
    doing: ClassVar[Words] = ""
    noun: ClassVar[Words] = ""
    kind: ClassVar[str]
    icon: ClassVar[str] = ""
    question: ClassVar[Words] = ""
    way_out: ClassVar[Words] = ""
    consequence: ClassVar[Words] = ""
    is_destructive: ClassVar[bool] = False
    changes_cluster: ClassVar[bool] = True
    needs_target: ClassVar[bool] = True
    excludes_others: ClassVar[bool] = True
    leaves_job: ClassVar[bool] = True
    on_command_line: ClassVar[bool] = True
    overrules: ClassVar[frozenset[str]] = frozenset()
    params_type: ClassVar[type] = NoParams

    def cluster_of(self, target: T) -> Cluster | None:
        """The cluster that is asked; None for what concerns none."""
        raise NotImplementedError

    def name_of(self, target: T) -> str:
        """What the journal calls the target."""
        return str(target)

    def refusal(self, target: T, params: P) -> str | None:
        """Why not now, as a sentence; None if it can be done."""
        return None

    def site_right(self, target: T, params: P) -> str:
        """A right on the site that these parameters need as well (permissions.policy.SITE_VERBS), or nothing."""
        return ""

    def reserve(self, target: T, params: P) -> None:
        """Take what the operation claims (quota); raises Refusal. Runs inside the first transaction."""

    def perform(self, target: T, params: P) -> str:
        """For what needs no cluster: do it, inside the first transaction. Returns words for the journal, or nothing."""
        raise NotImplementedError

    def submit(self, client: RapiClient, target: T, params: P, reason: str) -> Submission:
        """The one change; what is asked before must be asked within PREPARED_WITHIN_S. Raises RapiError."""
        raise NotImplementedError

    def consequence_for(self, target: T) -> str:
        """What one should know before it is done to this target."""
        return str(self.consequence)

    def longest_s(self, params: Mapping[str, Any]) -> float | None:
        """Seconds that a running job of it takes at the longest, by the entry's parameters; None: it can't be told."""
        return None

    def is_shown_by(self, target: T) -> bool:
        """Whether the row of the target says what a success brings about. Ganeti may serve the old state a while."""
        return True

    def succeeded(self, entry: Entry) -> None:
        """Hook: the jobs ended well. Runs in the transaction that settles the entry."""

    def failed(self, entry: Entry) -> None:
        """Hook: the jobs failed, were cancelled, or never came to be."""

    def changes(self, target: T, params: P) -> Sequence[Change]:
        """Before and after, field by field, for the journal. Asked before anything is done."""
        return ()

    def journal_params(self, params: P) -> dict[str, Any]:
        """What the journal keeps of the parameters; never secrets."""
        return asdict(params) if is_dataclass(params) and not isinstance(params, type) else {}


AnyOperation = Operation[Any, Any]


@dataclass(frozen=True)
class Offer:
    """An operation as a button: usable, or with the reason why not."""

    operation: AnyOperation
    reason: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """Whether it can be done now by this person."""
        return not self.reason


def explain_obstacle(operation: AnyOperation, target: models.Model, *, known: Cluster | None = None) -> str | None:
    """Why no operation of this kind can be done on the target now: cluster away or read-only, other work, missing."""
    cluster = known or operation.cluster_of(target)
    if operation.changes_cluster and cluster is not None:
        if cluster.unreachable_since is not None:
            since = date_format(timezone.localtime(cluster.unreachable_since), "j M H:i T")
            return _("%(cluster)s has not been reachable since %(since)s. Actions are disabled until it answers.") % {
                "cluster": cluster,
                "since": since,
            }
        if cluster.is_read_only:
            return _("%s is read-only here: it has no RAPI user with write access, or was set so.") % cluster
    if getattr(target, "missing_since", None) is not None and operation.needs_target:
        return _("%s is no longer there: Ganeti does not list it.") % target
    if operation.excludes_others and isinstance(target, Busy) and target.is_busy:
        if target.busy_with in operation.overrules:
            return None
        return _describe_busy(target.busy_with)
    return None


def _describe_busy(name: str) -> str:
    """What keeps the target busy, by the name of its operation; one of another release is called by that name."""
    known = OPERATIONS.get(name)
    return _("%s is already in progress. Wait until it has ended.") % ((known.noun or known.label) if known else name)


def list_offers(
    user: User, target: models.Model, operations: Sequence[AnyOperation], held: frozenset[str]
) -> list[Offer]:
    """The operations as buttons for `user`, who holds the verbs `held` on the target (`permissions.policy.verbs_on`).

    Each is judged with its default parameters; what depends on parameters is judged when it is run.
    """
    offers = []
    for operation in operations:
        if operation.needs not in held:
            reason: str | None = access_of(type(target)).refuse(operation.needs)
        else:
            reason = explain_obstacle(operation, target) or operation.refusal(target, operation.params_type())
        offers.append(Offer(operation, reason or ""))
    return offers


def run(operation: Operation[T, P], actor: Actor, target: T, params: P) -> Entry:
    """Do `operation` on `target` for `actor`.

    Returns the journal entry, whose outcome says how far it came: `submitted` (jobs are under way), `done` (no job),
    `refused` (Ganeti said no, in `message`) or `unknown` (no answer; the job follower finds out).
    Raises Forbidden or Refusal when it was not even begun.
    """
    try:
        verdict = can(actor.user, operation.needs, target)
        if isinstance(verdict, Denied):
            raise Forbidden(verdict.reason)
        with place_for(operation.cluster_of(target) if operation.changes_cluster else None):
            target, entry = _prepare(operation, actor, target, params)
            if entry.outcome != Outcome.SUBMITTING:
                return entry
            return _send(operation, target, params, entry)
    except (Forbidden, TurnedAway) as error:
        outcome = Outcome.DENIED if isinstance(error, Forbidden) else Outcome.TURNED_AWAY
        note(**_describe(operation, actor, target, params), outcome=outcome, words=str(error))
        raise


def _describe(operation: Operation[T, P], actor: Actor, target: T, params: P) -> dict[str, Any]:
    """For the journal: who does what to which target."""
    cluster = operation.cluster_of(target)
    slug, key = (cluster.slug, cluster.pk) if cluster is not None else ("", None)
    return {
        "actor_id": actor.user.pk,
        "actor_name": actor.user.username,
        "persona_name": actor.persona.name if actor.persona is not None else actor.user.username,
        "via": actor.via,
        "verb": operation.name,
        "target": Target(operation.kind, target.pk, operation.name_of(target), slug, key, getattr(target, "uuid", "")),
        "params": operation.journal_params(params),
    }


@contextmanager
def place_for(cluster: Cluster | None) -> Iterator[None]:
    """Hold a place among the calls that wait for this cluster; None needs none. Raises Refusal if all are taken."""
    with ExitStack() as held:
        if cluster is not None:
            try:
                held.enter_context(CALLS.place(cluster.host, cluster.port))
            except Full as full:
                raise TurnedAway(str(full)) from full
        yield


def _prepare(operation: Operation[T, P], actor: Actor, target: T, params: P) -> tuple[T, Entry]:
    """First transaction: lock, judge, reserve, write down."""
    with transaction.atomic(durable=True):
        locked = type(target)._default_manager.select_for_update(of=("self",)).filter(pk=target.pk).first()
        if locked is None:
            raise Refusal(_("%s is gone.") % target)
        target = locked
        cluster = operation.cluster_of(target)
        site_right = operation.site_right(target, params)
        verdict = can(actor.user, site_right) if site_right else Allowed()
        if isinstance(verdict, Denied):
            raise Forbidden(verdict.reason)
        obstacle = explain_obstacle(operation, target, known=cluster) or operation.refusal(target, params)
        if obstacle:
            raise Refusal(obstacle)
        operation.reserve(target, params)
        entry = begin(
            **_describe(operation, actor, target, params),
            changes=operation.changes(target, params),
            tells=operation.changes_cluster,
        )
        if not operation.changes_cluster:
            advance(entry, Outcome.DONE, message=operation.perform(target, params))
        elif operation.excludes_others and isinstance(target, Busy):
            if not target.is_busy:
                target.busy_until = None
            target.busy_with, target.busy_entry, target.busy_since = operation.name, entry.uuid, timezone.now()
            target.save(update_fields=["busy_with", "busy_entry", "busy_since", "busy_until"])
    return target, entry


def _send(operation: Operation[T, P], target: T, params: P, entry: Entry) -> Entry:
    """The call, outside any transaction (the first one was durable), and its outcome in a second one."""
    cluster = operation.cluster_of(target)
    if cluster is None:
        raise TypeError(f"{operation.name} changes a cluster but names none")
    try:
        with _in_doubt_if_it_breaks(entry), client_for(cluster, changes_within_s=PREPARED_WITHIN_S) as client:
            submission = operation.submit(client, target, params, entry.reason)
    except RapiError as error:
        with transaction.atomic():
            if error.may_have_run:
                _keep_open(operation, entry, error)
            else:
                give_back(operation, entry, Outcome.REFUSED, words_of(error))
        return entry
    with transaction.atomic():
        accept(operation, cluster, entry, submission)
    return entry


@contextmanager
def _in_doubt_if_it_breaks(entry: Entry) -> Iterator[None]:
    """An error of this program during the call: the entry says so at once, and the job follower finds out the rest."""
    is_explained = False
    try:
        yield
        is_explained = True
    except RapiError:
        is_explained = True
        raise
    finally:
        if not is_explained:
            advance(entry, Outcome.UNKNOWN, message=_("This program failed during the call; its log has the details."))


def _keep_open(operation: AnyOperation, entry: Entry, error: RapiError) -> None:
    """No answer after sending. With a job to look for the follower takes over; without one, all is said."""
    if operation.leaves_job:
        advance(entry, Outcome.UNKNOWN, message=words_of(error))
    else:
        give_back(operation, entry, Outcome.FAILED, _("No answer: %s") % words_of(error))


def accept(operation: AnyOperation, cluster: Cluster, entry: Entry, submission: Submission) -> None:
    """Write down that Ganeti took the operation, and make the cluster due for an update."""
    if not submission.job_ids:
        advance(entry, Outcome.DONE, message=submission.message)
        release(entry)
    else:
        advance(entry, Outcome.SUBMITTED, message=submission.message, job_ids=list(submission.job_ids))
        for number in submission.job_ids:
            job, _created = Job.objects.get_or_create(
                cluster=cluster,
                ganeti_id=number,
                defaults={
                    "title": _("%(do)s %(target)s") % {"do": operation.label, "target": entry.target_name},
                    "received_at": timezone.now(),
                    "entry": entry,
                },
            )
            if job.entry_id is None:
                Job.objects.filter(pk=job.pk).update(entry=entry)
            JobTarget.objects.update_or_create(
                job=job,
                kind=KIND_IN_GANETI[operation.kind],
                name=entry.target_name,
                defaults={"cluster": cluster, "target_pk": entry.target_pk, "uuid": entry.target_uuid},
            )
    Cluster.objects.filter(pk=cluster.pk).update(sync_wanted_at=timezone.now())


def give_back(operation: AnyOperation | None, entry: Entry, outcome: Outcome, message: str) -> None:
    """The operation did not come to be: undo what was reserved, free the target, say why.

    Without an operation: its verb is of another release of ours; the target is freed all the same.
    """
    if advance(entry, outcome, message=message):
        if operation is not None:
            operation.failed(entry)
        release(entry)


# What Ganeti calls the kinds that the journal names.
KIND_IN_GANETI = {"vm": "instance", "node": "node", "cluster": "cluster", "job": "job"}


def release(entry: Entry) -> None:
    """Free whatever this entry keeps busy, or leave it to the operation that was overruled and is still under way."""
    for model in Busy.__subclasses__():
        rows = model._default_manager.filter(busy_entry=entry.uuid)
        if not rows.exists():
            continue
        others = Entry.objects.filter(
            target_kind=entry.target_kind, target_pk=entry.target_pk, outcome__in=OPEN_OUTCOMES
        )
        before = others.exclude(pk=entry.pk).order_by("-pk").first()
        if before is None:
            rows.update(busy_with="", busy_entry=None, busy_since=None, busy_until=None)
        else:
            rows.update(busy_with=before.verb, busy_entry=before.uuid, busy_since=before.created_at, busy_until=None)
