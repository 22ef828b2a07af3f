"""Asks the product on this server whether it is well, through its proxy, as a browser would; says what is not.

Run there by a release's own Python: `python -m deploy.probe NAME CERTIFICATE [PATH]`, the path of the name below which
it lives. Standard input is what `manage.py check_installation begin` has said.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import IO, Any
from urllib.parse import urlencode

from deploy.websocket import BINARY, CLOSE, HANDSHAKE, Cut, closing_of, read_frame

Answer = tuple[int, dict[str, str], bytes]
_PATIENCE_S = 60.0
_GREETING = b"RFB 003."
# The proxy has opened the ticket and refuses for another reason: who may have consoles where, how many are open.
_REFUSES_BUT_WORKS = (4013, 4014)
_BAD_TICKET = 4010


class Unwell(Exception):
    """What was seen."""


class Browser:
    """Asks one address, this server's own if no other is said, for pages of a name, and keeps cookies."""

    def __init__(
        self, name: str, certificate: str, below: str = "", port: int = 443, address: str = "127.0.0.1"
    ) -> None:
        self._name, self._port, self._address = name, port, address
        self._authority = name if port == http.client.HTTPS_PORT else f"{name}:{port}"
        self.below = below
        self._cookies: dict[str, str] = {}
        # The certificate that the proxy was given is the one it must show; whom others trust is theirs to say.
        self._context = ssl.create_default_context(cafile=certificate)
        self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    @property
    def origin(self) -> str:
        """What a browser says its pages are of."""
        return f"https://{self._authority}"

    def at(self, address: str) -> Browser:
        """The same one, with the same cookies, at another address."""
        other = copy(self)
        other._address = address
        return other

    def get(self, path: str, **headers: str) -> Answer:
        """Status, head and body of an answer. Raises Unwell, and OSError where nothing listens."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, **fields: str) -> Answer:
        """The same of a form."""
        head = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{self.origin}{self.below}{path}"}
        return self._ask("POST", path, urlencode(fields), head)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        with self._asked(method, path, body, headers) as answer:
            content = b"" if answer.status == http.client.SWITCHING_PROTOCOLS else answer.read()
            return answer.status, _head_of(answer), content

    @contextmanager
    def websocket(self, path: str, *protocols: str) -> Iterator[IO[bytes]]:
        """What comes from a WebSocket that stands. Raises Unwell."""
        headers = {**HANDSHAKE, "Origin": self.origin, "Sec-WebSocket-Protocol": ", ".join(protocols)}
        with self._asked("GET", path, None, headers) as answer:
            if answer.status != http.client.SWITCHING_PROTOCOLS:
                raise Unwell(f"a WebSocket at {path} does not stand: {answer.status} {answer.read()[:200]!r}")
            yield answer.fp

    @contextmanager
    def _asked(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Iterator[Any]:
        plain = socket.create_connection((self._address, self._port), timeout=20)
        connection = http.client.HTTPConnection(self._authority, timeout=20)
        connection.sock = self._context.wrap_socket(plain, server_hostname=self._name)
        kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        try:
            connection.request(method, self.below + path, body, headers | (kept if self._cookies else {}))
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("set-cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            yield answer
        except (OSError, http.client.HTTPException, Cut) as error:
            raise Unwell(f"{path}: {error!r}") from error
        finally:
            connection.close()


def _head_of(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {key.lower(): value for key, value in answer.getheaders()}


def see(what: str, holds: bool, seen: object) -> None:
    """Raise Unwell unless it holds."""
    if not holds:
        raise Unwell(f"{what}: {seen!r}")


def probe(browser: Browser) -> None:
    """What a stranger sees. Raises Unwell."""
    status, _head, body = browser.get("/readyz")
    see("/readyz", status == 200, (status, body[:500]))
    status, head, body = browser.get("/login/")
    see("/login/", status == 200 and b"<form" in body, (status, body[:200]))
    see("cookies travel over https only", "secure" in head.get("set-cookie", "").lower(), head.get("set-cookie"))
    sheets = re.findall(rf'href="{re.escape(browser.below)}(/static/[^"]+\.css)"', body.decode())
    see("a style sheet on /login/", bool(sheets), body[:200])
    status, head, _body = browser.get(sheets[0])
    see("its style sheet", status == 200 and head.get("content-type", "").startswith("text/css"), (status, head))
    status, head, _body = browser.get("/", Accept="text/html")
    see("strangers are led to the sign-in", status == 302 and "/login/" in head.get("location", ""), (status, head))


def probe_signed_in(browser: Browser, name: str, password: str) -> None:
    """Signing in, and a page. Raises Unwell."""
    _status, _head, body = browser.get("/login/")
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', body)
    see("the form of /login/", token is not None, body[:200])
    form = {"login": name, "password": password, "csrfmiddlewaretoken": token[1].decode() if token else ""}
    status, head, body = browser.post("/login/", **form)
    see("signing in", status == 302 and "/login/" not in head.get("location", ""), (status, head.get("location")))
    status, head, body = browser.get("/", Accept="text/html")
    if status == 302:  # where everybody must have a second factor, one is led to where it is set up
        status, head, body = browser.get(head.get("location", "").removeprefix(browser.below), Accept="text/html")
    see("a page for who has signed in", status == 200 and name.encode() in body, (status, head.get("location")))


def probe_console(browser: Browser, ticket: str) -> None:
    """That the way to consoles is open: who has a ticket is greeted, who has none of ours is told so. Raises Unwell."""
    with browser.websocket("/console/ws", "binary", f"ticket.{ticket}") as stream:
        kind, content = read_frame(stream)
    refused = closing_of(content) if kind == CLOSE else (0, "")
    greeted = (kind == BINARY and content.startswith(_GREETING)) or refused[0] in _REFUSES_BUT_WORKS
    see("a console's greeting", greeted, refused if kind == CLOSE else content[:100])
    with browser.websocket("/console/ws", "binary", "ticket.of-nobody") as stream:
        kind, content = read_frame(stream)
    see("a wrong ticket is refused", kind == CLOSE and closing_of(content)[0] == _BAD_TICKET, content[:100])


def wait_until_well(ask: Callable[[], None], patience_s: float = _PATIENCE_S) -> str:
    """What is not well after all; empty: nothing. It may take a while to begin."""
    until = time.monotonic() + patience_s
    while True:
        try:
            ask()
        except (Unwell, OSError) as trouble:
            if time.monotonic() > until:
                return str(trouble) or repr(trouble)
            time.sleep(0.5)
        else:
            return ""


def main(name: str, certificate: str, below: str = "") -> None:
    """What is not well ends it with its words."""
    check = json.loads(sys.stdin.read())
    # what a stranger sees shows when all has begun; after that, nothing has to be waited for
    trouble = wait_until_well(lambda: probe(Browser(name, certificate, below)))
    if not trouble:
        browser = Browser(name, certificate, below)
        trouble = wait_until_well(lambda: probe_signed_in(browser, check["name"], check["password"]), patience_s=0)
    trouble = trouble or wait_until_well(lambda: probe_console(browser, check["ticket"]), patience_s=0)
    if trouble:
        sys.exit(f"It is not well. {trouble}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
