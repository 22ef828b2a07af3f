"""What can be done to a job."""

from django.utils import timezone
from django.utils.translation import gettext_lazy

from clusters.models import Cluster, Job, JobStatus
from clusters.operations.ganeti import GanetiOperation
from objectlog.words import gettext as _
from operations.contract import Ask, NoParams, Submission
from rapi.client import RapiClient
from rapi.errors import Refused


class _OnJob(GanetiOperation[Job, NoParams]):
    """What they share."""

    kind = "job"
    needs = "cancel"
    locks = False

    def cluster_of(self, target: Job) -> Cluster:
        return target.cluster

    def name_of(self, target: Job) -> str:
        return _("job %(number)s: %(title)s") % {"number": target.ganeti_id, "title": target.title}


class CancelJob(_OnJob):
    """Ask Ganeti to cancel a job; whether it stops is up to the opcode that runs."""

    verb = "cancel"
    label = gettext_lazy("Cancel job")
    way_out = gettext_lazy("Keep running")
    icon = "stop"
    question = gettext_lazy("Cancel {target}?")
    consequence = gettext_lazy(
        "A job that runs already stops only where Ganeti can stop it; what it has done stays done."
    )
    is_destructive = True
    leaves_job = False

    def obstacle(self, target: Job) -> str | None:
        if target.is_final:
            return _("The job has ended already (%s).") % JobStatus(target.status).label
        if target.status == JobStatus.CANCELING:
            return _("The job is being cancelled already.")
        return None

    def submit(self, client: RapiClient, ask: Ask[Job, NoParams], reason: str) -> Submission:
        answer = client.cancel_job(ask.target.ganeti_id, reason=reason)
        if not answer.accepted:
            raise Refused(answer.message, text=answer.message)
        return Submission(message=answer.message)


class ClearJob(_OnJob):
    """Take note of a failure: it is no longer shown with its objects and on the overview. The job itself stays."""

    verb = "clear"
    label = gettext_lazy("Clear")
    icon = "check"
    question = gettext_lazy("Clear the failure of {target}?")
    consequence = gettext_lazy(
        "It is no longer shown with its machine and on the overview. It stays in the list of jobs."
    )
    sends = False

    def obstacle(self, target: Job) -> str | None:
        if target.status != JobStatus.ERROR:
            return _("Only a job that has failed can be cleared.")
        return _("It was cleared already.") if target.cleared_at is not None else None

    def perform(self, ask: Ask[Job, NoParams]) -> str:
        Job.objects.filter(pk=ask.target.pk).update(cleared_at=timezone.now())
        return ""
