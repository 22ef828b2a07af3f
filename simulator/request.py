"""One request as its handler sees it, and what Ganeti makes of query arguments."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulator.cluster import Cluster
from simulator.errors import HttpError
from simulator.queue import Queue


@dataclass(slots=True)
class Request:
    method: str
    target: str  # path and query as sent
    headers: dict[str, str]  # names in lower case
    body: bytes = b""
    items: tuple[str, ...] = ()  # what the path's pattern caught
    content: Any = None  # the parsed body
    resource: str = ""
    path: str = field(init=False)
    query: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.target)
        self.path = parts.path  # Ganeti does not decode it
        self.query = parse_qs(parts.query)

    def number(self, name: str) -> int:
        """An integer argument, 0 when it is not given; Ganeti knows no other spelling of yes and no."""
        values = self.query.get(name)
        if not values:
            return 0
        try:
            return int(values[0])
        except ValueError as error:
            raise HttpError(400, f"Invalid value for the '{name}' parameter") from error

    def flag(self, name: str) -> bool:
        return bool(self.number(name))

    def text(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[0] if values else None

    def without_locking(self) -> None:
        if self.flag("lock"):
            raise HttpError(500, "('Sync queries are not allowed', 'wrong_input')")


@dataclass(slots=True)
class World:
    """What handlers work on."""

    cluster: Cluster
    queue: Queue
