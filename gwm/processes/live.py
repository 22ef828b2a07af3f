"""The web process's signal to open pages: a WebSocket each, in the reactor; one look at the database a second for all.

A page sends its note (gwm.live.note) and is told the names of its parts that changed; what changed it fetches itself,
through the policy. What is told and when the session ends is looked up on one thread that pages don't share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from gwm.live.board import Board
from gwm.live.note import LONGEST, BadNote, Note, now
from gwm.live.reader import KEEP, Reader, find_ended
from operations.triggers import are_there
from permissions.sessions import mark_of_key
from vncproxy.framing import Framing
from vncproxy.settings import Settings
from vncproxy.sides import FAREWELL_S, wire_of
from vncproxy.troubles import ConsoleError
from vncproxy.web import ConsoleChannel, HandshakeError, check_handshake, refuse_handshake

LOOK_EVERY_S = 1.0
ASK_SESSIONS_EVERY_S = 4.0
PING_EVERY_S = 25.0
NOTE_TIMEOUT_S = 10.0
# The reader goes on for a while when the last page has gone: the next one usually follows at once.
REST_AFTER_S = 60.0
MOST_PAGES_OF_SESSION = 100

# Why a socket was closed; static/js/live.js knows these.
ENDED, REFUSED, TOO_MANY = 4001, 4003, 4029

Found = tuple[set[str], float, set[str] | None]


class LiveService:
    """All open pages of this process, and the reader."""

    log = Logger(namespace="gwm.live")

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.board: Board[LivePage] = Board()
        self.pages: set[LivePage] = set()
        self._threads = ThreadPool(1, 1, name="live")
        self._looks = LoopingCall(self._look)
        self._pings = LoopingCall(self._ping)
        self._looks.clock = self._pings.clock = reactor
        self._reader = Reader()
        self._asked_at = self._heard_at = self._read_at = 0.0
        self._is_failing = False

    def start(self) -> None:
        """Begin to look, as soon as somebody listens."""
        self._threads.start()
        self._looks.start(LOOK_EVERY_S, now=False)
        self._pings.start(PING_EVERY_S, now=False)

    def stop(self) -> None:
        """End all; pages connect again elsewhere."""
        for call in (self._looks, self._pings):
            if call.running:
                call.stop()
        for page in list(self.pages):
            page.leave(1001, "restart")
        self._threads.stop()

    def resource(self, console: Settings) -> LiveResource:
        """What answers at the address of the signal; its handshake is checked like a console's."""
        return LiveResource(self, console)

    def may_open(self, session_key: str) -> bool:
        """Whether a session has not too many pages open."""
        return sum(page.session_key == session_key for page in self.pages) < MOST_PAGES_OF_SESSION

    def _look(self) -> Deferred[Any] | None:
        moment = self.reactor.seconds()
        if self.pages:
            self._heard_at = moment
        elif moment - self._heard_at > REST_AFTER_S:
            if self._read_at:
                self._reader, self._read_at = Reader(), 0.0
                self.board.restart()
            return None
        strangers = {page.session_key: page.note.person for page in self.pages if page.note and not page.is_known}
        people = {page.session_key: page.note.person for page in self.pages if page.note}
        asked = dict(strangers)
        is_round = moment - self._asked_at >= ASK_SESSIONS_EVERY_S
        if is_round:
            self._asked_at = moment
            asked = people
        looking = deferToThreadPool(self.reactor, self._threads, self.read, people, asked)
        looking.addCallbacks(self._tell, self._failed, callbackArgs=(frozenset(asked),))
        return looking

    def read(self, people: Mapping[str, int], asked: Mapping[str, int]) -> Found:
        """On the thread: what changed, and which sessions have ended: of those asked about, and of people by session to
        whom anything was done just now, as the journal tells; what ends unsaid waits for its round."""
        try:
            topics = self._reader.read()
            done_to = {key: who for key, who in people.items() if f"journal:person:{who}" in topics}
            return topics, now(), find_ended({**asked, **done_to}) if asked or done_to else set()
        except DatabaseError:
            connection.close()  # the next look opens another
            raise

    def _tell(self, found: Found, asked: frozenset[str]) -> None:
        topics, at, ended = found
        for page in list(self.pages):
            if page.session_key in (ended or ()):
                page.leave(ENDED, "signed out")
            elif page.session_key in asked:
                page.know()
        if self._is_failing:
            self._is_failing = False
            self.log.warn("the database answers again")
        missed = self._read_at and self.reactor.seconds() - self._read_at > KEEP.total_seconds() / 2
        self._read_at = self.reactor.seconds()
        told = list(self.board.publish(topics, at))
        for page, parts in list(self.board.publish_everything()) if missed else told:
            page.tell(parts)

    def _failed(self, failure: Failure) -> None:
        failure.trap(DatabaseError)
        if not self._is_failing:
            self._is_failing = True
            self.log.warn("open pages can't be told what changed: {why}", why=failure.getErrorMessage())

    def _ping(self) -> None:
        for page in list(self.pages):
            page.ping()


