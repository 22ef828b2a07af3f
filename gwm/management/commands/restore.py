"""`manage.py restore FILE`: what `manage.py backup` has written, in place of what there is."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gwm.backups.asking import add_passphrase_option, read_passphrase
from gwm.backups.file import BackupError
from gwm.backups.whole import restore_backup


class Command(BaseCommand):
    help = (
        "Restores a backup, all of it or nothing, and verifies the journal. Stop the product before. Keys come back "
        "with the passphrase (GWM_BACKUP_PASSPHRASE, --passphrase-file, or asked for); without it those here stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="what manage.py backup has written, for any database")
        parser.add_argument("--replace", action="store_true", help="delete what is in this database")
        parser.add_argument(
            "--unverified", action="store_true", help="restore although the journal can't be verified; say why it can't"
        )
        add_passphrase_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            passphrase = read_passphrase(options["passphrase_file"], asks=True)
            done = restore_backup(
                Path(options["file"]),
                passphrase,
                replaces=options["replace"],
                is_unverified=options["unverified"],
                say=self.stdout.write,
            )
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored: {done.rows} rows of {done.tables} tables, as many as the backup says.")
