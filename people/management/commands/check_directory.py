"""`manage.py check_directory`: what the worker does every few minutes, now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.models import Via
from people.directory.accounts import directory
from people.directory.asking import NoAnswer
from people.directory.checking import Doubtful, check


class Command(BaseCommand):
    help = "Asks the LDAP directory about all accounts that are connected to it, and puts out who has left it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sure", action="store_true", help="also if most of them seem to have left")

    def handle(self, *args: Any, **options: Any) -> None:
        there = directory()
        if there is None:
            raise CommandError("No directory is set (GWM_LDAP_FILE).")
        try:
            seen = check(Via.CLI, is_sure=options["sure"])
        except NoAnswer as error:
            raise CommandError(f"{there.name} does not answer: {error}. Nobody was signed out.") from error
        except Doubtful as error:
            raise CommandError(f"{error} If it is so: --sure.") from error
        if seen is None:
            raise CommandError("It is being checked just now.")
        self.stdout.write(f"{seen.asked} accounts were compared, {seen.put_out} were put out.")
        for problem in seen.problems:
            self.stdout.write(problem)
