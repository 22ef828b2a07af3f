"""The queue in files, without the race that kombu's own has.

kombu creates a message's file and then fills it; a worker that looks in between takes an empty file, fails to parse it
and ends, and the message is lost. Here a message gets its name only when it is complete.
"""

import logging
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)

SCHEME = "files"


class Channel(filesystem.Channel):
    """kombu's, with messages that appear whole."""

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:  # type: ignore[override]
        """Write under a name that no reader looks for, then rename."""
        name = f"{round(monotonic() * 1000):015d}_{uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(dumps(message), encoding="utf-8")  # type: ignore[no-untyped-call]
        unfinished.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message; one that can't be read is dropped, as the rows in the database say what is due."""
        while True:
            try:
                return super()._get(queue)  # type: ignore[no-untyped-call]
            except ValueError:
                logger.warning("An unreadable message of the queue %s was dropped.", queue)


class Transport(filesystem.Transport):
    """What `broker_url` "files://localhost//" names."""

    Channel = Channel


def register() -> None:
    """Make the scheme known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
