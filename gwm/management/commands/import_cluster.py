"""`manage.py import_cluster FILE CLUSTER`: do again what another installation kept of a cluster."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusters.models import Cluster
from gwm.records.file import RecordError, Step, read_record
from gwm.records.importing import Missing, describe_known, find_missing, import_record, require_same
from objectlog.models import Via
from operations.contract import Actor
from permissions.selectors import find_user

# So many of what could not be done are told one by one.
MOST_TOLD = 50


class Command(BaseCommand):
    help = (
        "Does what manage.py export_cluster has written for a cluster that was added here before and has been read. "
        "Each step is an operation of its own, with the rights of --as, and is journalled. What is so already is "
        "passed over, so a file can be imported again, such as when somebody who was missing has an account."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="what manage.py export_cluster has written")
        parser.add_argument("cluster", help="its short name here")
        parser.add_argument("--as", dest="user", required=True, metavar="USER", help="who does it")
        parser.add_argument("--check", action="store_true", help="do nothing; say what there is and who is missing")

        parser.add_argument(
            "--over-quota",
            action="store_true",
            help="for administrators: give machines to owners although they exceed their quota; the journal says so",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["user"])
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”.")
        cluster = Cluster.objects.filter(slug=options["cluster"]).first()
        if cluster is None:
            raise CommandError(f"There is no cluster “{options['cluster']}”. Add it first: manage.py add_cluster")
        try:
            head, steps = read_record(Path(options["file"]))
            require_same(head, cluster)
        except RecordError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{head.slug} of {head.made}: {len(steps)} steps.")
        missing = find_missing(steps, cluster)
        self._tell_missing(missing)
        if options["check"]:
            self._tell("Here already, so compare whether they are the same", describe_known(steps))
            self._tell_steps(steps)
            return
        went = import_record(steps, cluster, Actor(user, Via.CLI, over_quota=options["over_quota"]))
        self.stdout.write(f"{went.done} done, {went.already} were so already, {len(went.failed)} not done.")
        for step, why in went.failed[:MOST_TOLD]:
            self.stderr.write(f"  {step}: {why}")
        if len(went.failed) > MOST_TOLD:
            self.stderr.write(f"  … and {len(went.failed) - MOST_TOLD} more.")
        if went.failed:
            raise CommandError("Mend what is in the way, such as accounts that are missing, and import it again.")

    def _tell_missing(self, missing: Missing) -> None:
        for what, names in (("People without an account here", missing.people), ("Machines", missing.machines)):
            self._tell(what, names)

    def _tell(self, what: str, names: list[str]) -> None:
        if names:
            more = f" … and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
            self.stdout.write(f"{what}, {len(names)}: {', '.join(names[:MOST_TOLD])}{more}")

    def _tell_steps(self, steps: list[Step]) -> None:
        for do, count in sorted(Counter(step.do for step in steps).items()):
            self.stdout.write(f"  {count:>6} {do}")
