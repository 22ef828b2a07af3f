"""People at work on a server: each has a session, turns pages, keeps a signal open, reboots a machine of their own.

They do as a browser does, and note what no person may meet: an error page, a file of a page that is not there, an
answer that is cut off.
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from deploy.websocket import BINARY, CLOSE, Cut, closing_of, read_frame
from tests.fixtures.unverified import Unverified
from tests.live.wire import Signal

PASSWORD = "correct-horse-battery"
_LINK = re.compile(r'<a\b[^>]*\bhref="(/[^"#]*)"')
_FILE = re.compile(r'(?:<link rel="stylesheet" href|<script[^>]* src)="([^"]+)"')
_NOTE = re.compile(r'name="live-note" content="([^"]+)"')
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
# what is no page to turn to: files, the way out, what is another service's
_NOT_TURNED_TO = re.compile(r"/(logout|static|console|api)/|[?&](format|export|as)=|\.(csv|json|xlsx)|/do/")
_OK, _CONFLICT, _ERROR = 200, 409, 400
_SWITCHING = 101
PING, HTTPS = 9, 443
REBOOTS_EVERY = 12  # pages


class _At(Unverified):
    """Finds a name at an address, as a line in /etc/hosts would have it."""

    def __init__(self, name: str, address: str) -> None:
        self._name, self._address = name, address
        super().__init__()

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        """Ask there, for what was asked for."""
        asked = request.url
        request.headers["Host"] = self._name
        request.url = asked.replace(f"//{self._name}/", f"//{self._address}/", 1)
        try:
            answer = super().send(request, *args, **options)
        finally:
            request.url = asked
        answer.url = asked
        return answer


class Person:
    """One of them. `troubles`: what they met; `reboots`: how often they were told that theirs was begun."""

    def __init__(self, server: Any, user: str, machine: str) -> None:
        self.server, self.user, self.machine = server, user, machine
        self.origin = f"https://{server.name}"
        self.troubles: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.reboots = self.turned_away = self.lines = self.heard = 0
        self._over = threading.Event()
        self._hands = threading.Lock()
        self._rests = False
        self._session = requests.Session()
        self._session.trust_env = False  # where authorities may stand that are asked all the same
        self._session.verify = False  # its certificate is signed by itself, and not what is looked at here
        self._session.mount("https://", _At(server.name, server.address))
        self._session.headers["Referer"] = f"{self.origin}/"
        self.closings: Counter[int] = Counter()  # of signals, by code; 0: cut off without a word
        self._note = ""
        self._line: socket.socket | None = None
        self._chance = random.Random(user)  # noqa: S311 (which page is next)
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._turn_pages, self._listen)]

    # ---- asking

    def ask(self, method: str, path: str, **form: Any) -> str:
        """A page; a trouble is noted, and the page is empty."""
        return self._ask(method, path, form)[0]

    def _ask(self, method: str, path: str, form: dict[str, Any]) -> tuple[str, int, str]:
        """The page, its status, and where one is."""
        began = time.monotonic()
        try:
            answer = self._session.request(method, urljoin(self.origin, path), data=form or None, timeout=120)
        except requests.RequestException as error:
            self._note_trouble(f"{method} {path}: {error!r}")
            return "", 0, ""
        self.slowest = max(self.slowest, time.monotonic() - began)
        for each in (*answer.history, answer):
            self.statuses[each.status_code] += 1
        if answer.status_code >= _ERROR and not (method == "POST" and answer.status_code == _CONFLICT):
            self._note_trouble(f"{method} {path}: {answer.status_code} {answer.text[:300]!r}")
            return "", answer.status_code, ""
        return answer.text, answer.status_code, urlsplit(answer.url).path

    def sign_in(self) -> None:
        """Through the form."""
        page = self.ask("GET", "/login/")
        page = self.ask("POST", "/login/", login=self.user, password=PASSWORD, csrfmiddlewaretoken=_token_in(page))
        assert self.user in page, self.troubles

    def begin_batch(self, machines: list[int]) -> None:
        """Tick them, choose Reboot, confirm the plan."""
        plan = self.ask("GET", "/vms/")
        token = _token_in(plan)
        form = {"csrfmiddlewaretoken": token, "verb": "reboot", "vm": machines}
        plan, _status, where = self._ask("POST", "/vms/batch/", form)
        assert f"{len(machines)} machine" in plan, (self.troubles, plan[:500])
        self.ask("POST", f"{where}do/begin/", csrfmiddlewaretoken=_token_in(plan))

    # ---- being there

    def begin(self) -> None:
        """Be at work."""
        for each in self._threads:
            each.start()

    def rest(self) -> None:
        """Reboot nothing more; what was begun is answered by then."""
        with self._hands:
            self._rests = True

    def go_on(self) -> None:
        """Reboot again."""
        self._rests = False

    def end(self) -> None:
        """Go, when what one is at is done."""
        self._over.set()
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)
        for each in self._threads:
            each.join(150)
            assert not each.is_alive(), f"{self.user} waits for an answer"

    def _turn_pages(self) -> None:
        known: list[str] = ["/", "/vms/", "/batches/", "/journal/", "/jobs/", "/clusters/"]
        files: set[str] = set()
        number = 0
        while not self._over.is_set():
            number += 1
            path = self._chance.choice(known)
            text = self.ask("GET", path)
            if note := _NOTE.search(text):
                self._note = note[1]
            links = [link.replace("&amp;", "&") for link in _LINK.findall(text)]
            known = ["/", "/vms/", "/batches/", *(each for each in links if not _NOT_TURNED_TO.search(each))]
            for each in dict.fromkeys(_FILE.findall(text)):
                if each not in files:  # a browser has it from then on
                    files.add(each)
                    self.ask("GET", each)
            if number % REBOOTS_EVERY == 0:
                with self._hands:
                    if not self._rests:
                        self._reboot()
            self._over.wait(self._chance.uniform(0.3, 1.2))

    def _reboot(self) -> None:
        where = f"/clusters/north/vms/{self.machine}/do/reboot/"
        token = _token_in(self.ask("GET", where))
        if not token:
            return  # it is being rebooted still: there is no button
        text, status, _where = self._ask("POST", where, {"csrfmiddlewaretoken": token})
        if text and status == _OK:
            self.reboots += 1
        elif text:
            self.turned_away += 1

    def _listen(self) -> None:
        pause = 0.5
        while not self._over.is_set():
            if not self._note:
                self._over.wait(0.2)
                continue
            try:
                signal = self._signal()
                if signal.status != _SWITCHING:
                    self._note_trouble(f"a signal: {signal.status}")
                    raise ConnectionError
                self.lines += 1
                pause = 0.5
                self._hear(signal)
            except (OSError, ValueError, IndexError):
                pass  # a browser connects again, as here; that nobody did is told by `lines`
            self._over.wait(pause)
            pause = min(2 * pause, 15)

    def _signal(self) -> Signal:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = context.wrap_socket(
            socket.create_connection((self.server.address, HTTPS), 30), server_hostname=self.server.name
        )
        cookie = "; ".join(f"{each.name}={each.value}" for each in self._session.cookies)
        line.settimeout(60)
        return Signal(f"{self.server.name}", cookie, self._note, self.origin, line)

    def _hear(self, signal: Signal) -> None:
        """Until it is closed; a sign of life is answered, as every browser does."""
        signal.socket.settimeout(None)
        self._line = signal.socket
        with signal.socket, suppress(Cut), signal.socket.makefile("rb") as stream:
            while not self._over.is_set():
                kind, content = read_frame(stream)
                if kind == CLOSE:
                    self.closings[closing_of(content)[0]] += 1
                    return
                if kind == PING:
                    signal.socket.sendall(b"\x8a" + bytes([0x80 | len(content)]) + bytes(4) + content)
                self.heard += kind == BINARY
        if not self._over.is_set():
            self.closings[0] += 1

    def _note_trouble(self, text: str) -> None:
        self.troubles.append(f"{time.strftime('%H:%M:%S')} {self.user}: {text}")


def _token_in(page: str) -> str:
    found = _TOKEN.search(page)
    return found[1] if found else ""
