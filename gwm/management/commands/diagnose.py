"""`manage.py diagnose`: a file to attach to a report, without secrets and without names."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gwm.diagnosing.bundle import NotWritten, gather, write


class Command(BaseCommand):
    help = (
        "Writes a file to attach to a report: versions, settings without secrets, health, tables, updates, units, "
        "disks, clocks, the end of the log. Names of people, machines and addresses have stand-ins. Works while the "
        "database or Redis is away. Look through it before you give it away."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", metavar="FILE", help="the file to write (.tar.gz); there must be none")
        parser.add_argument("--log", metavar="FILE", help="take the end of this log, not of systemd's journal")
        parser.add_argument("--with-names", action="store_true", help="names and addresses as they are")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["output"] or f"gwm-diagnose-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar.gz").absolute()
        bundle = gather(Path(options["log"]) if options["log"] else None, with_names=options["with_names"])
        try:
            write(bundle, path)
        except NotWritten as error:
            raise CommandError(str(error)) from error
        for part, why in bundle.troubles.items():
            self.stderr.write(f"Left out: {part} ({why})")
        self.stdout.write(f"{path}: {len(bundle.texts)} parts, {path.stat().st_size} bytes.")
        if options["with_names"]:
            self.stdout.write("It has no secrets. Names and addresses are in it.")
        else:
            self.stdout.write("It has no secrets, and stand-ins for names and addresses. Look through it all the same.")
