"""The passphrase of a backup: from the environment, a file, or a person. Never from the command line, which all of a
machine's users can read."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings

from gwm.backups.file import BackupError


def add_passphrase_option(parser: ArgumentParser) -> None:
    """What commands take."""
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        help="file whose first line is the passphrase; - for standard input; else GWM_BACKUP_PASSPHRASE, or asked for",
    )


def read_passphrase(file: str | None, *, asks: bool, is_new: bool = False) -> str:
    """Empty: there is none. Raises BackupError."""
    if file == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, ValueError) as error:
            raise BackupError(f"--passphrase-file: {error}") from error
    if settings.GWM_BACKUP_PASSPHRASE or not asks or not sys.stdin.isatty():
        return str(settings.GWM_BACKUP_PASSPHRASE)
    passphrase = getpass.getpass("Passphrase for keys and settings (empty: without them): ")
    if is_new and passphrase and getpass.getpass("Again: ") != passphrase:
        raise BackupError("These were two passphrases.")
    return passphrase
