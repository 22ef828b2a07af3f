"""What a cycle asks a cluster, each by itself: the update cycle reads with these, and `check_rapi` tries the same.

What is asked, and why (measured on Ganeti 3.0.2): a fingerprint of all machines, their configuration only where it
changed, their place from the nodes' own lists (`pnode` and `snodes` cost Ganeti a scan of all machines per row), live
state in calls of their own, because one dead node delays these by seconds.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from clusters.sync.guarded import Guard
from objectlog.words import gettext as _
from rapi.client import RapiClient
from rapi.errors import Garbled
from rapi.paths import job_number
from rapi.query import FieldState
from rapi.resources.jobs import which_jobs
from rapi.resources.query import Resource, any_of
from rapi.shapes.cluster import ClusterInfo
from rapi.shapes.export import EXPORT_FIELDS, ExportInfo, list_exports
from rapi.shapes.group import GROUP_FIELDS, GroupInfo
from rapi.shapes.instance import (
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_FINGERPRINT_FIELDS,
    INSTANCE_LIVE_FIELDS,
    InstanceFingerprint,
    InstanceInfo,
    InstanceLive,
)
from rapi.shapes.job import JOB_FIELDS, JobInfo
from rapi.shapes.network import NETWORK_FIELDS, NetworkInfo
from rapi.shapes.node import NODE_CONFIG_FIELDS, NODE_LIVE_FIELDS, NodeInfo, NodeLive
from rapi.shapes.reading import Records, read_records

T = TypeVar("T")


class Readings:
    """The readings of one cycle of one cluster. Each raises RapiError for what did not come at all."""

    def __init__(self, client: RapiClient, troubles: Any = None) -> None:
        self._client = client
        self.guard = Guard(client, troubles)

    def read_info(self) -> ClusterInfo:
        """The cluster itself."""
        return self._client.get_info()

    def read_groups(self) -> Records[GroupInfo]:
        """Node groups."""
        found = self.read("group", GROUP_FIELDS, GroupInfo.parse)
        if not found.good and not found.bad:
            raise Garbled(_("Ganeti lists no node group, though every cluster has one."), where=self._where)
        return found

    def read_nodes(self) -> Records[NodeInfo]:
        """The configuration of nodes."""
        found = self.read("node", NODE_CONFIG_FIELDS, NodeInfo.parse)
        if not found.good and not found.bad:
            raise Garbled(_("Ganeti lists no node, not even its master."), where=self._where)
        return found

    def read_networks(self) -> Records[NetworkInfo]:
        """Networks."""
        return self.read("network", NETWORK_FIELDS, NetworkInfo.parse)

    def read_fingerprints(self) -> Records[InstanceFingerprint]:
        """Which machines there are, and what tells whether they changed."""
        result = self._client.query("instance", INSTANCE_FINGERPRINT_FIELDS)
        return read_records("instance", InstanceFingerprint.parse, result.records())

    def read_configs(self, uuids: Sequence[str] | None = None) -> Records[InstanceInfo]:
        """The configuration of all machines, or of these."""
        qfilter = None if uuids is None else any_of("uuid", uuids)
        suspects = self.guard.suspects("instance")
        found = self.read("instance", INSTANCE_CONFIG_FIELDS, InstanceInfo.parse, qfilter)
        if not found.left_out and suspects is not None and set(suspects) <= set(uuids or ()):
            self.guard.troubles.pop("instance", None)
        return found

    def read_machine_live(self) -> Records[InstanceLive]:
        """What machines do."""
        result = self._client.query("instance", INSTANCE_LIVE_FIELDS)
        return read_records("instance", InstanceLive.parse, result.records())

    def read_node_live(self) -> Records[NodeLive]:
        """What nodes have left."""
        result = self._client.query("node", NODE_LIVE_FIELDS)
        offline = (result.state(row, "mtotal") == FieldState.OFFLINE for row in range(len(result)))
        records = [record | {"offline": is_off} for record, is_off in zip(result.records(), offline, strict=True)]
        return read_records("node", NodeLive.parse, records)

    def read_exports(self) -> list[ExportInfo]:
        """The exports that nodes keep; every node is asked."""
        return list_exports(self._client.query("export", EXPORT_FIELDS).records())

    def list_job_ids(self, newer_than: int) -> list[int]:
        """The numbers of all jobs above this one that are not archived, ascending. Of a million jobs this is an answer
        that can still be read."""
        found = self._client.query("job", ("id",), which_jobs((), newer_than))
        numbers = (job_number(each["id"]) for each in found.records())
        return sorted(number for number in numbers if number is not None)

    def read_jobs(self, ids: Collection[int] = (), newer_than: int | None = None) -> Records[JobInfo]:
        """These jobs and those with a greater number, with logs and results."""
        answer = self.guard.query("job", JOB_FIELDS, which_jobs(ids, newer_than))
        # a job that Ganeti does not know is a record of nulls
        found = read_records("job", JobInfo.parse, (each for each in answer.records if each["status"] is not None))
        return Records(found.good, (*found.bad, *answer.bad), answer.left_out)

    def read(
        self,
        resource: Resource,
        fields: Sequence[str],
        parse: Callable[[Any], T],
        qfilter: list[Any] | None = None,
    ) -> Records[T]:
        """A guarded query, each record by itself."""
        answer = self.guard.query(resource, fields, qfilter)
        found = read_records(resource, parse, answer.records)
        return Records(found.good, (*found.bad, *answer.bad), answer.left_out)

    @property
    def _where(self) -> str:
        return str(self._client.endpoint)
