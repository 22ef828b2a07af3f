"""Pictures of screens: one frame of a machine for a sealed ticket, within the time of its ticket.

Like a console it tells nothing of what does not speak VNC: all of that takes the same time and is one sentence.
"""

from collections.abc import Callable, Generator
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, inlineCallbacks, succeed
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from vncproxy.addresses import ForbiddenAddress
from vncproxy.frame import Frame, FrameReader
from vncproxy.png import as_png
from vncproxy.rfb import NodeLogin
from vncproxy.sides import wire_of
from vncproxy.tickets import Ticket, TicketError, open_ticket
from vncproxy.troubles import ConsoleError, Trouble, printable

KIND = "picture"
Dial = Callable[[Ticket, float, Factory[Any]], Deferred[Any]]
Draw = Callable[[Frame], Deferred[bytes]]
"""Makes the PNG of a frame; on a real reactor in a thread, as it takes tens of ms."""


def draw_here(frame: Frame) -> Deferred[bytes]:
    """Make the PNG at once."""
    return succeed(as_png(frame))


class PictureSide(Protocol):
    """The connection to the machine's VNC port for one frame."""

    def __init__(self, password: str) -> None:
        self._login = NodeLogin(password)
        self._reader = FrameReader()
        self.result: Deferred[Frame] = Deferred()
        self._is_open = True

    def dataReceived(self, data: bytes) -> None:
        try:
            self._write(self._reader.feed(data) if self._login.done else self._log_in(data))
        except ConsoleError as error:
            self._end(error)
            return
        if self._reader.frame is not None:
            self._end(self._reader.frame)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        silent = ConsoleError(Trouble.UNREACHABLE, "it hung up without a word of VNC")
        self._end(ConsoleError(self._login.lost_trouble) if self._login.has_spoken_vnc else silent)

    @property
    def trouble_of_silence(self) -> Trouble:
        """What it means when it has said nothing more until the time is over."""
        return Trouble.NO_PICTURE if self._login.has_spoken_vnc else Trouble.UNREACHABLE

    def hang_up(self) -> None:
        """Cut the connection; nothing more is read."""
        self._is_open = False
        wire_of(self).abortConnection()

    def _log_in(self, data: bytes) -> bytes:
        reply = self._login.feed(data)
        if not self._login.done:
            return reply
        return reply + self._reader.greeting() + self._reader.feed(self._login.take_rest())

    def _write(self, data: bytes) -> None:
        if data:
            wire_of(self).write(data)

    def _end(self, result: Frame | ConsoleError) -> None:
        is_first, self._is_open = self._is_open, False
        if is_first:
            wire_of(self).abortConnection()
            self.result.callback(result) if isinstance(result, Frame) else self.result.errback(result)


class Pictures:
    """Takes pictures, so many at a time."""

    log = Logger(namespace="vncproxy.pictures")

    def __init__(self, keys: tuple[str, ...], limit: int, clock: IReactorTime, dial: Dial, draw: Draw) -> None:
        self._keys, self._limit, self._clock, self._dial, self._draw = keys, limit, clock, dial, draw
        self._under_way = 0

    @inlineCallbacks
    def take(self, text: str) -> Generator[Deferred[Any], Any, bytes]:
        """The PNG for a sealed ticket of the kind "picture". Fails with ConsoleError."""
        try:
            ticket = open_ticket(self._keys, text, self._clock.seconds())
        except TicketError as error:
            raise ConsoleError(Trouble.BAD_TICKET) from error
        if ticket.kind != KIND or ticket.connect_timeout_s is None:
            raise ConsoleError(Trouble.BAD_TICKET)
        if self._under_way >= self._limit:
            raise ConsoleError(Trouble.BUSY)
        self._under_way += 1
        try:
            frame = yield self._read(ticket, self._clock.seconds() + ticket.connect_timeout_s)
            png: bytes = yield self._draw(frame)
            return png
        except ConsoleError as error:
            self.log.info(
                "no picture of {vm!r} at {host}:{port}: {why}",
                why=printable(str(error)), vm=ticket.vm_name, host=ticket.host, port=ticket.port,
            )  # fmt: skip
            raise
        finally:
            self._under_way -= 1

    @inlineCallbacks
    def _read(self, ticket: Ticket, until: float) -> Generator[Deferred[Any], Any, Frame]:
        sides: list[PictureSide] = []

        def build() -> PictureSide:
            sides.append(PictureSide(ticket.password))
            return sides[-1]

        factory: Factory[Any] = Factory.forProtocol(build)
        factory.noisy = False
        try:
            dialling = self._dial(ticket, max(until - self._clock.seconds(), 0.1), factory)
            side = yield dialling.addTimeout(max(until - self._clock.seconds(), 0.1), self._clock)
            frame: Frame = yield side.result.addTimeout(max(until - self._clock.seconds(), 0.1), self._clock)
            return frame
        except (ConnectError, ForbiddenAddress, OSError, TimeoutError) as error:
            why, trouble = str(error), sides[-1].trouble_of_silence if sides else Trouble.UNREACHABLE
        except ConsoleError as error:
            if error.trouble is not Trouble.UNREACHABLE:
                raise
            why, trouble = error.detail, error.trouble
        finally:
            for each in sides:
                each.hang_up()
        # When it ends must not tell what is at an address or port.
        yield deferLater(self._clock, max(until - self._clock.seconds(), 0), lambda: None)
        self.log.info("{host}:{port}: {why}", why=printable(why), host=ticket.host, port=ticket.port)
        raise ConsoleError(trouble)
