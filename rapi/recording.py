"""A client that sends nothing: it writes down the changes that it is told to send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapi.client import RapiClient
from rapi.errors import NotFound
from rapi.transport import Answer
from rapi.trust import Trust
from rapi.words import words as _

#: parameters whose values nobody is shown
SECRET = frozenset({"osparams_private", "osparams_secret", "source_handshake", "x509_key_name"})
#: what stands in their place
HIDDEN = "***"
#: what every change gets for an answer: job 1, which a cancelled job takes for nothing else
_ANSWER = 1


@dataclass(frozen=True)
class Call:
    """A change as it would be sent, without secrets and without our own reason."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def params(self) -> dict[str, Any]:
        """What stands in query and body together; what stands several times in the query as a list."""
        found: dict[str, Any] = {}
        for name, value in self.query:
            found[name] = [*found[name], value] if name in found else [value]
        return {**{name: value if name == "tag" else value[0] for name, value in found.items()}, **self.body}


class Recorder(RapiClient):
    """`recorded` are the changes so far. Who asks for the identity of an object is told the one that we know.

    `known`: what else of it is told, by Ganeti's names of fields.
    """

    def __init__(self, uuid: str = "", known: Callable[[], Mapping[str, Any]] = dict) -> None:
        super().__init__([("recorder.invalid", 0)], trust=Trust.pinned(":".join(["00"] * 32)))
        self.recorded: list[Call] = []
        self._identity = uuid
        self._known = known

    def _change(self, method: str, path: str, *, reason: str | None, query: Any = (), body: Any = None) -> Any:
        self.recorded.append(Call(method, path, tuple(query), _without_secrets(body or {})))
        return [True, ""] if path.startswith("/2/jobs/") else _ANSWER

    def _call(self, method: str, path: str, *args: Any, body: Any = None, **options: Any) -> Answer:
        fields = body.get("fields") if path.startswith("/2/query/") and isinstance(body, Mapping) else None
        if fields:
            told = {"uuid": self._identity} if fields == ["uuid"] else {"uuid": self._identity, **self._known()}
            if told.keys() >= set(fields):
                row = [[0, told[name]] for name in fields]
                value = {"fields": [{"name": name} for name in fields], "data": [row]}
                return Answer(200, value, is_json=True, seconds=0.0, size=0)
        raise NotFound(_("Nothing is asked while a call is only written down."))


def _without_secrets(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _hide(value) if name in SECRET else value for name, value in body.items()}


def _hide(value: Any) -> Any:
    return dict.fromkeys(value, HIDDEN) if isinstance(value, Mapping) else HIDDEN
