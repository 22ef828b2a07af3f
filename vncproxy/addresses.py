"""Which addresses consoles may be connected to.

Where a machine's console is, its cluster says, and a cluster is not ours: it must not get us to connect to the
loopback, to our own services or to whatever else only answers because we ask. So an address is judged in its resolved
form, in all the ways in which it can be written, before anything is dialled, and it is that form which is dialled.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from vncproxy.settings import Address, Network, parse_address

NEVER = tuple(map(ip_network, ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8")))
"""Unspecified, multicast, reserved."""
WHEN_LISTED = tuple(map(ip_network, ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10")))
"""Loopback and link-local: only where a network that names nothing else is listed."""
_CARRY_IPV4_AT_THEIR_END = tuple(map(ip_network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
_ISATAP = (0x00005EFE, 0x02005EFE)


class ForbiddenAddress(Exception):
    """Consoles may not be connected to this address; the text is for the log."""


def judge(
    address: Address,
    listed: Sequence[Network],
    *,
    is_demo: bool = False,
    is_own: Callable[[Address], bool] = lambda _: False,
) -> None:
    """Raise ForbiddenAddress, unless consoles may be connected to the address.

    `listed` is GWM_CONSOLE_NODE_NETWORKS. The demo's machines are on the loopback of this very host, and nowhere else.
    """
    if is_demo:
        if not address.is_loopback:
            raise ForbiddenAddress(f"{address} is not of the loopback, where the demo is")
        return
    for embedded in carried_by(address):
        if _lies_in(embedded, (*NEVER, *WHEN_LISTED)) or is_own(embedded):
            raise ForbiddenAddress(f"{address} carries {embedded}")
    if _lies_in(address, NEVER):
        raise ForbiddenAddress(f"{address} is an address of no host")
    naming = [network for network in listed if address in network]
    if listed and not naming:
        raise ForbiddenAddress(f"{address} is outside GWM_CONSOLE_NODE_NETWORKS")
    for block in WHEN_LISTED:
        if address in block and not any(_is_within(network, block) for network in naming):
            raise ForbiddenAddress(f"{address} is of {block}, which GWM_CONSOLE_NODE_NETWORKS does not name by itself")
    by_itself = any(network.num_addresses == 1 for network in naming)
    if not by_itself and not _lies_in(address, WHEN_LISTED) and is_own(address):
        raise ForbiddenAddress(f"{address} is of this host, and GWM_CONSOLE_NODE_NETWORKS does not name it by itself")


def carried_by(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses to which an IPv6 address may be translated on its way."""
    if isinstance(address, IPv4Address) or address.is_unspecified or address.is_loopback:
        return
    number = int(address)
    if _lies_in(address, _CARRY_IPV4_AT_THEIR_END) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def is_of_this_host(address: Address) -> bool:
    """Whether the address is one of this host's own; sends nothing."""
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect((str(address), 9))
        except OSError:  # no way leads there, so not to this host either
            return False
        return ip_address(probe.getsockname()[0].partition("%")[0]) == address


def resolve(host: str) -> list[Address]:
    """The addresses of a name, or of an address in any spelling that the system takes. Blocks; raises OSError."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"no name of a host: {host!r}") from error
    addresses = (parse_address(str(entry[4][0])) for entry in found)
    return list(dict.fromkeys(address for address in addresses if address is not None))


def _lies_in(address: Address, blocks: Sequence[Network]) -> bool:
    return any(address in block for block in blocks)


def _is_within(network: Network, block: Network) -> bool:
    return network.version == block.version and network[0] in block and network[-1] in block
