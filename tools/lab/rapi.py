"""Jobs of a lab by its RAPI: a third of what a ``gnt-*`` command costs, for which a Python is started each time."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any

from tools.lab.errors import LabError
from tools.lab.plan import RAPI_PORT, USERS, Plan

_FINAL = {"success", "error", "canceled"}
_TIMEOUT_S = 120.0  # of one request


class Rapi:
    """Speaks to the RAPI of one lab as the user who may write."""

    def __init__(self, plan: Plan) -> None:
        self._host = plan.cluster_address
        user = "gwm"
        credentials = base64.b64encode(f"{user}:{USERS[user][0]}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and return what it answers; LabError when it refuses."""
        trusting = ssl._create_unverified_context()  # noqa: S323 - of our own lab, on this machine
        connection = http.client.HTTPSConnection(self._host, RAPI_PORT, timeout=_TIMEOUT_S, context=trusting)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self._headers)
            answer = connection.getresponse()
            said = answer.read().decode()
        except OSError as error:
            raise LabError(f"{method} {path} got no answer from {self._host}: {error}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise LabError(f"{method} {path} was refused with {answer.status}: {said}")
        return json.loads(said)

    def run(self, method: str, path: str, body: Any = None) -> None:
        """Submit a job and wait for its end; LabError with Ganeti's words when it fails."""
        job = self.ask(method, path, body)
        seen: list[Any] | None = None
        serial: int | None = None
        while seen is None or seen[0] not in _FINAL:
            last = {"fields": ["status", "opresult"], "previous_job_info": seen, "previous_log_serial": serial}
            if change := self.ask("GET", f"/2/jobs/{job}/wait", last):  # nothing has changed for a while: ask again
                seen = change["job_info"]
                serial = change["log_entries"][-1][0] if change["log_entries"] else serial
        if seen[0] != "success":
            raise LabError(f"{method} {path}: job {job} ended with {seen[0]}: {seen[1]}")

    def fields(self, instance: str, *names: str) -> list[Any]:
        """Fields of a machine as a query answers them, without a word to its node if they are of its configuration."""
        answer = self.ask("PUT", "/2/query/instance", {"fields": names, "qfilter": ["=", "name", instance]})
        if not answer["data"]:
            raise LabError(f"The cluster has no machine {instance}.")
        return [value for _, value in answer["data"][0]]
