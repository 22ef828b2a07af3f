"""One HTTPS request to one endpoint, and what may have become of it.

Knows nothing of Ganeti's resources. Never follows redirects, never obeys proxy, netrc or CA variables of the
environment, never reuses a connection (Ganeti closes each one; a stale one would leave a write in doubt).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.cookies import RequestsCookieJar
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, InvalidHeader, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from rapi.connecting import BoundedSocket, Oversize, open_socket
from rapi.errors import Garbled, RapiError, TimedOut, Unreachable, Untrusted
from rapi.parsing import TooMuch, parse_json
from rapi.paths import NotSendable
from rapi.trust import Trust, explain_os_error, explain_tls_error, explain_verification, probe_certificate
from rapi.words import words as _

DEFAULT_PORT = 5080
#: an answer larger than this is not read: 10,000 instances in full are 12 MB
MAX_ANSWER_BYTES = 64 * 1024 * 1024
#: nor is a refusal larger than this: it is a sentence
_MAX_REFUSAL_BYTES = 8 * 1024 * 1024
_MAX_HEAD_BYTES = 64 * 1024
_CHUNK_BYTES = 256 * 1024
_NOT_HTTP = (http.client.HTTPException, InvalidHeader)
#: the body of what is read may take this many read time-outs; that of a change is a number, and comes with the head
_BODY_FACTOR = 4


class Endpoint(NamedTuple):
    """Where a RAPI daemon listens. ``host`` is a name, an IPv4 or a bare IPv6 address."""

    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """From "host", "host:port", "::1", "[::1]" or "[::1]:5080". Raises ValueError."""
        text = text.strip()
        if text.startswith("["):
            host, bracket, rest = text[1:].partition("]")
            if not bracket or (rest and not rest.startswith(":")):
                raise ValueError(_("An IPv6 address with a port is written [address]:port."))
            port = rest[1:]
        elif text.count(":") == 1:
            host, _colon, port = text.partition(":")
        else:
            host, port = text, ""
        if not host or any(character in host for character in "/@?# \t\r\n\\"):
            raise ValueError(_("This is not a host name or address."))
        if not port:
            return cls(host)
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(_("A port is a number from 1 to 65535."))
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """An HTTP status and the JSON value in the body (None when the body is empty or not JSON)."""

    status: int
    value: Any
    is_json: bool
    seconds: float
    size: int


class _Progress(threading.local):
    """This thread's request: what bounds it, and how far it has come."""

    #: before this, no byte of the request has left
    sending = False
    connect_by = 0.0
    head_s = 0.0
    body_s = 0.0
    body_bytes = 0


_progress = _Progress()


class _Connection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        """Connect; the time that is left is the handshake's."""
        try:
            return open_socket(self.host, self.port or DEFAULT_PORT, _progress.connect_by)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "The connection was not made in time.") from error
        except OSError as error:
            raise NewConnectionError(self, "The connection was not made.") from error

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        """The pool has connected and verified before it comes to this."""
        _progress.sending = True
        _bound(self.sock, _progress.head_s, _MAX_HEAD_BYTES)
        super().putrequest(*args, **kwargs)

    def getresponse(self) -> Any:
        """The head of the answer; what bounds the body begins here."""
        held = self.sock  # http.client lets go of it when the server says that it will close
        response = super().getresponse()
        # twice, because a body in small pieces is longer on its way
        _bound(held, _progress.body_s, 2 * _progress.body_bytes + _MAX_HEAD_BYTES)
        return response


def _bound(connection: Any, seconds: float, size: int) -> None:
    if not isinstance(connection, BoundedSocket):
        raise TypeError("This connection has no bounds.")
    connection.bound(ends_at=time.monotonic() + seconds, silence_s=_progress.head_s, may_receive=size)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = cast(Any, _Connection)

    def _put_conn(self, conn: Any) -> None:
        """Use no connection twice, whatever the server says: one that went stale would leave a change in doubt."""
        if conn is not None:
            conn.close()
        super()._put_conn(None)


