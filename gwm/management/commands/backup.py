"""`manage.py backup FILE`: all there is in one file; `--dir DIR --keep N` for every night."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gwm.backups.asking import add_passphrase_option, read_passphrase
from gwm.backups.file import BackupError
from gwm.backups.whole import Done, make_backup, make_nightly


class Command(BaseCommand):
    help = (
        "Writes database, keys and settings into one file, while all runs. Keys and settings are sealed by a "
        "passphrase (GWM_BACKUP_PASSPHRASE, --passphrase-file, or asked for), without one left out. manage.py restore "
        "brings it back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("file", nargs="?", help="the file to write; there must be none")
        where.add_argument("--dir", metavar="DIR", help="directory for a file that is named by the time")
        parser.add_argument("--keep", type=int, default=14, metavar="N", help="with --dir: so many are kept (14)")
        add_passphrase_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["dir"]
        try:
            passphrase = read_passphrase(options["passphrase_file"], asks=not folder, is_new=True)
            if folder:
                path, done, old = make_nightly(Path(folder), options["keep"], passphrase)
            else:
                path, old = Path(options["file"]).absolute(), []
                done = make_backup(path, passphrase)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self._tell(path, done)
        for each in old:
            self.stdout.write(f"Deleted: {each}")

    def _tell(self, path: Path, done: Done) -> None:
        self.stdout.write(f"{path}: {done.rows} rows of {done.tables} tables, {path.stat().st_size} bytes.")
        if done.has_keys:
            self.stdout.write("Keys and settings are in it, sealed by the passphrase. Keep that elsewhere.")
        else:
            self.stdout.write(
                "Keys and settings are NOT in it, as there is no passphrase: keep secrets.env too. Without it no "
                "stored password can be read and the journal can't be verified."
            )
