"""What operations on clusters, and on what is in them, share: whether the cluster can be asked, the call, its jobs."""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.utils import timezone

from clusters.bulkhead import CALLS, Full
from clusters.connection import client_for
from clusters.effort import note_failures
from clusters.models import Cluster, Job, JobTarget, Schedule
from clusters.saying import words_of
from objectlog.models import Entry
from objectlog.services import Target
from objectlog.statements import Update
from objectlog.words import gettext as _
from objectlog.words import joined, moment, told
from operations.contract import SITE, Ask, NotTaken, Operation, Shown, Submission, TurnedAway
from permissions.kinds import KINDS
from rapi.client import RapiClient
from rapi.commands import command_of
from rapi.errors import RapiError
from rapi.paths import NotSendable
from rapi.recording import Call, Recorder

T = TypeVar("T")
P = TypeVar("P")
# What an operation asks before it sends may take so long: who looks for a lost one relies on when it was sent at last.
PREPARED_WITHIN_S = 15.0
_WANT_UPDATE = Update(Schedule, "sync_wanted_at", where=("pk",), added=("operation_calls", "operation_seconds"))


class GanetiOperation(Operation[T, P]):
    """An operation on a cluster or on something in it. What is sent is one call, made by `submit`."""

    @abstractmethod
    def cluster_of(self, target: T) -> Cluster:
        """The cluster that is asked, or that the target belongs to."""

    def lane_of(self, target: T) -> str:
        return f"cluster {self.cluster_of(target).pk}" if self.sends else ""

    def submit(self, client: RapiClient, ask: Ask[T, P], reason: str) -> Submission:
        """The one change; what is asked before must be asked within PREPARED_WITHIN_S. Raises RapiError."""
        raise NotImplementedError

    def target_of(self, target: Any) -> Target:
        """With the key and the short name of the cluster."""
        if target is SITE:
            return super().target_of(target)
        cluster = self.cluster_of(target)
        return replace(super().target_of(target), cluster=cluster.slug, cluster_pk=cluster.pk)

    def obstacle_around(self, target: T) -> str | None:
        """The cluster is away, or may not be changed."""
        if not (self.sends and self.needs_reach):
            return None
        cluster = self.cluster_of(target)
        if cluster.unreachable_since is not None:
            return _("%(cluster)s has not been reachable since %(since)s. Actions are disabled until it answers.") % {
                "cluster": cluster,
                "since": moment(cluster.unreachable_since),
            }
        if cluster.is_read_only:
            return _("%s is read-only here: it has no RAPI user with write access, or was set so.") % cluster
        return None

    def ends_by_itself(self, target: T) -> bool:
        """A cluster answers again; one that may not be changed stays so until somebody says otherwise."""
        return self.sends and self.needs_reach and self.cluster_of(target).unreachable_since is not None

    @contextmanager
    def lane(self, target: T) -> Iterator[None]:
        """One of the places for calls that wait for this cluster."""
        cluster = self.cluster_of(target)
        with ExitStack() as held:
            try:
                held.enter_context(CALLS.place(cluster.host, cluster.port))
            except Full as full:
                raise TurnedAway(str(full)) from full
            yield

    def known_of(self, target: T) -> Mapping[str, Any]:
        """What `submit` asks of the target besides its uuid before it sends, as it is known here, by fields."""
        return {}

    def send(self, ask: Ask[T, P], entry: Entry, fence: Callable[[], None]) -> Submission:
        """The call, with the entry's reason."""
        try:
            cluster, within = self.cluster_of(ask.target), PREPARED_WITHIN_S
            with client_for(cluster, changes_within_s=within, only_dry_runs=ask.dry_run) as client:
                fence()
                try:
                    submission = self.submit(client, ask, entry.reason)
                except RapiError:
                    note_failures(cluster.pk, client, calls=client.calls, seconds=client.seconds)
                    raise
                if client.failures:  # and yet it was taken
                    note_failures(cluster.pk, client, calls=0, seconds=0.0)
                return replace(submission, cost=(client.calls, client.seconds))
        except RapiError as error:
            raise NotTaken(words_of(error), may_have_run=error.may_have_run) from error

    def rehearse(self, ask: Ask[T, P]) -> list[Shown]:
        """`submit`, with a client that only writes down. What can't be sent is not shown."""
        if not self.sends:
            return []
        recorder = Recorder(getattr(ask.target, "uuid", ""), partial(self.known_of, ask.target))
        try:
            self.submit(recorder, ask, "shown")
        except (RapiError, NotSendable):
            return []
        return [_show(call) for call in recorder.recorded]

    def accept(self, ask: Ask[T, P], entry: Entry, submission: Submission) -> None:
        """Follow the jobs, and make the cluster due for an update."""
        cluster = self.cluster_of(ask.target)
        # Who else writes jobs of the cluster locks it, too: what is not there now is not written meanwhile.
        if not Cluster.objects.select_for_update().order_by().filter(pk=cluster.pk).values_list("pk"):
            return  # it was removed during the call, and the entry says so
        title = joined(" ", [told(self.label), entry.target_name])
        called = _("Check: %s") % title if ask.dry_run else title
        for number in submission.job_ids:
            found = Job.objects.only("pk").order_by().filter(cluster=cluster, ganeti_id=number).first()
            job = found or Job.objects.create(
                cluster=cluster,
                ganeti_id=number,
                title=called,
                received_at=timezone.now(),
                entry=entry,
            )
            if found is not None:  # whoever follows jobs was faster: it is called as all others of ours all the same
                Job.objects.filter(pk=job.pk).update(entry=entry, title=called)
            kind = KINDS[entry.target_kind].in_ganeti
            # As what Ganeti tells of a job is kept (`clusters.sync.touched`): of its cluster it says no name.
            name = kind if kind == "cluster" else entry.target_name
            named: dict[str, Any] = {"job": job, "kind": kind, "name": name}
            about: dict[str, Any] = {"cluster": cluster, "target_pk": entry.target_pk, "uuid": entry.target_uuid}
            if found is None:  # what nobody else has seen yet has no targets
                JobTarget.objects.create(**named, **about)
            else:
                JobTarget.objects.update_or_create(**named, defaults=about)
        _WANT_UPDATE.run(timezone.now(), *submission.cost, cluster.pk)


def _show(call: Call) -> Shown:
    query = f"?{urlencode(call.query)}" if call.query else ""
    body = json.dumps(call.body, indent=2, ensure_ascii=False) if call.body else ""
    return Shown(f"{call.method} {call.path}{query}", body, command_of(call))
