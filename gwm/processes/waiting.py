"""Answers wait in a file for readers that are slower than we are.

A page's thread writes its answer as fast as it makes it, and twisted.web would keep in memory what the reader has not
taken yet: all of a long file, for each slow reader. So the thread is not held up, and memory holds no more than the
wire's own buffer.
"""

from __future__ import annotations

import tempfile
from typing import IO, Any

from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from vncproxy.web import AnonymousRequest

# Read and sent at a time. More than the wire's buffer takes, so that it says at once that it is full.
PIECE = 65_536
# Who takes nothing for so long is gone.
PATIENCE_S = 60.0


@implementer(IPushProducer)
class WaitingRequest(AnonymousRequest):
    """A request whose answer goes into a temporary file as soon as the wire is full, and is sent from there."""

    log = Logger(namespace="gwm.web")
    patience_s = PATIENCE_S
    _file: IO[bytes] | None = None
    _sent = _kept = 0
    _is_full = _is_ended = False
    _deadline: IDelayedCall | None = None
    channel: Any  # None when the connection is lost

    def write(self, data: bytes) -> None:
        """Send it, or keep it until there is room."""
        if self.startedWriting and self.producer is None and self.channel is not None:
            self.registerProducer(self, True)  # most answers are one piece
        if self._is_full or self._kept > self._sent:
            self._keep(data)
        else:
            super().write(data)

    def finish(self) -> None:
        """Nothing more will be written: end it, or do so when all of it is sent."""
        self._is_ended = True
        if self._kept > self._sent and self.channel is not None:
            return
        self._drop()
        if self.producer is not None and self.channel is not None:
            self.unregisterProducer()
        super().finish()

    def pauseProducing(self) -> None:
        """The wire is full."""
        self._is_full = True
        if self._deadline is None:
            self._deadline = self.channel.callLater(self.patience_s, self._give_up)

    def resumeProducing(self) -> None:
        """There is room again."""
        self._is_full = False
        self._stop_waiting()
        while not self._is_full and self._file is not None and self._kept > self._sent:
            self._file.seek(self._sent)
            piece = self._file.read(PIECE)
            self._sent += len(piece)
            super().write(piece)
        if self._is_ended and self._kept == self._sent:
            self.finish()

    def stopProducing(self) -> None:
        """The wire is gone."""
        self._drop()

    def connectionLost(self, reason: Failure) -> None:
        """Nobody will read it any more."""
        self._drop()
        super().connectionLost(reason)

    def _keep(self, data: bytes) -> None:
        if self.channel is None:
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the request ends
            self._file.seek(self._kept)
            self._file.write(data)
        except OSError as error:
            self.log.error("no room for an answer that waits for its reader: {error}", error=str(error))
            self._give_up()
        else:
            self._kept += len(data)

    def _give_up(self) -> None:
        self._deadline = None
        if self.channel is not None:
            self.channel.forceAbortClient()

    def _stop_waiting(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _drop(self) -> None:
        self._stop_waiting()
        if self._file is not None:
            self._file.close()
            self._file = None
