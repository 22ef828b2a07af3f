"""The cluster as a whole: /2/info, /2/os, /2/modify, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clusters.rapi.caller import Caller
from clusters.rapi.errors import Garbled, Refused
from clusters.rapi.paths import NO_OPTIONS, Dependency, JobOptions, check_tags, depends_body, flag
from clusters.rapi.shapes.cluster import ClusterInfo


class ClusterCalls(Caller):
    """The cluster's own resources."""

    def get_version(self) -> int:
        """RAPI's protocol version, 2. No sign of health: an old master still answers it."""
        value = self._get("/version")
        if isinstance(value, bool) or not isinstance(value, int):
            raise Garbled("The protocol version is not a number: this is not a Ganeti RAPI.", where=str(self.endpoint))
        return value

    def get_root(self) -> None:
        """GET /2: nothing, but says whether the path exists."""
        self._get("/2")

    def get_features(self) -> frozenset[str]:
        """Feature words; nothing was added to them since 2.5, see `clusters.rapi.features`."""
        return frozenset(each for each in self._list_of_any(self._get("/2/features")) if isinstance(each, str))

    def get_info(self, *, read_timeout_s: float | None = None) -> ClusterInfo:
        """The cluster's configuration. Cheap; asks no node."""
        return ClusterInfo.parse(self._call("GET", "/2/info", read_timeout_s=read_timeout_s).value)

    def list_os(self) -> list[str]:
        """Operating systems as "os" or "os+variant". Runs a job on all nodes and blocks for a second or two."""
        return [each for each in self._list_of_any(self._get("/2/os")) if isinstance(each, str)]

    def list_os_bulk(self) -> list[dict[str, Any]]:
        """Operating systems with variants and parameters. From 3.2 on; see `Features.os_bulk`."""
        return self._list_of(self._get("/2/os", [("bulk", "1")]), "operating systems")

    def modify_cluster(self, changes: Mapping[str, Any], *, reason: str, options: JobOptions = NO_OPTIONS) -> int:
        """Change cluster parameters (CLUSTER_SET_PARAMS; keys as its opcode names them). Returns the job id.

        An unknown key is Refused (400). Hypervisor parameters are verified on the nodes, in the job.
        """
        if not changes:
            raise ValueError("Nothing to change.")
        return self._submit("PUT", "/2/modify", reason=reason, body={**changes, **options.body()})

    def redistribute_config(self, *, reason: str, options: JobOptions = NO_OPTIONS) -> int:
        """Push configuration and RAPI users to all nodes. Returns the job id."""
        return self._submit("PUT", "/2/redistribute-config", reason=reason, body=options.body())

    def get_cluster_tags(self) -> frozenset[str]:
        """The cluster's tags."""
        return self._get_tags("/2")

    def add_cluster_tags(
        self, tags: Sequence[str], *, reason: str, dry_run: bool = False, depends: Sequence[Dependency] = ()
    ) -> int:
        """Add tags to the cluster. Returns the job id."""
        return self._change_tags("PUT", "/2", tags, reason=reason, dry_run=dry_run, depends=depends)

    def remove_cluster_tags(
        self, tags: Sequence[str], *, reason: str, dry_run: bool = False, depends: Sequence[Dependency] = ()
    ) -> int:
        """Remove tags from the cluster; one that isn't there fails the job. Returns the job id."""
        return self._change_tags("DELETE", "/2", tags, reason=reason, dry_run=dry_run, depends=depends)

    # -- tags of anything ----------------------------------------------------------------------------------

    def _get_tags(self, owner: str) -> frozenset[str]:
        try:
            value = self._get(f"{owner}/tags")
        except Refused as error:
            raise self._not_found_instead(error) from error
        return frozenset(each for each in self._list_of_any(value) if isinstance(each, str))

    def _change_tags(
        self,
        method: str,
        owner: str,
        tags: Sequence[str],
        *,
        reason: str,
        dry_run: bool,
        depends: Sequence[Dependency],
    ) -> int:
        query = [("tag", each) for each in check_tags(tags)] + flag("dry-run", dry_run)
        return self._submit(method, f"{owner}/tags", reason=reason, query=query, body=depends_body(depends))
