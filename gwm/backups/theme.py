"""The theme of an installation (docs/themes.md), which lies in files: into a backup, and back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from gwm.backups.file import BackupError

#: what is read of a theme; whatever else lies in its directory, such as a repository, is somebody's own
_FILE, _FOLDERS = "theme.toml", ("static", "templates")


def is_of_theme(name: str) -> bool:
    """Whether a theme has a file of this name: nothing that leads out of its directory."""
    parts = PurePosixPath(name).parts
    if "/".join(parts) != name or "\0" in name or any(part.startswith(".") for part in parts):
        return False
    return name == _FILE or (len(parts) > 1 and parts[0] in _FOLDERS)


def read_files(directory: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a theme by their names; none, if nobody made one. Raises BackupError."""
    found = [directory / _FILE, *(path for folder in _FOLDERS for path in sorted((directory / folder).rglob("*")))]
    for path in found:
        name = path.relative_to(directory).as_posix()
        if path.is_file() and is_of_theme(name):
            try:
                yield name, path.read_bytes()
            except OSError as error:
                raise BackupError(f"{path} of the theme can't be read: {error.strerror}.") from error


def keep_files(files: Iterable[tuple[str, bytes]], aim: Path, data_dir: Path, say: Callable[[str], object]) -> None:
    """They become the theme of this installation. What was there lies beside it; where nobody may write there, they
    lie in the data directory. Raises BackupError."""
    theme = dict(files)
    if not theme or theme == dict(read_files(aim)):
        return
    beside = aim.with_name(f"{aim.name}.before-restore")
    draft = aim.with_name(f".{aim.name}.new")
    try:
        _write(theme, draft)
        if aim.exists():
            shutil.rmtree(beside, ignore_errors=True)
            aim.rename(beside)
            say(f"The theme of before is in {beside}.")
        draft.rename(aim)
        say(f"The theme of the backup is in {aim}: {len(theme)} files.")
    except OSError as error:
        aside = data_dir / "theme.restored"
        if aim == aside:
            raise BackupError(f"The theme can't be written to {aim}: {error.strerror}.") from error
        say(f"{aim} can't be written: {error.strerror}.")
        keep_files(theme.items(), aside, data_dir, say)


def _write(theme: dict[str, bytes], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in theme.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
