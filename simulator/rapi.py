"""From request to answer: routing, authentication, body, handler; in the order in which Ganeti checks."""

import base64
import binascii
import html
import json
import re
from dataclasses import dataclass, field
from typing import Any

from simulator.alterations import Alterations
from simulator.errors import EXPLANATIONS, HttpError
from simulator.request import Request, World
from simulator.routes import Route, find_route

REALM = "Ganeti Remote API"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class User:
    """A line of the users file: options are any of read and write."""

    password: str
    options: frozenset[str] = frozenset()

    def may(self, wanted: frozenset[str]) -> bool:
        return not wanted or bool(self.options & wanted)


@dataclass(slots=True)
class Answer:
    code: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def encode(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def fail_at_latin(body: bytes) -> None:
    """Luxid writes these characters as one byte each, and RAPI can't read its answer (3.0.2: a tag "für")."""
    found = re.search(rb"\\u00([89a-f][0-9a-f])", body)
    if found is not None:
        text = f"'utf-8' codec can't decode byte 0x{found[1].decode()} in position {found.start()}: invalid start byte"
        raise HttpError(500, text)


def error_answer(error: HttpError) -> Answer:
    body = {
        "code": error.code,
        "message": html.escape(error.message),
        "explain": EXPLANATIONS.get(error.code, ""),
    }
    return Answer(error.code, json.dumps(body).encode(), error.headers)


class Rapi:
    """Ganeti's remote API on top of a world; ``master`` is false on a node that lost the master role."""

    def __init__(self, world: World, users: dict[str, User]) -> None:
        self.world = world
        self.users = users
        self.alterations = Alterations()

    def answer(self, request: Request, master: bool = True) -> Answer:
        try:
            return Answer(200, self.handle(request, master))
        except HttpError as error:
            return error_answer(error)

    def handle(self, request: Request, master: bool) -> bytes:
        if not request.headers.get("authorization", "").strip():
            raise self.unauthorized()
        if request.headers["authorization"].split() in (["Basic"], ["basic"]):
            raise HttpError(400, "Basic authentication requires credentials")
        route = self.routed(request)
        self.authorize(request, route)
        request.resource = route.resource
        request.content = self.parsed_body(request)
        if not master and request.path != "/version":
            text = "Can't connect to master daemon: Not the master node"
            raise HttpError(502, text)
        with self.world.cluster.lock:
            # written out while nothing can change it
            answer = route.handlers[request.method](self.world, request)
            body = encode(answer)
            if request.path.startswith("/2/query/"):
                fail_at_latin(body)
            altered = self.alterations.apply(request.path, answer)
            return body if altered is answer else encode(altered)

    def routed(self, request: Request) -> Route:
        found = find_route(request.path)
        if found is None:
            raise HttpError(404)
        route, request.items = found
        if request.method not in route.handlers:
            raise HttpError(501, f"Method {request.method} is unsupported for path {request.path}")
        return route

    def unauthorized(self) -> HttpError:
        return HttpError(401, headers={"WWW-Authenticate": f'Basic realm="{REALM}"'})

    def authorize(self, request: Request, route: Route) -> None:
        scheme, encoded, *_ = [*request.headers["authorization"].split(), ""]
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise self.unauthorized() from error
        user = self.users.get(name)
        if scheme.lower() != "basic" or user is None or user.password != password:
            raise self.unauthorized()
        if not user.may(route.access_to(request.method)):
            raise HttpError(403)

    def parsed_body(self, request: Request) -> Any:
        if not request.body:
            return None
        if request.headers.get("content-type", "application/octet-stream").lower() != JSON:
            raise HttpError(415)
        try:
            return json.loads(request.body)
        except ValueError as error:
            raise HttpError(400, "Unable to parse JSON data") from error
