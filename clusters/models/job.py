"""Ganeti's jobs, ours and everybody else's, and the objects they work on."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clusters.models.cluster import Cluster
from objectlog.models import Entry
from objectlog.words import ToldField
from permissions.access import Access, Related

_OF_CLUSTER = {
    "admin": frozenset({"view", "cancel"}),
    "migrate": frozenset({"view"}),
    "replace_disks": frozenset({"view"}),
    "audit": frozenset({"view"}),
}
_OF_MACHINE = {
    "admin": frozenset({"view", "cancel"}),
    "power": frozenset({"view", "cancel"}),
    "console": frozenset({"view"}),
    "modify": frozenset({"view"}),
    "remove": frozenset({"view"}),
    "tags": frozenset({"view"}),
}
# What touches no row that we know is for cluster admins and auditors alone.
_TIED = frozenset({"migrate", "replace_disks"})


class JobStatus(models.TextChoices):
    """Ganeti's job states, and one for a job it has forgotten."""

    QUEUED = "queued", _("queued")
    WAITING = "waiting", _("waiting")
    CANCELING = "canceling", _("being cancelled")
    RUNNING = "running", pgettext_lazy("job", "running")
    CANCELED = "canceled", _("cancelled")
    SUCCESS = "success", _("succeeded")
    ERROR = "error", _("failed")
    LOST = "lost", _("lost: Ganeti has forgotten it")


class Job(models.Model):
    """One job. Immutable once `status` is final."""

    FINAL = (JobStatus.CANCELED, JobStatus.SUCCESS, JobStatus.ERROR, JobStatus.LOST)

    access = Access(
        noun=_("job"),
        brought={"cancel": _("Cancel or clear it")},
        refusals={"cancel": _("You may not cancel or clear this job (needs cancel).")},
        parent="cluster",
        from_parent=_OF_CLUSTER,
        related=Related(
            model="virtualmachines.VirtualMachine",
            through="targets",
            kind="instance",
            gives=_OF_MACHINE,
            needs_all=frozenset({"cancel"}),
            needs_tie=_TIED,
        ),
    )

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="jobs")
    ganeti_id = models.BigIntegerField(help_text="Ganeti's number of the job on its cluster")
    entry = models.ForeignKey(Entry, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    status = models.CharField(max_length=12, choices=JobStatus.choices, default=JobStatus.QUEUED)
    title = ToldField(blank=True, help_text="in words: what the job does to what")
    summary = models.JSONField(default=list, blank=True, help_text="Ganeti's summary of each opcode")
    opcodes = models.JSONField(default=list, blank=True, help_text="OP_ID and parameters, without secrets")
    opcode_statuses = models.JSONField(default=list, blank=True)
    log = models.JSONField(
        default=list, blank=True, help_text="[serial, seconds since 1970, opcode number, text] of each line"
    )
    results = models.JSONField(
        default=list, db_default=[], blank=True, help_text="what each opcode gave, once the job has ended well"
    )
    error = ToldField(blank=True, help_text="why it failed, in Ganeti's words")
    waiting_for = models.JSONField(
        default=list, blank=True, help_text="locks it waits for: {lock, mode, holders: [job numbers]}"
    )
    received_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True, help_text="when somebody took note of its failure")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="when an update last read it")

    class Meta:
        ordering = ["-received_at", "-ganeti_id"]
        constraints = [models.UniqueConstraint(fields=["cluster", "ganeti_id"], name="job_once")]
        indexes = [
            models.Index(fields=["status", "ended_at"], name="job_ended"),  # which failed lately, for every page
            models.Index(fields=["-received_at"], name="job_received"),
            models.Index(fields=["cluster", "-ganeti_id"], name="job_of_cluster"),
        ]

    def __str__(self) -> str:
        return f"{self.ganeti_id} {self.title}"

    @property
    def is_final(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.status in self.FINAL


class JobTarget(models.Model):
    """An object that a job works on: the row it was tied to when this was written, and its name at that time.

    Without a key it is not known which row was meant (see `clusters.naming`): then cluster admins and
    auditors alone see it.
    """

    access = Access(
        noun=_("object of a job"),
        parent="cluster",
        from_parent=_OF_CLUSTER,
        related=Related(model="virtualmachines.VirtualMachine", kind="instance", gives=_OF_MACHINE, needs_tie=_TIED),
    )

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="targets")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, help_text="instance, node, group, network or cluster")
    target_pk = models.BigIntegerField(null=True, blank=True, help_text="key of the row in the table of its kind")
    uuid = models.CharField(max_length=36, blank=True, help_text="Ganeti's identity of the object")
    name = models.CharField(max_length=255)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "target_pk"], name="jobtarget_row"),
            models.Index(fields=["cluster", "kind", "name"], name="jobtarget_object"),
        ]
        constraints = [models.UniqueConstraint(fields=["job", "kind", "name"], name="jobtarget_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
