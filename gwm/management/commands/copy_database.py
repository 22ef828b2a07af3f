"""`manage.py copy_database URL`: from SQLite to PostgreSQL, or between any two; checked row by row."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from gwm.backups.copying import copy_database
from gwm.backups.file import BackupError


class Command(BaseCommand):
    help = (
        "Copies all rows of the database in use into an empty one, and compares each. Stop the product before. "
        "Sessions are not copied: everybody signs in again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("url", nargs="?", help="address of the empty one, as in DATABASE_URL, without a password")
        where.add_argument(
            "--url-file", metavar="FILE", help="file whose first line is the address; - for standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            copied = copy_database(self._read(options["url"], options["url_file"]), self.stdout.write)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{copied} rows are there, each the same as here. Set DATABASE_URL to that database, and start."
        )

    def _read(self, url: str | None, file: str | None) -> str:
        if url:
            if urlsplit(url).password:
                raise CommandError(
                    "A password on a command line can be read by all who use this machine. Write the address into a "
                    "file: --url-file FILE, or - for standard input."
                )
            return url
        if file == "-":
            return input().strip()
        try:
            return Path(str(file)).read_text(encoding="utf-8").split("\n", 1)[0].strip()
        except OSError as error:
            raise CommandError(f"--url-file: {error}") from error
