"""What one update of a cluster, or one pass over its jobs, did."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from clusters.connection import client_for
from clusters.models import Cluster
from clusters.sync.rows import Written
from rapi.client import RapiClient
from updates.listing import Followed


@dataclass
class Report:
    """What one update did. `outcome`: updated, failed, or skipped (somebody else is at it)."""

    cluster: str
    outcome: str = "updated"
    written: list[Written] = field(default_factory=list)
    followed: Followed = field(default_factory=Followed)
    rapi_calls: int = 0
    rapi_seconds: float = 0.0
    rapi_failures: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    machines: int = 0
    error: str = ""
    error_kind: str = ""
    live_error: str = ""

    @property
    def rows_written(self) -> int:
        """Rows of all tables, the cluster's own among them."""
        return sum(each.rows for each in self.written) + self.followed.jobs_written + self.followed.machines_written

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"rows_written": self.rows_written}

    def add(self, more: "Report") -> None:
        """Count in what another pass over the same cluster did."""
        self.rapi_calls += more.rapi_calls
        self.seconds += more.seconds
        self.followed = self.followed + more.followed
        self.live_error = self.live_error or more.error

    def describe(self) -> str:
        """One line, with a second for what is wrong."""
        if self.outcome == "skipped":
            return f"{self.cluster}: left alone. {self.error}"
        effort = f"{self.rapi_calls} calls, {self.seconds:.2f} s"
        if self.outcome == "failed":
            return f"{self.cluster}: FAILED ({self.error_kind}) after {effort}\n  {self.error}"
        tables = [f"{each.table} {each.created} new, {each.changed} changed" for each in self.written if each.rows]
        jobs = self.followed
        if jobs.jobs_written or jobs.machines_written:
            tables.append(f"jobs {jobs.jobs_written}, machines of jobs {jobs.machines_written}")
        line = f"{self.cluster}: {self.machines} machines, {effort}; rows written: {'; '.join(tables)}"
        return line + (f"\n  Live state is older: {self.live_error}" if self.live_error else "")


@contextmanager
def counting_client(cluster: Cluster, report: Report, *, configured_first: bool = False) -> Iterator[RapiClient]:
    """A client whose calls are counted in the report, however it ends."""
    with client_for(cluster, configured_first=configured_first) as client:
        try:
            yield client
        finally:
            report.rapi_calls, report.rapi_seconds = client.calls, client.seconds
            report.rapi_failures = dict(client.failures)
