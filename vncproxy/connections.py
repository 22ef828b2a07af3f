"""How many connections a site takes: in all, and from each client address."""

import resource
from ipaddress import IPv6Address, ip_network

from vncproxy.settings import Network, parse_address, within

_KEPT_FREE = 200  # files that are not connections: libraries, log, databases, the listening socket
_FILES_EACH = 2  # a connection, and what it may bring: a node's socket or the temporary file of a body
_MOST = 10_000
_IPV6_SITE_BITS = 64


class Connections:
    """The connections that are open now, counted by address. One network of IPv6 (/64) counts as one address."""

    def __init__(self, total: int, per_address: int, exempt: tuple[Network, ...] = ()) -> None:
        self.total = total
        self.per_address = min(per_address, max(1, total // 2))
        self._exempt = exempt
        self._open: dict[str, int] = {}
        self.count = 0

    def take(self, address: str) -> str | None:
        """Count one more from this address; returns what to give back at its end, None when it is one too many."""
        source = self._source(address)
        if self.count >= self.total or (source and self._open.get(source, 0) >= self.per_address):
            return None
        self.count += 1
        if source:
            self._open[source] = self._open.get(source, 0) + 1
        return source

    def give_back(self, source: str) -> None:
        """Forget one that `take` counted."""
        self.count -= 1
        if source:
            left = self._open[source] - 1
            if left:
                self._open[source] = left
            else:
                del self._open[source]

    def _source(self, address: str) -> str:
        """What is counted as one client; empty for a trusted proxy, which stands for many."""
        if within(address, self._exempt):
            return ""
        parsed = parse_address(address)
        if isinstance(parsed, IPv6Address):
            return str(ip_network((parsed, _IPV6_SITE_BITS), strict=False))
        return str(parsed or address or "unknown")


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; returns the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def connections_for(files: int) -> int:
    """How many connections a process takes that may open so many files."""
    if files == resource.RLIM_INFINITY:
        return _MOST
    return max(1, min(_MOST, (files - _KEPT_FREE) // _FILES_EACH))
