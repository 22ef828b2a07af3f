"""`manage.py prepare`: data directory, secrets, tables, first account. For installations that do not use `up`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gwm.preparation import prepare_database


class Command(BaseCommand):
    """Prepare and end."""

    help = "Make the data directory, generate secrets, bring the database up to date, make the first account."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the option that manage.py has read already."""
        parser.add_argument("--data", metavar="DIR", help="data directory (GWM_DATA_DIR)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare; repeating it is safe."""
        prepare_database(self.stdout.write)
