"""One pass over the open jobs of one cluster."""

from time import perf_counter

from clusters.models import Cluster
from clusters.sync.jobs import list_jobs, load_known_jobs
from clusters.sync.readings import Readings
from rapi.errors import RapiError
from sealing.fields import SecretUnreadable
from updates.due import bring_forward
from updates.leases import following
from updates.listing import digest_listing
from updates.report import Report, counting_client


def follow_cluster(cluster: Cluster) -> Report:
    """Look after the open jobs of one cluster, and what they touch. A failure makes the cluster due for an update."""
    report = Report(cluster.slug)
    began = perf_counter()
    with following(cluster, report) as lease:
        if lease is None:
            report.outcome = "skipped"
            return report
        try:
            with counting_client(cluster, report) as client:
                readings = Readings(client, cluster.query_troubles)
                listing = list_jobs(readings, load_known_jobs(cluster))
                report.followed = digest_listing(cluster, client, readings, listing)
        except (RapiError, SecretUnreadable, ValueError) as error:
            report.outcome, report.error = "failed", str(error)
            bring_forward(cluster)
        except Cluster.DoesNotExist:
            report.outcome = "skipped"
    report.seconds = perf_counter() - began
    return report
