"""Settings of the broker. They come from the environment (``GWM_CONSOLE_*``), or from the process that embeds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class SettingError(ValueError):
    """A setting is missing or makes no sense; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a broker is told at its start. Times are in seconds, sizes in bytes."""

    keys: tuple[str, ...] = field(repr=False)
    """GWM_CONSOLE_KEYS: keys that tickets are sealed with; the web application seals with the first."""
    origins: frozenset[str] = frozenset()
    """GWM_CONSOLE_ORIGINS: origins (scheme://host[:port]) whose pages may connect, beside the broker's own host."""
    client_networks: tuple[Network, ...] = ()
    """GWM_CONSOLE_CLIENT_NETWORKS: networks that browsers may come from; empty: all."""
    node_networks: tuple[Network, ...] = ()
    """GWM_CONSOLE_NODE_NETWORKS: networks that consoles may reach; empty: all but loopback."""
    trusted_proxies: tuple[Network, ...] = ()
    """GWM_CONSOLE_TRUSTED_PROXIES: networks whose X-Forwarded-For is believed."""
    connect_timeout_s: float = 10.0
    """GWM_CONSOLE_CONNECT_TIMEOUT_S: to reach the node and log in there; a ticket may name its own."""
    handshake_timeout_s: float = 10.0
    """GWM_CONSOLE_HANDSHAKE_TIMEOUT_S: for a request's head, and again for the browser's login."""
    ping_interval_s: float = 25.0
    """GWM_CONSOLE_PING_INTERVAL_S: how often idle browsers are pinged; two without an answer end the console."""
    limit: int = 1000
    """GWM_CONSOLE_LIMIT: most consoles open at a time."""
    message_limit: int = 65536
    """GWM_CONSOLE_MESSAGE_LIMIT: largest message taken from a browser."""
    control: str = ""
    """GWM_CONSOLE_CONTROL: path of the control socket; empty: none."""
    redis_url: str = field(default="", repr=False)
    """REDIS_URL: where used tickets are remembered when there are several brokers."""

    def admits_client(self, address: str) -> bool:
        return not self.client_networks or within(address, self.client_networks)

    def admits_node(self, address: str) -> bool:
        return not self.node_networks or within(address, self.node_networks)


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read GWM_CONSOLE_* and REDIS_URL; raises SettingError."""

    def text(name: str) -> str:
        return environment.get(f"GWM_CONSOLE_{name}", "").strip()

    def seconds(name: str, default: float) -> float:
        return _number(f"GWM_CONSOLE_{name}", text(name), default)

    keys = tuple(key.strip() for key in text("KEYS").split(",") if key.strip())
    if not keys:
        raise SettingError("GWM_CONSOLE_KEYS is not set: the broker opens no console without a key")
    return Settings(
        keys=keys,
        origins=frozenset(origin.rstrip("/").lower() for origin in _words(text("ORIGINS"))),
        client_networks=networks("GWM_CONSOLE_CLIENT_NETWORKS", text("CLIENT_NETWORKS")),
        node_networks=networks("GWM_CONSOLE_NODE_NETWORKS", text("NODE_NETWORKS")),
        trusted_proxies=networks("GWM_CONSOLE_TRUSTED_PROXIES", text("TRUSTED_PROXIES")),
        connect_timeout_s=seconds("CONNECT_TIMEOUT_S", Settings.connect_timeout_s),
        handshake_timeout_s=seconds("HANDSHAKE_TIMEOUT_S", Settings.handshake_timeout_s),
        ping_interval_s=seconds("PING_INTERVAL_S", Settings.ping_interval_s),
        limit=int(seconds("LIMIT", Settings.limit)),
        message_limit=int(seconds("MESSAGE_LIMIT", Settings.message_limit)),
        control=text("CONTROL"),
        redis_url=environment.get("REDIS_URL", "").strip(),
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
    return tuple(word for word in text.replace(",", " ").split() if word)


def _number(name: str, text: str, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError as error:
        raise SettingError(f"{name}: not a number: {text!r}") from error
    if value <= 0:
        raise SettingError(f"{name}: must be greater than zero")
    return value
