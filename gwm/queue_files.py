"""The queue in files, without the races that kombu's own has.

kombu creates a file and then fills it: a worker that looks in between takes an empty message, fails to parse it and
ends, and a process that dies in between leaves a table of bindings with which no worker ever starts again. Here a file
gets its name only when it is complete, and a table that can't be read counts as empty: whoever starts binds anew.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, time
from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

SCHEME = "files"
_UNFINISHED = ".unfinished"
_UNFINISHED_LEAVES_AFTER_S = 60.0

Binding = filesystem.exchange_queue_t


class Channel(filesystem.Channel):
    """kombu's, with messages and tables that appear whole."""

    def get_table(self, exchange: str) -> list[Any]:
        """Which queues an exchange feeds."""
        return _read_table(self._exchange_file(exchange))  # type: ignore[no-untyped-call]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        with self._changing_table(exchange) as table:
            binding = Binding(routing_key or "", pattern or "", queue or "")
            if binding not in table:
                table.insert(0, binding)

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_: Any, **__: Any) -> None:
        self._purge(queue)  # type: ignore[no-untyped-call]
        with self._changing_table(exchange) as table:
            binding = Binding(routing_key or "", pattern or "", queue or "")
            if binding in table:
                table.remove(binding)

    @contextmanager
    def _changing_table(self, exchange: str) -> Iterator[list[Any]]:
        """The table of an exchange, locked, and written when it has changed."""
        file: Path = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
        file.parent.mkdir(exist_ok=True)
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = _read_table(file)
            before = list(table)
            yield table
            if table != before or not file.exists():
                _write_whole(file, dumps(table))  # type: ignore[no-untyped-call]

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:  # type: ignore[override]
        """Write a message."""
        name = f"{round(monotonic() * 1000):015d}_{uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, dumps(message))  # type: ignore[no-untyped-call]

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message; one that can't be read is dropped, as the rows in the database say what is due."""
        while True:
            try:
                return super()._get(queue)  # type: ignore[no-untyped-call]
            except ValueError:
                logger.warning("An unreadable message of the queue %s was dropped.", queue)


def _write_whole(file: Path, text: str) -> None:
    """Write under a name that no reader looks for, then rename."""
    unfinished = file.with_name(f"{file.name}{_UNFINISHED}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(file)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what processes left that died while they wrote."""
    for file in folder.glob(f"*/*{_UNFINISHED}"):
        try:
            if time() - file.stat().st_mtime > _UNFINISHED_LEAVES_AFTER_S:
                file.unlink()
        except FileNotFoundError:  # finished or removed by somebody else
            continue


def _read_table(file: Path) -> list[Any]:
    """What kombu keeps of an exchange, a list of triples; of a file that is missing, empty or garbage: nothing."""
    try:
        return [Binding(*map(str, row)) for row in loads(file.read_bytes().decode())]  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        logger.warning("%s can't be read and counts as empty; its queues are bound anew.", file)
        return []


class Transport(filesystem.Transport):
    """What `broker_url` "files://localhost//" names."""

    Channel = Channel


def register() -> None:
    """Make the scheme known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
