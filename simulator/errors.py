"""Errors in Ganeti's two worlds: those that answer a request, and those that end a job."""

from http import HTTPStatus
from typing import Any

EXPLANATIONS = {
    400: "Bad request syntax or unsupported method",
    401: "No permission -- see authorization schemes",
    403: "Request forbidden -- authorization will not help",
    404: "Nothing matches the given URI",
    415: "Entity body in unsupported format",
    500: "Server got itself in trouble",
    501: "Server does not support this operation",
    502: "Invalid responses from another server/proxy",
    503: "The server cannot process the request due to a high load",
    504: "The gateway server did not receive a timely response",
}


class HttpError(Exception):
    """An answer other than 200; ``message`` is Ganeti's text before HTML escaping."""

    def __init__(self, code: int, message: str | None = None, headers: dict[str, str] | None = None) -> None:
        self.code = code
        self.message = HTTPStatus(code).phrase if message is None else message
        self.headers = headers or {}
        super().__init__(f"{code} {self.message}")


class JobError(Exception):
    """What ends an opcode in status error; ``encoded`` is what Ganeti puts into opresult."""

    kind = "OpExecError"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)

    @property
    def encoded(self) -> list[Any]:
        return [self.kind, list(self.args)]


class ExecError(JobError):
    kind = "OpExecError"


class PrereqError(JobError):
    """A prerequisite is missing; the second argument is Ganeti's error code."""

    kind = "OpPrereqError"


class TypeEnforcementError(JobError):
    kind = "TypeEnforcementError"


class TagError(JobError):
    kind = "TagError"
