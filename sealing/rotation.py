"""Where else than in fields of models secrets are kept, so that a new key reaches them all. Apps say it when ready."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """Rows with something sealed: how they are called, their keys, and what seals one of them anew.

    `rotate` is False when there was nothing to do, and raises SecretUnreadable.
    """

    label: str
    list_keys: Callable[[], Iterable[Any]]
    rotate: Callable[[Any], bool]


PLACES: list[Place] = []
