"""The theme of an installation (docs/themes.md), which lies in files: into a backup, and back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from gwm.backups.file import BackupError

#: what is read of a theme; whatever else lies in its directory, such as a repository, is somebody's own
_FILE, _FOLDERS = "theme.toml", ("static", "templates")


def is_of_theme(name: str) -> bool:
    """Whether a theme has a file of this name: nothing that leads out of its directory."""
    parts = PurePosixPath(name).parts
    if "/".join(parts) != name or not name.isprintable() or any(part.startswith(".") for part in parts):
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


@dataclass(frozen=True)
class Draft:
    """A theme that is written and not in use yet."""

    folder: Path
    aim: Path
    number: int

    def put(self, say: Callable[[str], object]) -> None:
        """It becomes that of this installation; what was there lies beside it. Raises BackupError."""
        beside = self.aim.with_name(f"{self.aim.name}.before-restore")
        try:
            if self.aim.exists():
                shutil.rmtree(beside, ignore_errors=True)
                self.aim.rename(beside)
                say(f"The theme of before is in {beside}.")
            self.folder.rename(self.aim)
        except OSError as error:
            words = f"All rows are restored, but the theme is still in {self.folder}"
            raise BackupError(f"{words}: {self.aim} can't be written ({error.strerror}).") from error
        say(f"The theme of the backup is in {self.aim}: {self.number} files.")

    def drop(self) -> None:
        """It is not wanted after all."""
        shutil.rmtree(self.folder, ignore_errors=True)


def draft_files(
    read: Callable[[], Iterable[tuple[str, bytes]]], aim: Path, data_dir: Path, say: Callable[[str], object]
) -> Draft | None:
    """Files of a backup, written beside the theme that they are to be; where nobody may write there, in the data
    directory. None: there are none, or they are those in use. Raises BackupError."""
    wanted = {name: sha256(content).digest() for name, content in read()}
    if not wanted or wanted == {name: sha256(content).digest() for name, content in read_files(aim)}:
        return None
    draft = Draft(aim.with_name(f".{aim.name}.new"), aim, len(wanted))
    try:
        _write(read(), draft.folder)
    except OSError as error:
        draft.drop()
        aside = data_dir / "theme.restored"
        if aim == aside:
            raise BackupError(f"The theme can't be written to {aim}: {error.strerror}.") from error
        say(f"{aim} can't be written: {error.strerror}.")
        return draft_files(read, aside, data_dir, say)
    return draft


def _write(theme: Iterable[tuple[str, bytes]], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in theme:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
