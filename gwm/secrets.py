"""The secrets file: generated at the first start, readable by its user alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from gwm.config import Config, SettingError, read_env_file

QUEUE_FOLDERS = ("messages", "processed", "control")
GENERATED = ("GWM_SECRET_KEY", "GWM_FIELD_KEYS", "GWM_CONSOLE_KEYS", "GWM_JOURNAL_KEYS")
_HEADER = """\
# Secrets of this installation, generated at its first start. Keep them with the backups of the database:
# without GWM_FIELD_KEYS the stored RAPI passwords cannot be read. docs/keys.md tells how to rotate them.
"""


def prepare_data_dir(environ: Mapping[str, str]) -> None:
    """Make the data directory and what must be in it before Django's settings are read."""
    directory = Config(environ).data_dir
    try:
        ensure_private_directory(directory)
        for folder in QUEUE_FOLDERS:
            (directory / "queue" / folder).mkdir(parents=True, exist_ok=True)
        ensure_secrets(directory / "secrets.env")
    except OSError as error:
        raise SettingError(
            "GWM_DATA_DIR", f"cannot write {directory} ({error.strerror}).", "Choose another with --data DIR."
        ) from None


def ensure_private_directory(path: Path) -> None:
    """Make the directory, for its user alone; an existing one keeps its owner and loses others' access."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)


def ensure_secrets(path: Path) -> list[str]:
    """Generate what is missing in the secrets file and return the names; what is there stays as it is."""
    present = read_env_file(path)
    missing = [name for name in GENERATED if not present.get(name)]
    if missing:
        text = path.read_text(encoding="utf-8") if path.exists() else _HEADER
        if not text.endswith("\n"):
            text += "\n"
        text += "".join(f"{name}={secrets.token_urlsafe(48)}\n" for name in missing)
        replace_private_file(path, text)
    elif path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return missing


def replace_private_file(path: Path, text: str) -> None:
    """Write a file that only its user can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
