"""`manage.py rotate_keys`: new keys for everything, in one go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gwm.backups.file import BackupError
from gwm.backups.keys import rotate_keys


class Command(BaseCommand):
    help = (
        "Makes new keys in secrets.env and seals everything anew with them. Stop the product before: what runs goes on "
        "sealing with the old ones. Everybody signs in again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rotate_keys(self.stdout.write)
        except BackupError as error:
            raise CommandError(str(error)) from error
