"""What can be done to a job."""

from clusters.models import Cluster, Job, JobStatus
from clusters.operations.base import NoParams, Operation, Submission
from clusters.rapi.client import RapiClient


class CancelJob(Operation[Job, NoParams]):
    """Ask Ganeti to cancel a job; whether it stops is up to the opcode that runs."""

    name = "cancel"
    label = "Cancel"
    kind = "job"
    needs = "cancel"
    icon = "stop"
    question = "Cancel {target}?"
    consequence = "A job that runs already stops only where Ganeti can stop it; what it has done stays done."
    is_destructive = True
    excludes_others = False
    leaves_job = False

    def cluster_of(self, target: Job) -> Cluster:
        return target.cluster

    def name_of(self, target: Job) -> str:
        return f"job {target.ganeti_id}: {target.title}"[:255]

    def refusal(self, target: Job, params: NoParams) -> str | None:
        if target.is_final:
            return f"The job has ended already ({JobStatus(target.status).label})."
        if target.status == JobStatus.CANCELING:
            return "The job is being cancelled already."
        return None

    def submit(self, client: RapiClient, target: Job, params: NoParams, reason: str) -> Submission:
        _, message = client.cancel_job(target.ganeti_id, reason=reason)
        return Submission(message=message)
