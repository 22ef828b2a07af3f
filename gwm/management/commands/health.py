"""`manage.py health`: what is wrong with the service, and what to do; the page "Health" for a terminal."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import override

from gwm.health import describe, examine_clusters, examine_parts
from gwm.processes_seen import Part


class Command(BaseCommand):
    help = "Says of each part of the service and of each cluster how it is, and what to do. Exits 1 if a part is bad."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="an object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            parts, clusters = examine_parts(), _clusters()
        told = describe(parts, clusters)
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
        else:
            for part in (*parts, *clusters):
                self._say(part)
        if told["state"] == "bad":
            raise CommandError("A part of the service is not well.", returncode=1)

    def _say(self, part: Part) -> None:
        detail = f" ({part.detail})" if part.detail else ""
        self.stdout.write(f"{part.kind:6}{part.name}: {part.word}{detail}")
        if part.remedy:
            self.stdout.write(f"{'':6}{part.remedy}")


def _clusters() -> list[Part]:
    try:
        return examine_clusters()
    except DatabaseError:  # which is said of the database already
        return []
