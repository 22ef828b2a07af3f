"""`manage.py sync_clusters [NAME…]`: one update of each cluster, for cron, a systemd timer, or a person."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusters.models import Cluster
from gwm.live.reader import forget_old
from updates.cycle import Report, follow_cluster, sync_cluster
from updates.due import select_to_follow


class Command(BaseCommand):
    help = "Updates clusters from Ganeti, one after the other, and says what each update did."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="short names of clusters; all if left out")
        parser.add_argument("--json", action="store_true", help="a list of objects instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["names"]
        clusters = list(Cluster.objects.filter(slug__in=names) if names else Cluster.objects.all())
        unknown = set(names) - {cluster.slug for cluster in clusters}
        if unknown:
            raise CommandError(f"There is no cluster {', '.join(sorted(unknown))}.")
        reports = []
        for cluster in clusters:
            report = sync_cluster(cluster)
            if report.outcome == "updated" and select_to_follow().filter(pk=cluster.pk).exists():
                _add(report, follow_cluster(cluster))
            reports.append(report)
            if not options["json"]:
                self.stdout.write(describe(report))
        forget_old()  # where no beat runs, cron is who does it
        if options["json"]:
            self.stdout.write(json.dumps([report.as_dict() for report in reports], indent=2))
        elif not clusters:
            self.stdout.write("There is no cluster yet: add one with `manage.py add_cluster`.")
        failed = [report.cluster for report in reports if report.outcome == "failed"]
        if failed:
            raise CommandError(f"Not updated: {', '.join(failed)}.", returncode=1)


def _add(report: Report, more: Report) -> None:
    report.rapi_calls += more.rapi_calls
    report.seconds += more.seconds
    report.followed = report.followed + more.followed
    report.live_error = report.live_error or more.error


def describe(report: Report) -> str:
    """A report as one line, with a second for what is wrong."""
    if report.outcome == "skipped":
        return f"{report.cluster}: left alone. {report.error}"
    effort = f"{report.rapi_calls} calls, {report.seconds:.2f} s"
    if report.outcome == "failed":
        return f"{report.cluster}: FAILED ({report.error_kind}) after {effort}\n  {report.error}"
    tables = [f"{each.table} {each.created} new, {each.changed} changed" for each in report.written if each.rows]
    jobs = report.followed
    if jobs.jobs_written or jobs.machines_written:
        tables.append(f"jobs {jobs.jobs_written}, machines of jobs {jobs.machines_written}")
    line = f"{report.cluster}: {report.machines} machines, {effort}; rows written: {'; '.join(tables)}"
    return line + (f"\n  Live state is older: {report.live_error}" if report.live_error else "")
