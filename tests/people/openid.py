"""A real OpenID Connect provider on this machine, and one that lies; and a person with a browser who uses them."""

import base64
import contextlib
import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from objectlog.models import Event
from people.openid.providers import Provider
from permissions.models import User

# In a process of its own: here the warnings of its libraries are errors.
_SERVER = """
import oidc_provider_mock
with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
    print(server.server_port, flush=True)
    input()
"""
CLIENT, SECRET = "gwm", "marker-secret-of-the-client"


@contextmanager
def running_provider() -> Iterator[str]:
    """The issuer of a provider that signs in whoever asks."""
    command = [sys.executable, "-W", "ignore", "-c", _SERVER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            yield f"http://localhost:{int(process.stdout.readline())}"
        finally:
            process.kill()


def describe(issuer: str, key: str = "corp", **more: object) -> Provider:
    """A provider as the file describes it."""
    given = {"name": "Corporate sign-in", "client_id": CLIENT, "client_secret": SECRET, **more}
    return Provider(key=key, issuer=issuer, **given)  # type: ignore[arg-type]


def tell(issuer: str, subject: str, **claims: object) -> None:
    """What the provider knows of somebody."""
    requests.put(f"{issuer}/users/{quote(subject)}", json=claims, timeout=10).raise_for_status()


def where_to(page: object) -> str:
    """Where the page goes on to by itself."""
    content = page.content.decode()  # type: ignore[attr-defined]
    url: str = content.partition('http-equiv="refresh" content="0; url=')[2].partition('"')[0]
    return url.replace("&amp;", "&")


def asked_at(url: str) -> dict[str, str]:
    """What the provider is asked by the address to which somebody is sent."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def say_who(url: str, subject: str, **form: str) -> str:
    """Sign in at the provider; where it sends one back to."""
    answer = requests.post(url, data={"sub": subject, **form}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def sign_in(client: Client, subject: str, key: str = "corp", **given: str) -> object:
    """The whole way; the last answer of ours."""
    return client.get(say_who(where_to(client.post(f"/login/with/{key}/", given)), subject))


@cache
def a_key() -> rsa.RSAPrivateKey:
    """One for all that lie: making one takes longer than most of their tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Liar:
    """A provider whose answers are as a test wants them: `claims` and `header` of its ID token, and `metadata`."""

    def __init__(self) -> None:
        self.claims: dict[str, object] = {}
        self.metadata: dict[str, object] = {}
        self.key = a_key()
        self.signs_with: object = self.key
        self.algorithm = "RS256"
        self.userinfo: dict[str, object] | None = None
        self.status = 200
        self.keys: object = None
        self.raw: tuple[dict[str, str], bytes] | None = None  # in place of every answer
        self.drips = 0  # so many bytes of the head come one every while, before the rest
        self.nonce = ""
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    def answer_to(self, path: str, form: dict[str, list[str]], issuer: str) -> dict[str, object]:
        """What it says at an address."""
        self.asked.append((path, form))
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            more = {"userinfo_endpoint": f"{issuer}/me"} if self.userinfo is not None else {}
            return {"issuer": issuer, **{k: f"{issuer}/{v}" for k, v in ends.items()}, **more, **self.metadata}
        if path == "/keys" and self.keys is not None:
            return {"keys": self.keys}
        if path == "/keys":
            return {"keys": [{**RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": "1", "alg": "RS256"}]}
        if path == "/me":
            return self.userinfo or {}
        return {"access_token": "a", "token_type": "Bearer", "id_token": self._token(issuer)}

    def _token(self, issuer: str) -> str:
        now = int(time.time())
        told = {"iss": issuer, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": self.nonce}
        claims = {name: value for name, value in {**told, **self.claims}.items() if value is not None}
        if self.algorithm == "none":
            parts = [json.dumps(part).encode() for part in ({"alg": "none", "kid": "1"}, claims)]
            return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
        return jwt.encode(claims, self.signs_with, self.algorithm, headers={"kid": "1"})


@contextmanager
def running_liar(certificate: Path | None = None) -> Iterator[tuple[Liar, str]]:
    """A provider that lies, and its issuer; with the certificate and key of a file over TLS."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))

        def _answer(self, form: dict[str, list[str]]) -> None:
            headers, body = {}, json.dumps(liar.answer_to(self.path, form, issuer)).encode()
            if liar.raw is not None:
                headers, body = liar.raw
            with contextlib.suppress(OSError):  # whoever asked has gone
                self.send_response(liar.status)
                self.flush_headers()
                if liar.drips:
                    self.wfile.write(b"X-Drip: ")
                    while liar.drips:
                        self.wfile.write(b".")
                        liar.drips -= 1
                        time.sleep(0.05)
                    self.wfile.write(b"\r\n")
                self.send_header("Content-Type", "application/json")
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield liar, issuer
    finally:
        liar.drips = 0
        server.shutdown()
        server.server_close()
        thread.join()


def send_back(liar: Liar, client: Client, asked: dict[str, str]) -> object:
    """The provider has let somebody in who was sent to it so; the answer of ours."""
    liar.nonce = asked["nonce"]
    return client.get("/login/with/corp/back/", {"state": asked["state"], "code": "c"})


def who_is(client):
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk).username if pk else None


def said():
    return [(event.verb, event.outcome, event.said) for event in Event.objects.order_by("pk")]
