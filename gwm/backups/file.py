"""The file of a backup: lines of JSON, packed by gzip.

The first line says what it is (`Head`), then each table has a line with its name and columns and one a row, each file
of the theme has a line, and the last line has the number of rows and the SHA-256 of all before it. Settings and keys
stand in the last line, too, sealed by a passphrase together with that checksum, so that who does not know it can't
change a row without being found out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gwm.new_file import new_file

FORMAT = "ganeti-web-manager backup 1"
# No line of ours is as long; one that is longer is not read, whatever it unpacks to.
LONGEST_LINE = 64 * 1024 * 1024
LARGEST_FILE = 32 * 1024 * 1024
# All files of a theme.
LARGEST_THEME = 256 * 1024 * 1024
# What a line may hold: a hundred megabytes of text are one value, of commas they would be gigabytes.
MOST_VALUES = 2_000_000
SHORTEST_PASSPHRASE = 12


class BackupError(Exception):
    """It can't be made or used; the text says why, and what to do."""


@dataclass(frozen=True)
class Head:
    """What a backup says of itself."""

    version: str
    made: str
    database: str
    migrations: list[str]
    rows: dict[str, int]
    keys: str
    settings: dict[str, str] = field(default_factory=dict)
    format: str = FORMAT


@dataclass(frozen=True)
class File:
    """One of the theme."""

    name: str
    content: bytes


@dataclass(frozen=True)
class End:
    """Its last line, checked."""

    sha256: str
    sealed: dict[str, str] | None

    def open(self, passphrase: str) -> dict[str, str]:
        """What is sealed: texts by their names. Raises BackupError."""
        if self.sealed is None:
            raise BackupError("Keys and settings were left out of this backup; no passphrase opens anything in it.")
        try:
            salt, nonce, box = (base64.b64decode(self.sealed[name], validate=True) for name in ("salt", "nonce", "box"))
            opened = AESGCM(_derive(passphrase, salt)).decrypt(nonce, box, self.sha256.encode())
        except InvalidTag:
            raise BackupError("That is not its passphrase, or somebody changed the file.") from None
        except (ValueError, TypeError, KeyError):
            raise BackupError("The file is damaged: its sealed part can't be read.") from None
        texts = json.loads(opened)
        return {str(name): str(text) for name, text in texts.items()}


def seal(texts: dict[str, str], passphrase: str, sha256: str) -> dict[str, str]:
    """Texts for the last line."""
    salt, nonce = os.urandom(16), os.urandom(12)
    box = AESGCM(_derive(passphrase, salt)).encrypt(nonce, json.dumps(texts).encode(), sha256.encode())
    return {name: base64.b64encode(part).decode() for name, part in (("salt", salt), ("nonce", nonce), ("box", box))}


def _derive(passphrase: str, salt: bytes) -> bytes:
    """Costs 64 MiB and a fifth of a second. The numbers belong to the format: a file can't ask for more."""
    return Scrypt(salt=salt, length=32, n=2**16, r=8, p=1).derive(passphrase.encode())


class Writer:
    """Writes the lines."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self._stream = stream
        self._sum = hashlib.sha256()
        self._rows: dict[str, int] = {}
        self._of_theme = 0

    def head(self, head: Head) -> None:
        """The first line."""
        self._line(asdict(head))

    def table(self, label: str, names: list[str], rows: Iterable[list[Any]]) -> None:
        """One table with its rows."""
        self._line({"table": label, "columns": names})
        self._rows[label] = 0
        for row in rows:
            self._line(row)
            self._rows[label] += 1

    def file(self, name: str, content: bytes) -> None:
        """A file of the theme."""
        if len(content) > LARGEST_FILE:
            raise BackupError(f"{name} of the theme is too large for a backup: {LARGEST_FILE >> 20} MiB at most.")
        self._of_theme += len(content)
        if self._of_theme > LARGEST_THEME:
            raise BackupError(f"The theme is too large for a backup: {LARGEST_THEME >> 20} MiB at most.")
        self._line({"file": name, "content": base64.b64encode(content).decode()})

    def end(self, texts: dict[str, str], passphrase: str) -> None:
        """The last line; without a passphrase nothing is sealed in it."""
        sha256 = self._sum.hexdigest()
        sealed = seal(texts, passphrase, sha256) if passphrase else None
        self._line({"end": {"rows": self._rows, "sha256": sha256, "sealed": sealed}})

    def _line(self, content: Any) -> None:
        line = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        if len(line) > LONGEST_LINE or _count_values(line) > MOST_VALUES:
            raise BackupError("A row is too long for a backup.")
        self._sum.update(line)
        self._stream.write(line)


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new file, readable by its user alone, which is there as a whole or not at all. Raises BackupError."""
    try:
        with new_file(path) as stream, gzip.GzipFile("", "wb", 6, stream) as packed:
            yield Writer(packed)
    except FileExistsError:
        raise BackupError(f"There is a file {path} already. Choose another name.") from None
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror}.") from error


