"""The one function through which every call goes: which endpoint, which error, what may be sent again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from rapi.errors import Garbled, NotFound, RapiError, Refused, TimedOut, Unreachable, WrongCluster
from rapi.paths import MAX_TARGET_LENGTH, NotSendable, is_dry_run, job_number
from rapi.refusals import explain_refusal
from rapi.text import clean_text
from rapi.transport import MAX_ANSWER_BYTES, Answer, Endpoint, Transport
from rapi.trust import Trust
from rapi.words import words as _

logger = logging.getLogger("rapi")

#: after a search for the master that found nobody, don't search again for so long
SEARCH_PAUSE_S = 30.0
#: a candidate must answer /2/info within this time
CANDIDATE_TIMEOUT_S = 10.0

_MAX_LOGGED = 300

Pairs = Sequence[tuple[str, str]]


def longest_change_s(connect_timeout_s: float, read_timeout_s: float) -> float:
    """After this, a call that changes something has surely ended.

    At its longest it can't connect, looks for the new master among the other endpoints, and sends only then. A
    connection that fails takes up to two connect time-outs, the second one to tell why.
    """
    search_s = 3 * connect_timeout_s + CANDIDATE_TIMEOUT_S
    last_candidate_s = 2 * connect_timeout_s + CANDIDATE_TIMEOUT_S
    return 2 * connect_timeout_s + search_s + last_candidate_s + connect_timeout_s + read_timeout_s


class Caller:
    """Holds the connection to one cluster. `RapiClient` adds one method per resource.

    ``endpoints``: the cluster's name first, then master candidates. With more than one, ``cluster_uuid`` must be
    known for the others to be of use: an endpoint is only followed to when its /2/info shows that uuid.
    Time-outs in seconds; ``read_timeout_s`` is the longest silence while waiting for an answer.
    ``only_dry_runs``: no change is sent but one that Ganeti will only check, spelled as it takes it there.
    ``changes_within_s``: after this, no change is begun any more, whatever was read before took so long.
    May be shared by several threads. Credentials appear in no repr, log line or error.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint | tuple[str, int]],
        *,
        username: str = "",
        password: str = "",
        trust: Trust | None = None,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 60.0,
        cluster_uuid: str | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        changes_within_s: float | None = None,
        only_dry_runs: bool = False,
    ) -> None:
        if not endpoints:
            raise ValueError(_("A cluster needs at least one endpoint."))
        self.endpoints = tuple(dict.fromkeys(Endpoint(host.strip("[]"), port) for host, port in endpoints))
        self.cluster_uuid = cluster_uuid
        #: number of requests sent so far, and the bytes of their answers
        self.calls = 0
        self.bytes_received = 0
        #: seconds that they took in all, and how many failed, by the kind of error
        self.seconds = 0.0
        self.failures: dict[str, int] = {}
        self._transport = Transport(
            username,
            password,
            trust or Trust.system(),
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            max_answer_bytes=max_answer_bytes,
        )
        self._only_dry_runs = only_dry_runs
        self._lock = threading.Lock()
        self._current = self.endpoints[0]
        self._searched_in_vain_at: float | None = None
        self._changes_until = time.monotonic() + changes_within_s if changes_within_s is not None else float("inf")

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint in use: not the first one when the master has moved."""
        return self._current

    def close(self) -> None:
        """Release the connection pool."""
        self._transport.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._current}>"

    # -- what the resource modules use ---------------------------------------------------------------------

    def _get(self, path: str, query: Pairs = ()) -> Any:
        return self._call("GET", path, query).value

    def _ask(
        self,
        method: str,
        path: str,
        body: Any,
        query: Pairs = (),
        read_timeout_s: float | None = None,
        expects_refusal: bool = False,
    ) -> Any:
        """A read that needs a body. `expects_refusal`: to be refused is an answer, and nothing for the log."""
        return self._call(
            method,
            path,
            query,
            body=body,
            has_body=True,
            read_timeout_s=read_timeout_s,
            refusal_level=logging.DEBUG if expects_refusal else logging.INFO,
        ).value

    def _submit(self, method: str, path: str, *, reason: str | None, query: Pairs = (), body: Any = None) -> int:
        """A change that becomes a job. Returns the job's id."""
        return self._job_id(self._change(method, path, reason=reason, query=query, body=body))

    def _job_id(self, value: Any) -> int:
        """The number of the job that a change became; very old releases write it as a text."""
        number = job_number(value)
        if number is None:
            raise Garbled(_("The answer to a change is not a job number."), where=str(self._current), may_have_run=True)
        return number

    def _change(self, method: str, path: str, *, reason: str | None, query: Pairs = (), body: Any = None) -> Any:
        """A change. ``reason`` goes into the job's reason trail; None where the resource can't take one."""
        pairs = list(query)
        if reason is not None:
            if not reason.strip():
                raise NotSendable(_("A change needs a reason."))
            pairs.append(("reason", reason))
        if self._only_dry_runs and not is_dry_run(path, pairs, body):
            raise NotSendable(_("This would not be a check, but carried out, so it was not sent."))
        if time.monotonic() > self._changes_until:
            raise TimedOut(
                _("What had to be asked before took too long, so it was not sent."), where=str(self._current)
            )
        return self._call(method, path, pairs, body={} if body is None else body, has_body=True, changes=True).value

    # -- the outer form of answers -------------------------------------------------------------------------

    def _object(self, value: Any, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Garbled(_("The answer is no %(what)s.", what=what), where=str(self._current))
        return value

    def _list_of_any(self, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Garbled(_("The answer is not a list."), where=str(self._current))
        return value

    def _list_of(self, value: Any, what: str) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise Garbled(_("The answer is not a list of %(what)s.", what=what), where=str(self._current))
        return value

    def _list_in(self, value: Any, key: str) -> list[dict[str, Any]]:
        return self._list_of(self._object(value, "object").get(key), key)

    def _names(self, value: Any, key: str) -> list[str]:
        names = [each.get(key) for each in self._list_of(value, "names")]
        if not all(isinstance(each, str) for each in names):
            raise Garbled(_("A list of names has something else in it."), where=str(self._current))
        return [each for each in names if isinstance(each, str)]

    def _not_found_instead(self, error: Refused) -> Refused:
        """NotFound for the 500 with which some resources answer for an object that doesn't exist."""
        if error.code == 500 and error.text == "list index out of range":
            words = _("Ganeti doesn't know it.")
            return NotFound(words, where=error.where, code=500, text=words, error_code="unknown_entity")
        return error

    # -- sending -------------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        query: Pairs = (),
        *,
        body: Any = None,
        has_body: bool = False,
        changes: bool = False,
        read_timeout_s: float | None = None,
        refusal_level: int = logging.INFO,
    ) -> Answer:
        """Send, follow the master if it has moved, repeat a read once if the connection was cut."""
        try:
            target_length = len(path) + len(urlencode(query))
        except UnicodeError:
            raise NotSendable(_("There is text in this request that is none.")) from None
        if target_length > MAX_TARGET_LENGTH:
            raise NotSendable(_("This request is too long for Ganeti's RAPI."))

        def send(endpoint: Endpoint) -> Answer:
            return self._send(
                endpoint,
                method,
                path,
                query,
                body=body,
                has_body=has_body,
                changes=changes,
                read_timeout_s=read_timeout_s,
                refusal_level=refusal_level,
            )

        tried = self._current
        try:
            return send(tried)
        except (Unreachable, TimedOut) as error:
            if error.may_have_run or not _may_try_elsewhere(error):
                raise
            failure: RapiError = error
        if not changes and type(failure) is Unreachable:
            try:
                return send(tried)
            except Unreachable as error:
                failure = error
        successor = self._find_master(tried)
        if successor is None:
            raise failure
        return send(successor)

    def _send(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        query: Pairs,
        *,
        body: Any = None,
        has_body: bool = False,
        changes: bool = False,
        read_timeout_s: float | None = None,
        refusal_level: int = logging.INFO,
    ) -> Answer:
        began = time.monotonic()
        try:
            answer = self._transport.exchange(
                endpoint,
                method,
                path,
                query=list(query),
                body=body,
                has_body=has_body,
                changes=changes,
                read_timeout_s=read_timeout_s,
            )
        except RapiError as error:
            logger.info("%s %s%s: %s (%s)", method, endpoint, path, error.message, error.kind)
            self._count_failure(error.kind)
            raise
        finally:
            with self._lock:
                self.calls += 1
                self.seconds += time.monotonic() - began
        with self._lock:
            self.bytes_received += answer.size
        logger.debug("%s %s%s: %d, %.3f s, %d B", method, endpoint, path, answer.status, answer.seconds, answer.size)
        if answer.status == 200:
            if not answer.is_json:
                self._count_failure(Garbled.kind)
                raise Garbled(_("The answer is not JSON."), where=str(endpoint), may_have_run=changes)
            return answer
        failure = explain_refusal(answer, str(endpoint), changes=changes, anonymous=not self._transport.username)
        said = clean_text(failure.message, _MAX_LOGGED)
        logger.log(refusal_level, "%s %s%s: %d %s", method, endpoint, path, answer.status, said)
        if refusal_level > logging.DEBUG:
            self._count_failure(failure.kind)
        raise failure

    def _count_failure(self, kind: str) -> None:
        with self._lock:
            self.failures[kind] = self.failures.get(kind, 0) + 1

    def _find_master(self, failed: Endpoint) -> Endpoint | None:
        """Another endpoint that serves the same cluster, or None. Becomes the current one."""
        if self.cluster_uuid is None or len(self.endpoints) < 2:
            return None
        with self._lock:
            if self._current != failed:
                return self._current  # another thread has found it meanwhile
            now = time.monotonic()
            if self._searched_in_vain_at is not None and now - self._searched_in_vain_at < SEARCH_PAUSE_S:
                return None
        give_up_at = now + 3 * self._transport.connect_timeout_s + CANDIDATE_TIMEOUT_S
        for candidate in self.endpoints:
            if candidate == failed:
                continue
            if time.monotonic() > give_up_at:
                break
            try:
                self._check_candidate(candidate)
            except RapiError as error:
                logger.info("%s is not the master of this cluster: %s", candidate, error.message)
                continue
            logger.warning("The master has moved from %s to %s", failed, candidate)
            with self._lock:
                self._current = candidate
                self._searched_in_vain_at = None
            return candidate
        with self._lock:
            self._searched_in_vain_at = time.monotonic()
        return None

    def _check_candidate(self, candidate: Endpoint) -> None:
        timeout_s = min(CANDIDATE_TIMEOUT_S, self._transport.read_timeout_s)
        info = self._send(candidate, "GET", "/2/info", (), read_timeout_s=timeout_s).value
        uuid = info.get("uuid") if isinstance(info, dict) else None
        if uuid != self.cluster_uuid:
            raise WrongCluster(_("Another cluster answers here."), where=str(candidate))


def _may_try_elsewhere(error: RapiError) -> bool:
    """Whether the failure says "no working master here" rather than "the master is slow"."""
    if isinstance(error, TimedOut):
        return error.connecting
    return True
