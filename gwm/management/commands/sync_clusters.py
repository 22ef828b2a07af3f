"""`manage.py sync_clusters [NAME…]`: one update of each cluster and one pass over batches, for cron or a person."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusters.models import Cluster
from gwm.live.reader import forget_old
from operations.lanes import carry_on
from updates.cycle import sync_cluster
from updates.due import select_to_follow
from updates.follower import follow_cluster
from virtualmachines.counts import fold


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
                report.add(follow_cluster(cluster))
            reports.append(report)
            if not options["json"]:
                self.stdout.write(report.describe())
        forget_old()  # where no beat runs, cron is who does it
        fold()
        carry_on()
        if options["json"]:
            self.stdout.write(json.dumps([report.as_dict() for report in reports], indent=2))
        elif not clusters:
            self.stdout.write("There is no cluster yet: add one with `manage.py add_cluster`.")
        failed = [report.cluster for report in reports if report.outcome == "failed"]
        if failed:
            raise CommandError(f"Not updated: {', '.join(failed)}.", returncode=1)