class Reader:
    """Reads the lines of an open file, again and again."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def check(self) -> tuple[Head, End]:
        """All of it, before anything is done with it. Raises BackupError."""
        head, counted = None, dict[str, int]()
        for content in self._contents():
            if isinstance(content, End):
                if head is None or counted != head.rows:
                    raise BackupError("The file is damaged: it has not as many rows as it says.")
                return head, content
            if isinstance(content, Head):
                head = content
            elif isinstance(content, tuple):
                label, _names, rows = content
                counted[label] = sum(1 for _row in rows)
        raise BackupError(_CUT)

    def tables(self) -> Iterator[tuple[str, list[str], Iterator[list[Any]]]]:
        """Each table: its name, its columns, its rows. They are read as one goes along."""
        for content in self._contents():
            if isinstance(content, tuple):
                yield content

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Each file of the theme: its name, which may be any, and what is in it."""
        for content in self._contents():
            if isinstance(content, File):
                yield content.name, content.content

    def _contents(self) -> Iterator[Head | End | File | tuple[str, list[str], Iterator[list[Any]]]]:
        self._stream.seek(0)
        lines = _Lines(self._stream)
        yield _read_head(lines.next())
        content = lines.next()
        while isinstance(content, dict) and "table" in content:
            label, names = content["table"], content.get("columns")
            if not isinstance(label, str) or not isinstance(names, list):
                raise BackupError("The file is damaged: a table has no name or no columns.")
            yield label, [str(name) for name in names], lines.rows()
            content = lines.after_rows()
        size, names = 0, set[str]()
        while isinstance(content, dict) and "file" in content:
            found = _read_file(content)
            size += len(found.content)
            if size > LARGEST_THEME or len(found.content) > LARGEST_FILE or found.name in names:
                raise BackupError("The file is damaged: it has more of a theme than any backup.")
            names.add(found.name)
            yield found
            content = lines.next()
        yield _read_end(content, lines)


_LONGEST_WORD = 100


def printable(text: object) -> str:
    """A word of a file that may be anybody's, for a screen."""
    return "".join(each if each.isprintable() else "?" for each in str(text))[:_LONGEST_WORD]


_CUT = "The file is cut off, or damaged: it has no end. Fetch it again."


class _Lines:
    """The lines one by one, each known before the checksum in the last one is."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._packed = gzip.GzipFile(fileobj=stream, mode="rb")
        self._sum = hashlib.sha256()
        self.before = ""
        self.waiting: Any = None

    def next(self) -> Any:
        """What the next line holds. Raises BackupError."""
        try:
            line = self._packed.readline(LONGEST_LINE + 1)
        except (EOFError, OSError, zlib.error):
            raise BackupError(_CUT) from None
        if len(line) > LONGEST_LINE or _count_values(line) > MOST_VALUES:
            raise BackupError("The file has a line that is longer than any of a backup.")
        if not line.endswith(b"\n"):
            raise BackupError(_CUT)
        self.before = self._sum.hexdigest()
        self._sum.update(line)
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise BackupError("The file is no backup, or damaged: a line of it can't be read.") from None

    def rows(self) -> Iterator[list[Any]]:
        """Those of a table; the line after them waits."""
        while isinstance(content := self.next(), list):
            yield content
        self.waiting = content

    def after_rows(self) -> Any:
        """What follows a table, of which not all rows need to have been read."""
        if self.waiting is None:
            for _row in self.rows():
                pass
        content, self.waiting = self.waiting, None
        return content

    def ends(self) -> bool:
        """Whether nothing follows."""
        try:
            return not self._packed.read(1)
        except (EOFError, OSError, zlib.error):
            return False


def _count_values(line: bytes) -> int:
    return sum(line.count(each) for each in (b",", b"[", b"{"))


def _read_head(content: Any) -> Head:
    if not isinstance(content, dict) or not str(content.get("format", "")).startswith("ganeti-web-manager backup"):
        raise BackupError("The file is no backup of Ganeti Web Manager.")
    if content["format"] != FORMAT:
        raise BackupError(
            f"The file is a “{printable(content['format'])}”, which this release can't read. Take a newer release."
        )
    try:
        head = Head(**content)
    except TypeError:
        raise BackupError("The file is damaged: its first line is none of a backup.") from None
    texts = (head.version, head.made, head.database, head.keys)
    if not (
        all(isinstance(text, str) and text.isprintable() and len(text) < _LONGEST_WORD for text in texts)
        and isinstance(head.migrations, list)
        and all(isinstance(name, str) for name in head.migrations)
        and isinstance(head.rows, dict)
        and all(type(number) is int for number in head.rows.values())
    ):
        raise BackupError("The file is damaged: its first line is none of a backup.")
    return head


def _read_file(content: dict[str, Any]) -> File:
    try:
        return File(str(content["file"]), base64.b64decode(content["content"], validate=True))
    except (KeyError, TypeError, ValueError):
        raise BackupError("The file is damaged: a file of the theme can't be read.") from None


def _read_end(content: Any, lines: _Lines) -> End:
    end = content.get("end") if isinstance(content, dict) else None
    if not isinstance(end, dict) or not lines.ends():
        raise BackupError(_CUT)
    if end.get("sha256") != lines.before:
        raise BackupError("The file is damaged: its checksum is another. Fetch it again.")
    sealed = end.get("sealed")
    if sealed is not None and not isinstance(sealed, dict):
        raise BackupError("The file is damaged: its sealed part can't be read.")
    return End(lines.before, sealed)
