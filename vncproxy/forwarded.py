"""Who is really asking, when proxies stand in between."""

from collections.abc import Sequence

from vncproxy.settings import Network, parse_address, within


def real_client(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The client's address: the peer, unless it is a trusted proxy; then what the proxies say.

    `X-Forwarded-For` is read from the right, as each proxy appends what it saw. The first address that is not a trusted
    proxy is the client; everything left of it is anybody's claim.
    """
    client = _plain(peer)
    for entry in reversed(forwarded_for.split(",")):
        if not within(client, tuple(trusted)):
            break
        seen = parse_address(entry.strip())
        if seen is None:
            break
        client = str(seen)
    return client


def _plain(address: str) -> str:
    parsed = parse_address(address)
    return address if parsed is None else str(parsed)
