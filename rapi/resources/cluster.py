"""The cluster as a whole: /2/info, /2/os, /2/modify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapi.caller import Caller
from rapi.errors import Garbled
from rapi.paths import NO_OPTIONS, JobOptions, NotSendable
from rapi.shapes.cluster import ClusterInfo
from rapi.shapes.fields import Texts
from rapi.shapes.instance import OS_LENGTH
from rapi.words import words as _

_MOST_OS = 5000


class ClusterCalls(Caller):
    """The cluster's own resources."""

    def get_version(self) -> int:
        """RAPI's protocol version, 2. No sign of health: an old master still answers it."""
        value = self._get("/version")
        if isinstance(value, bool) or not isinstance(value, int):
            raise Garbled(
                _("The protocol version is not a number: this is not a Ganeti RAPI."), where=str(self.endpoint)
            )
        return value

    def get_root(self) -> None:
        """GET /2: nothing, but says whether the path exists."""
        self._get("/2")

    def get_features(self) -> frozenset[str]:
        """Feature words; nothing was added to them since 2.5, see `rapi.features`."""
        return frozenset(each for each in self._list_of_any(self._get("/2/features")) if isinstance(each, str))

    def get_info(self, *, read_timeout_s: float | None = None) -> ClusterInfo:
        """The cluster's configuration. Cheap; asks no node."""
        return ClusterInfo.parse(self._call("GET", "/2/info", read_timeout_s=read_timeout_s).value)

    def list_os(self) -> list[str]:
        """Operating systems as "os" or "os+variant". Runs a job on all nodes and blocks for a second or two."""
        return list(Texts(limit=OS_LENGTH, most=_MOST_OS).read(self._list_of_any(self._get("/2/os"))))

    def list_os_bulk(self) -> list[dict[str, Any]]:
        """Operating systems with variants and parameters. From 3.2 on; see `Features.os_bulk`."""
        return self._list_of(self._get("/2/os", [("bulk", "1")]), "operating systems")

    def modify_cluster(self, changes: Mapping[str, Any], *, reason: str, options: JobOptions = NO_OPTIONS) -> int:
        """Change cluster parameters (CLUSTER_SET_PARAMS; keys as its opcode names them). Returns the job id.

        An unknown key is Refused (400). Hypervisor parameters are verified on the nodes, in the job.
        """
        if not changes:
            raise NotSendable(_("Nothing to change."))
        return self._submit("PUT", "/2/modify", reason=reason, body={**changes, **options.body()})

    def redistribute_config(self, *, reason: str, options: JobOptions = NO_OPTIONS) -> int:
        """Push configuration and RAPI users to all nodes. Returns the job id."""
        return self._submit("PUT", "/2/redistribute-config", reason=reason, body=options.body())
