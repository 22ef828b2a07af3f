"""`manage.py export_cluster CLUSTER FILE`: what we keep of a cluster, for another installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusters.models import Cluster
from gwm.records.exporting import export_cluster
from gwm.records.file import RecordError, write_record


class Command(BaseCommand):
    help = (
        "Writes what is kept here of a cluster and not in Ganeti into a file: rights, owners, quotas, templates, "
        "notes. manage.py import_cluster does it again in another installation. No password, key or journal is in it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cluster", help="its short name")
        parser.add_argument("file", help="the file to write; there must be none")

    def handle(self, *args: Any, **options: Any) -> None:
        cluster = Cluster.objects.filter(slug=options["cluster"]).first()
        if cluster is None:
            raise CommandError(f"There is no cluster “{options['cluster']}”.")
        if not cluster.uuid:
            raise CommandError(f"{cluster} was never read, so nothing could be told to be of it.")
        head, steps = export_cluster(cluster)
        try:
            write_record(Path(options["file"]).absolute(), head, steps)
        except RecordError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: {len(steps)} steps that make the record of {cluster} again.")