class LivePage(Protocol):
    """One open page."""

    def __init__(self, service: LiveService, headers: Mapping[str, str], session_key: str) -> None:
        self._service = service
        self._headers = headers
        self.session_key = session_key
        self.note: Note | None = None
        self.is_known = False
        """Whether the session was found to be the person's: before, nothing is told."""
        self._waiting: set[str] = set()
        self._deadline: IDelayedCall | None = None
        self._answered = True
        self._framing = Framing(self._write, limit=LONGEST, may_answer=self._may_answer, on_pong=self._on_pong)

    def connectionMade(self) -> None:
        self._service.pages.add(self)
        self._deadline = self._service.reactor.callLater(NOTE_TIMEOUT_S, self.leave, REFUSED, "no note")
        self._framing.accept(self._headers)

    def dataReceived(self, data: bytes) -> None:
        try:
            for message in self._framing.feed(data):
                self._take(message)
        except (ConsoleError, BadNote, UnicodeDecodeError):
            self.leave(REFUSED, "not understood")
        if self._framing.peer_closed:
            wire_of(self).loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_deadline()
        self._forget()

    def _take(self, message: bytes) -> None:
        note = Note.open(message.decode("ascii"))
        if note.session != mark_of_key(self.session_key) or (self.note and self.note.person != note.person):
            raise BadNote("of another session")
        if self.note is None:
            self._stop_deadline()
        self.note = note
        if self in self._service.pages:
            self.tell(self._service.board.put_up(self, note))

    def know(self) -> None:
        """The session is the person's."""
        self.is_known = True
        self.tell([])

    def tell(self, parts: list[str]) -> None:
        """Send the names of parts that changed, as soon as it may be told."""
        self._waiting.update(parts)
        if self.is_known and self._waiting:
            self._framing.send(" ".join(sorted(self._waiting)).encode())
            self._waiting.clear()

    def ping(self) -> None:
        """See whether somebody is there still."""
        if not self._answered:
            wire_of(self).abortConnection()
            return
        self._answered = False
        self._framing.ping()

    def leave(self, code: int, reason: str) -> None:
        """End it, saying why."""
        self._stop_deadline()
        self._forget()
        self._framing.close(code, reason)
        wire_of(self).loseConnection()
        self._deadline = self._service.reactor.callLater(FAREWELL_S, wire_of(self).abortConnection)

    def _forget(self) -> None:
        self._service.pages.discard(self)
        self._service.board.take_down(self)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _may_answer(self) -> bool:
        return True

    def _on_pong(self) -> None:
        self._answered = True

    def _write(self, data: bytes) -> None:
        wire_of(self).write(data)


class LiveResource(Resource):
    """Turns a WebSocket request of somebody who has a session into a page's signal."""

    isLeaf = True

    def __init__(self, service: LiveService, console: Settings) -> None:
        super().__init__()
        self._service = service
        self._console = console

    def render(self, request: Request) -> bytes | int:
        """Check the handshake as for a console: own origin, WebSocket 13."""
        try:
            headers = check_handshake(request, self._console)
            if not are_there(connection):
                raise HandshakeError(503, "This database does not tell what changed.")  # pages poll
            cookie = request.getCookie(settings.SESSION_COOKIE_NAME.encode())
            if not cookie:
                raise HandshakeError(403, "Sign in first.")
            session_key = cookie.decode("latin-1")
            if not self._service.may_open(session_key):
                raise HandshakeError(429, "Too many pages are open.")
        except HandshakeError as error:
            return refuse_handshake(request, error)
        channel = request.channel
        if not isinstance(channel, ConsoleChannel):
            raise TypeError("open pages need the site that console_site() makes")
        channel.hand_over(LivePage(self._service, headers, session_key))
        return NOT_DONE_YET
