"""Rules of the job queue: pause it, reject or rate-limit jobs. From 2.13 on (`Features.job_filters`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapi.caller import Caller
from rapi.errors import Garbled, NotFound, Refused
from rapi.paths import NotSendable, check_segment
from rapi.shapes.filter import FilterRule
from rapi.words import words as _

FilterAction = Literal["ACCEPT", "PAUSE", "REJECT", "CONTINUE"]


@dataclass(frozen=True)
class RateLimit:
    """An action: at most so many of the matching jobs at a time."""

    limit: int


#: matches every job submitted after the rule was made
NEW_JOBS: tuple[Any, ...] = ("jobid", [">", "id", "watermark"])


class FilterCalls(Caller):
    """Job filters by uuid. Adding and removing is done at once, without a job."""

    def list_filter_uuids(self) -> list[str]:
        """All rules' uuids (GET /2/filters)."""
        return self._names(self._get("/2/filters"), "uuid")

    def list_filters(self) -> list[FilterRule]:
        """All rules (GET /2/filters?bulk=1)."""
        return [FilterRule.parse(each) for each in self._list_of(self._get("/2/filters", [("bulk", "1")]), "filters")]

    def get_filter(self, uuid: str) -> FilterRule:
        """One rule. NotFound if there is none."""
        return FilterRule.parse(self._get(f"/2/filters/{check_segment(uuid)}"))

    def add_filter(
        self,
        *,
        reason: str,
        predicates: Sequence[Sequence[Any]],
        action: FilterAction | RateLimit,
        priority: int = 0,
    ) -> str:
        """Add a rule; the lowest priority number is looked at first. Returns its uuid (no job)."""
        body = self._rule(reason, predicates, action, priority)
        return self._uuid(self._change("POST", "/2/filters", reason=None, body=body))

    def replace_filter(
        self,
        uuid: str,
        *,
        reason: str,
        predicates: Sequence[Sequence[Any]],
        action: FilterAction | RateLimit,
        priority: int = 0,
    ) -> str:
        """Replace a rule, or make it under this uuid. Its watermark becomes the latest job. Returns its uuid."""
        body = self._rule(reason, predicates, action, priority)
        return self._uuid(self._change("PUT", f"/2/filters/{check_segment(uuid)}", reason=None, body=body))

    def remove_filter(self, uuid: str, *, reason: str) -> None:
        """Remove a rule. NotFound if there is none. Ganeti keeps no reason for this."""
        try:
            self._change("DELETE", f"/2/filters/{check_segment(uuid)}", reason=reason)
        except Refused as error:
            if error.code == 500 and uuid in error.text:
                raise NotFound(error.text, where=error.where, code=error.code, error_code="unknown_entity") from error
            raise

    @staticmethod
    def _rule(
        reason: str, predicates: Sequence[Sequence[Any]], action: FilterAction | RateLimit, priority: int
    ) -> dict[str, Any]:
        if not reason.strip():
            raise NotSendable(_("A change needs a reason."))
        return {
            "priority": priority,
            "predicates": [list(each) for each in predicates],
            "action": ["RATE_LIMIT", action.limit] if isinstance(action, RateLimit) else action,
            "reason": [["gwm", reason, 0]],
        }

    def _uuid(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise Garbled(_("The answer to a change is no uuid."), where=str(self.endpoint), may_have_run=True)
        return value
