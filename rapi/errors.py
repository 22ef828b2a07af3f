"""What can go wrong between us and a cluster, in words for the person on call.

Every error says whether the request may have been carried out (``may_have_run``). Only a request that
surely did not run may be sent again. No message, repr or chained cause carries credentials.
"""

from __future__ import annotations


class RapiError(Exception):
    """A call to a cluster did not give what it should.

    ``where`` is "host:port" of the endpoint, ``may_have_run`` tells whether a *changing* request may have
    been carried out all the same (always False for reads: nothing is changed by them).
    """

    #: one word for statistics and columns, the same for every release of ours
    kind = "error"

    def __init__(self, message: str, *, where: str = "", may_have_run: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.may_have_run = may_have_run

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r} may_have_run={self.may_have_run}>"


class Unreachable(RapiError):
    """No connection, or the connection broke."""

    kind = "unreachable"


class Untrusted(Unreachable):
    """The server's certificate is not the one we trust; nothing was sent to it.

    ``presented`` is the SHA-256 fingerprint it showed ("AB:CD:…"), or None if it could not be read.
    """

    kind = "untrusted"

    def __init__(self, message: str, *, where: str = "", presented: str | None = None) -> None:
        super().__init__(message, where=where, may_have_run=False)
        self.presented = presented


class MasterDown(Unreachable):
    """RAPI answers, but not for a working master: 502 or 504.

    502 at once usually means that this node is no longer the master; 504 that the master daemon hangs.
    """

    kind = "master down"

    def __init__(self, message: str, *, where: str = "", may_have_run: bool = False, code: int = 502) -> None:
        super().__init__(message, where=where, may_have_run=may_have_run)
        self.code = code


class WrongCluster(Unreachable):
    """Another cluster answers at this address (its uuid differs from the one we know)."""

    kind = "wrong cluster"


class DuplicateCluster(RapiError):
    """The cluster that answers is here already, under another name."""

    kind = "duplicate cluster"


class TimedOut(RapiError):
    """No answer in time. ``connecting`` is True when not even the connection was made in time."""

    kind = "timed out"

    def __init__(self, message: str, *, where: str = "", may_have_run: bool = False, connecting: bool = False) -> None:
        super().__init__(message, where=where, may_have_run=may_have_run)
        self.connecting = connecting


class BadCredentials(RapiError):
    """401: the user name or the password is wrong, or there are none and the cluster wants them."""

    kind = "bad credentials"


class Refused(RapiError):
    """Ganeti answered, and said no.

    ``code`` is the HTTP status, ``text`` Ganeti's own words (unescaped), ``error_code`` its class of error where
    it gives one (``unknown_entity``, ``wrong_state``, …), else None.
    """

    kind = "refused"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        may_have_run: bool = False,
        code: int = 0,
        text: str = "",
        error_code: str | None = None,
    ) -> None:
        super().__init__(message, where=where, may_have_run=may_have_run)
        self.code = code
        self.text = text or message
        self.error_code = error_code


class NotFound(Refused):
    """The named object does not exist (404, or 500 with ``unknown_entity``)."""

    kind = "not found"


class NotAllowed(Refused):
    """403: the RAPI user lacks the right (no ``write`` in the users file), or the parameter is barred."""

    kind = "not allowed"


class NotSupported(Refused):
    """501: this release of Ganeti has no such resource or method."""

    kind = "not supported"


class QueueClosed(Refused):
    """The job queue is drained or full: nothing can be submitted now."""

    kind = "queue closed"


class Garbled(RapiError):
    """The answer is not what Ganeti says, or lacks what must be there."""

    kind = "garbled"


class JobLost(RapiError):
    """The cluster does not know this job (any more): archived and deleted, or lost with a master failover."""

    kind = "job lost"

    def __init__(self, message: str, *, where: str = "", job_id: int = 0) -> None:
        super().__init__(message, where=where, may_have_run=False)
        self.job_id = job_id