class _TrustAdapter(HTTPAdapter):
    """Verifies by our context and fingerprint alone; requests' own ``verify`` has no say."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        super().__init__(pool_connections=4, pool_maxsize=8, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        if self._trust.fingerprint is not None:
            pool_kwargs["assert_fingerprint"] = self._trust.fingerprint.replace(":", "").lower()
            pool_kwargs["assert_hostname"] = False
        elif not self._trust.check_hostname:
            pool_kwargs["assert_hostname"] = False
        context = self._trust.ssl_context()
        context.sslsocket_class = BoundedSocket
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=context, **pool_kwargs
        )
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host_params, _ = super().build_connection_pool_key_attributes(request, True, None)
        return host_params, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the pool as `init_poolmanager` made it."""


class _NoCookies(RequestsCookieJar):
    def set_cookie(self, cookie: Any, *args: Any, **kwargs: Any) -> None:
        """Keep nothing a server wants to leave with us."""


class _Session(requests.Session):
    def get_redirect_target(self, resp: Any) -> None:
        """Nowhere: even when told not to follow, requests would read the whole body on the way."""


@dataclass
class Transport:
    """Sends requests to endpoints that share credentials and trust. Threads may share it."""

    username: str
    password: str = field(repr=False)
    trust: Trust = field(repr=False)
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 60.0
    max_answer_bytes: int = MAX_ANSWER_BYTES

    def __post_init__(self) -> None:
        session = _Session()
        session.trust_env = False
        session.cookies = _NoCookies()
        session.headers.clear()
        session.headers["Accept"] = "application/json"
        session.headers["Connection"] = "close"
        session.headers["User-Agent"] = "ganeti-web-manager"
        if self.username:
            session.auth = HTTPBasicAuth(self.username.encode("utf-8"), self.password.encode("utf-8"))
        session.adapters.clear()
        session.mount("https://", _TrustAdapter(self.trust))
        self._session = session

    def close(self) -> None:
        """Release what the session holds. The transport is of no use afterwards."""
        self._session.close()

    def exchange(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]],
        body: Any,
        has_body: bool,
        changes: bool,
        read_timeout_s: float | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        ``changes`` says whether the request changes the cluster: only then can it "have run" when the answer
        gets lost. The head must be there within the read time-out, and so must all of the answer to a change; the
        rest of what is read may take some time more. Raises RapiError alone; any HTTP status is an answer.
        """
        where = str(endpoint)
        read_s = self.read_timeout_s if read_timeout_s is None else read_timeout_s
        headers = {"Content-Type": "application/json"} if has_body else {}
        try:
            data = json.dumps(body, allow_nan=False).encode() if has_body else None
        except ValueError as error:
            raise NotSendable(_("This can't be written as JSON: %(error)s.", error=error)) from None
        started = time.monotonic()
        _progress.sending = False
        _progress.connect_by = started + self.connect_timeout_s
        _progress.head_s, _progress.body_s = read_s, read_s if changes else read_s * _BODY_FACTOR
        _progress.body_bytes = self.max_answer_bytes
        try:
            with self._session.request(
                method,
                f"https://{where}{path}",
                params=query or None,
                data=data,
                headers=headers,
                timeout=(self.connect_timeout_s, read_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                status = response.status_code
                raw = self._read(response, where, changes=changes)
        except requests.exceptions.SSLError as error:
            raise self._explain_tls(endpoint, error, changes=changes) from None
        except requests.exceptions.Timeout:
            connecting = not _progress.sending
            limit_s = self.connect_timeout_s if connecting else read_s
            limit = f"{limit_s:g}"
            raise TimedOut(
                _("No connection within %(limit)s s.", limit=limit)
                if connecting
                else _("No answer within %(limit)s s.", limit=limit),
                where=where,
                connecting=connecting,
                may_have_run=changes and not connecting,
            ) from None
        # a ValueError is what some of the library's own parsing of heads ends in
        except (
            requests.exceptions.RequestException,
            HTTPError,
            http.client.HTTPException,
            OSError,
            ValueError,
        ) as error:
            raise self._explain_cut(where, error, changes=changes) from None
        seconds = time.monotonic() - started
        if not raw.strip():
            return Answer(status, None, is_json=False, seconds=seconds, size=len(raw))
        try:
            value = parse_json(raw)
        except TooMuch as error:
            raise Garbled(
                _("The answer is absurd: %(error)s.", error=error.args[0]), where=where, may_have_run=changes
            ) from None
        except ValueError:
            return Answer(status, None, is_json=False, seconds=seconds, size=len(raw))
        return Answer(status, value, is_json=True, seconds=seconds, size=len(raw))

    def _read(self, response: requests.Response, where: str, *, changes: bool) -> bytearray:
        """The body, whole and within bounds."""
        status = response.status_code
        if 300 <= status < 400:
            words = _("It redirects to somewhere else: this is not a Ganeti RAPI.")
            raise Garbled(words, where=where, may_have_run=changes)
        # we ask for none, and Ganeti compresses nothing
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise Garbled(_("The answer is compressed, which was not asked for."), where=where, may_have_run=changes)
        limit = self.max_answer_bytes if status == 200 else min(self.max_answer_bytes, _MAX_REFUSAL_BYTES)
        body = bytearray()
        # read1 gives what has come; read would wait for the whole chunk, beyond any deadline
        while chunk := response.raw.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                raise Garbled(_("The answer is larger than any sensible one."), where=where, may_have_run=changes)
        promised = response.headers.get("Content-Length", "").strip()
        is_chunked = "Transfer-Encoding" in response.headers
        if not is_chunked and promised.lstrip("0") not in ("", str(len(body))):
            raise Garbled(_("The answer is not as long as it says."), where=where, may_have_run=changes)
        return body

    def _explain_tls(self, endpoint: Endpoint, error: BaseException, *, changes: bool) -> RapiError:
        where = str(endpoint)
        if _progress.sending:
            return Unreachable(_("The connection was cut."), where=where, may_have_run=changes)
        causes = _causes(error)
        verification = next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None)
        mismatch = any("Fingerprints did not match" in str(each) for each in causes)
        if verification is None and not mismatch:
            handshake = next((each for each in causes if isinstance(each, ssl.SSLError)), None)
            return Unreachable(
                explain_tls_error(endpoint.host, endpoint.port, handshake, self.connect_timeout_s), where=where
            )
        presented = None
        with contextlib.suppress(RapiError):
            presented = probe_certificate(endpoint.host, endpoint.port, self.connect_timeout_s)
        if verification is None:
            reason = _("Its certificate is not the one that was accepted for this cluster")
        else:
            why = explain_verification(verification, presented)
            reason = _("Its certificate can't be verified (%(why)s)", why=why)
        if presented is None:
            return Untrusted(_("%(reason)s.", reason=reason), where=where)
        shown = presented.fingerprint
        return Untrusted(_("%(reason)s: it shows %(shown)s.", reason=reason, shown=shown), where=where, presented=shown)

    @staticmethod
    def _explain_cut(where: str, error: BaseException, *, changes: bool) -> RapiError:
        causes = _causes(error)
        sent = _progress.sending
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader) and not sent:
            return Unreachable(_("This is not a valid host name."), where=where)
        if any(isinstance(each, Oversize) for each in causes):
            return Garbled(_("The answer is larger than any sensible one."), where=where, may_have_run=changes)
        if any(isinstance(each, TimeoutError) for each in causes):
            return TimedOut(_("No answer in time."), where=where, connecting=not sent, may_have_run=changes and sent)
        is_cut = any(isinstance(each, http.client.IncompleteRead | http.client.RemoteDisconnected) for each in causes)
        is_http = not isinstance(error, ValueError) and not any(isinstance(each, _NOT_HTTP) for each in causes)
        if sent and not is_http and not is_cut:
            return Garbled(_("The answer is not HTTP as it should be."), where=where, may_have_run=changes)
        if sent:
            return Unreachable(
                _("The connection was cut before the answer was complete."), where=where, may_have_run=changes
            )
        os_errors = [each for each in causes if isinstance(each, OSError | UnicodeError)]
        innermost = next((each for each in os_errors if not isinstance(each, requests.RequestException)), error)
        return Unreachable(explain_os_error(innermost), where=where)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and everything it wraps, outermost first (requests and urllib3 hide causes in ``args``)."""
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop(0)
        if each is None or any(each is known for known in found):
            continue
        found.append(each)
        reason = getattr(each, "reason", None)
        todo.extend(arg for arg in (reason, *each.args) if isinstance(arg, BaseException))
        todo.extend((each.__cause__, each.__context__))
    return found
