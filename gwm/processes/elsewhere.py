"""What is answered outside the path below which the product lives, to who asks the web process itself."""

from __future__ import annotations

from twisted.web.http import Request
from twisted.web.resource import Resource

from gwm.processes.health import set_headers


class Elsewhere(Resource):
    """Leads from the root of the host to the product; there is nothing else."""

    isLeaf = True

    def __init__(self, below: str) -> None:
        super().__init__()
        self._below = below

    def render(self, request: Request) -> bytes:
        """Of every method."""
        set_headers(request, b"text/plain")
        if request.path in (b"/", self._below.encode()) and request.method in (b"GET", b"HEAD"):
            request.setResponseCode(302)
            request.setHeader(b"location", f"{self._below}/".encode())
            return b""
        request.setResponseCode(404)
        return f"There is nothing here; the pages are at {self._below}/.\n".encode()
