"""`manage.py add_user NAME`: person.add for who sits at the server and is asked for the password."""

from argparse import ArgumentParser
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.models import Via
from operations.contract import SITE, Actor, Ask, Forbidden, Refusal
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from people.selectors import list_administrators
from people.words import read_person
from permissions.models import User


class Command(BaseCommand):
    help = "Adds an account that may do nothing yet; `grant` gives it rights."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name")
        parser.add_argument("--password-file", help="file whose first line is the password; - for standard input")
        parser.add_argument(
            "--as", dest="actor", metavar="USER", help="who acts; needless while there is one to choose"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, add = options["name"], OPERATIONS["person.add"]
        actor = Actor(read_person(options["actor"]) if options["actor"] else _only_administrator(), Via.CLI)
        given = {"username": name, "password": read_password(options["password_file"])}
        try:
            run(add, Ask(actor, SITE, params_from(add, actor, SITE, given)))
        except (Forbidden, Refusal) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{name} added. Give rights with: manage.py grant {name} power --on CLUSTER/MACHINE --as {actor.user}"
        )


def _only_administrator() -> User:
    """Who must have meant it, where nobody is named. CommandError."""
    found = list_administrators()
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"There are several administrators: say who acts, for example --as {found[0]}.")
    raise CommandError("There is no administrator. Make one with: manage.py rescue_admin NAME")


def read_password(file: str | None) -> str:
    """Asked for twice, or the first line of a file. CommandError."""
    if file is None:
        password = getpass("Password: ")
        if getpass("Password again: ") != password:
            raise CommandError("The two passwords differ.")
        return password
    if file == "-":
        return input().rstrip("\r\n")
    try:
        return Path(file).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except OSError as error:
        raise CommandError(f"--password-file: {error}") from error
