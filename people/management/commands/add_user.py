"""`manage.py add_user NAME`: an account without any right, until accounts have a page."""

from argparse import ArgumentParser
from getpass import getpass
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from permissions.models import User


class Command(BaseCommand):
    help = "Adds an account that may do nothing yet; `grant` gives it rights."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name")
        parser.add_argument("--password-file", help="file whose first line is the password; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User(username=options["name"])
        try:
            user.clean_fields(exclude=["password"])
            user.validate_unique()
            password = read_password(options["password_file"])
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.set_password(password)
        user.save()
        self.stdout.write(
            f"{user} added. Give rights with: manage.py grant {user} power --on CLUSTER/MACHINE --as ADMIN"
        )


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
