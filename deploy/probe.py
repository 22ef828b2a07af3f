"""Asks the product on this server whether it is well, through its proxy, as a browser would; says what is not.

Run there by a release's own Python: `probe.py NAME CERTIFICATE [PATH]`, the path of the name below which it lives.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable

_PATIENCE_S = 60.0


class Unwell(Exception):
    """What was seen."""


class Browser:
    """Asks 127.0.0.1 for pages of a name."""

    def __init__(self, name: str, certificate: str, below: str = "") -> None:
        self._name = name
        self.below = below
        # The certificate that the proxy was given is the one it must show; whom others trust is theirs to say.
        self._context = ssl.create_default_context(cafile=certificate)
        self._context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, head and body of an answer. Raises Unwell, and OSError where nothing listens."""
        plain = socket.create_connection(("127.0.0.1", 443), timeout=20)
        connection = http.client.HTTPConnection(self._name, timeout=20)
        connection.sock = self._context.wrap_socket(plain, server_hostname=self._name)
        try:
            connection.request("GET", self.below + path, headers=headers)
            answer = connection.getresponse()
            body = b"" if answer.status == 101 else answer.read()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, body
        except (OSError, http.client.HTTPException) as error:
            raise Unwell(f"{path}: {error!r}") from error
        finally:
            connection.close()


def see(what: str, holds: bool, seen: object) -> None:
    """Raise Unwell unless it holds."""
    if not holds:
        raise Unwell(f"{what}: {seen!r}")


def probe(browser: Browser) -> None:
    """All that is asked. Raises Unwell."""
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
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "binary",
    }
    # of a stranger without a ticket: that the product itself answers shows that the proxy passes it on
    status, head, body = browser.get("/console/ws", **upgrade)
    see("a WebSocket for consoles", status in (101, 400, 401, 403), (status, head, body[:200]))


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


if __name__ == "__main__":
    trouble = wait_until_well(lambda: probe(Browser(*sys.argv[1:4])))
    if trouble:
        sys.exit(f"It is not well. {trouble}")
