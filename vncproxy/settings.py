"""Settings of the broker. They come from the environment (``GWM_CONSOLE_*``), or from the process that embeds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
LONGEST_SOCKET_PATH = 107  # bytes, on Linux (man 7 unix)
PROXIES_BY_DEFAULT = "127.0.0.0/8,::1/128"
_YES = frozenset({"1", "yes", "true", "on"})


class SettingError(ValueError):
    """A setting is missing or makes no sense; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a broker is told at its start. Times are in seconds, sizes in bytes."""

    keys: tuple[str, ...] = field(repr=False)
    """GWM_CONSOLE_KEYS: keys that tickets are sealed with; the web application seals with the first."""
    origins: frozenset[str] = frozenset()
    """GWM_PUBLIC_URL and GWM_CONSOLE_ORIGINS: origins whose pages may connect, beside the broker's own host."""
    client_networks: tuple[Network, ...] = ()
    """GWM_CONSOLE_NETWORKS: networks that browsers may come from; empty: all."""
    node_networks: tuple[Network, ...] = ()
    """GWM_CONSOLE_NODE_NETWORKS: networks that consoles may reach; empty: all. See vncproxy.addresses."""
    trusted_proxies: tuple[Network, ...] = ()
    """GWM_TRUSTED_PROXIES, with GWM_BEHIND_PROXY: networks whose X-Forwarded-For is believed; empty: nobody's is."""
    connections_per_address: int = 256
    """GWM_CONNECTIONS_PER_ADDRESS: connections that one client address may have open."""
    connect_timeout_s: float = 5.0
    """GWM_CONSOLE_CONNECT_TIMEOUT_S: to reach the node and log in there; a ticket may name its own."""
    handshake_timeout_s: float = 10.0
    """GWM_CONSOLE_HANDSHAKE_TIMEOUT_S: for a request's head, and again for the browser's login."""
    ping_interval_s: float = 25.0
    """How often browsers are pinged; two pings without an answer end the console."""
    idle_s: float = 0.0
    """GWM_CONSOLE_IDLE_S: silence on both sides that ends a console; 0: none does."""
    limit: int = 1000
    """GWM_CONSOLE_LIMIT: most consoles open at a time."""
    pictures: int = 4
    """GWM_CONSOLE_PICTURES: most pictures of screens taken at a time."""
    message_limit: int = 65536
    """Largest message taken from a browser; keyboard and mouse need little, a pasted text more."""
    control: str = ""
    """GWM_CONSOLE_CONTROL: path of the control socket; empty: none."""
    below: tuple[bytes, ...] = ()
    """GWM_PUBLIC_URL: the parts of the path below which everything is answered, too."""
    redis_url: str = field(default="", repr=False)
    """REDIS_URL: where used tickets are remembered when there are several brokers."""

    def admits_client(self, address: str) -> bool:
        return not self.client_networks or within(address, self.client_networks)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read GWM_CONSOLE_* and their like; raises SettingError."""

    def text(name: str) -> str:
        return environment.get(name, "").strip()

    def number(name: str, default: float, least: float = 0.1) -> float:
        return _number(name, text(name), default, least)

    keys = _words(text("GWM_CONSOLE_KEYS"))
    if not keys:
        raise SettingError("GWM_CONSOLE_KEYS is not set: the broker opens no console without a key")
    control = text("GWM_CONSOLE_CONTROL")
    if len(control.encode()) > LONGEST_SOCKET_PATH:
        raise SettingError(f"GWM_CONSOLE_CONTROL: the system takes {LONGEST_SOCKET_PATH} bytes at most: {control}")
    public = urlsplit(text("GWM_PUBLIC_URL"))
    own_origin = f"{public.scheme}://{public.netloc}" if public.netloc else ""
    origins = (own_origin, *_words(text("GWM_CONSOLE_ORIGINS")))
    return Settings(
        keys=keys,
        origins=frozenset(origin.rstrip("/").lower() for origin in origins if origin),
        client_networks=networks("GWM_CONSOLE_NETWORKS", text("GWM_CONSOLE_NETWORKS")),
        node_networks=networks("GWM_CONSOLE_NODE_NETWORKS", text("GWM_CONSOLE_NODE_NETWORKS")),
        trusted_proxies=networks("GWM_TRUSTED_PROXIES", text("GWM_TRUSTED_PROXIES") or PROXIES_BY_DEFAULT)
        if text("GWM_BEHIND_PROXY").lower() in _YES
        else (),
        connections_per_address=int(number("GWM_CONNECTIONS_PER_ADDRESS", Settings.connections_per_address, least=1)),
        connect_timeout_s=number("GWM_CONSOLE_CONNECT_TIMEOUT_S", Settings.connect_timeout_s),
        handshake_timeout_s=number("GWM_CONSOLE_HANDSHAKE_TIMEOUT_S", Settings.handshake_timeout_s),
        idle_s=number("GWM_CONSOLE_IDLE_S", Settings.idle_s, least=0),
        limit=int(number("GWM_CONSOLE_LIMIT", Settings.limit, least=1)),
        pictures=int(number("GWM_CONSOLE_PICTURES", Settings.pictures, least=0)),
        control=control,
        below=tuple(part.encode() for part in public.path.split("/") if part),
        redis_url=text("REDIS_URL"),
    )


def networks(name: str, text: str) -> tuple[Network, ...]:
    """Networks from a comma-separated list; ``name`` is for the error."""
    try:
        return tuple(ip_network(word, strict=False) for word in _words(text))
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from error


def within(address: str, of: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks; something that is no address never does."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in of)


def parse_address(text: str) -> Address | None:
    """An IP address, with IPv4-in-IPv6 taken as IPv4; None when it is none."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _number(name: str, text: str, default: float, least: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError as error:
        raise SettingError(f"{name}: not a number: {text!r}") from error
    if value < least:
        raise SettingError(f"{name}: at least {least:g}")
    return value
