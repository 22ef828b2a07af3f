"""`manage.py explain USER VERB TARGET`: why somebody may do something, or why not."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from people.explaining import explain
from people.words import EVERYTHING, list_typed, read_any, read_person
from permissions.kinds import KINDS


class Command(BaseCommand):
    help = "Says why somebody may do something, or why not: grants, roles, teams, what has ended, who could grant it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("verb", help="such as view, power, admin; for “everything” a verb of the site")
        parser.add_argument("target", metavar="TARGET", help=f"{list_typed(KINDS.values())} or {EVERYTHING}")

    def handle(self, *args: Any, **options: Any) -> None:
        for line in explain(read_person(options["user"]), options["verb"], read_any(options["target"])):
            self.stdout.write(line)
