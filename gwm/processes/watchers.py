"""Who is told how the service is doing without signing in: monitoring, by a token or by its address, and nobody else.

With neither setting, nobody is: this machine's own addresses are no exception, as a proxy comes from there as well.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any

from vncproxy.forwarded import real_client
from vncproxy.settings import Network, parse_address, within

_SCHEME = "bearer"


@dataclass(frozen=True)
class Watchers:
    """GWM_MONITORING_TOKEN, GWM_MONITORING_NETWORKS, and the proxies whose word on an address is believed."""

    token: str = field(default="", repr=False)
    networks: tuple[Network, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()

    def admit(self, request: Any) -> bool:
        """Whether this request of twisted.web is monitoring's."""
        return self._shows_token(request) or self._comes_from_there(request)

    def _shows_token(self, request: Any) -> bool:
        given = request.requestHeaders.getRawHeaders(b"authorization") or []
        if not self.token or len(given) != 1:
            return False
        scheme, _space, shown = given[0].strip().partition(b" ")
        same = hmac.compare_digest(shown.strip(), self.token.encode())
        return same and scheme.lower() == _SCHEME.encode()

    def _comes_from_there(self, request: Any) -> bool:
        if not self.networks:
            return False
        peer = str(getattr(request.getClientAddress(), "host", ""))
        told = request.requestHeaders.getRawHeaders(b"x-forwarded-for") or []
        forwarded = b", ".join(told).decode("latin-1")
        client = real_client(peer, forwarded, self.trusted_proxies)
        # A proxy that names nobody by an address (with a port, "unknown") does not ask for itself.
        is_unnamed = bool(told) and any(parse_address(each.strip()) is None for each in forwarded.split(","))
        return within(client, self.networks) and not (is_unnamed and within(client, self.trusted_proxies))
