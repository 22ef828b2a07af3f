"""What an update asks for: the cheapest queries, as shapes. See the measurements in the documentation of updates."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from clusters.rapi.query import QueryResult
from clusters.rapi.resources.query import QueryCalls, any_of
from clusters.rapi.shapes.group import GROUP_FIELDS, GroupInfo
from clusters.rapi.shapes.instance import (
    INSTANCE_CONFIG_FIELDS,
    INSTANCE_FINGERPRINT_FIELDS,
    INSTANCE_LIVE_FIELDS,
    NOWHERE,
    InstanceFingerprint,
    InstanceInfo,
    InstanceLive,
    Placement,
)
from clusters.rapi.shapes.network import NETWORK_FIELDS, NetworkInfo
from clusters.rapi.shapes.node import NODE_CONFIG_FIELDS, NODE_LIVE_FIELDS, NodeInfo, NodeLive


class SnapshotCalls(QueryCalls):
    """Complete lists, or those objects asked for by uuid. An object that is gone is simply not in the list."""

    def query_groups(self) -> list[GroupInfo]:
        """All groups. Asks no node."""
        return [GroupInfo.parse(each) for each in self.query("group", GROUP_FIELDS).records()]

    def query_networks(self) -> list[NetworkInfo]:
        """All networks, without address maps. Asks no node."""
        return [NetworkInfo.parse(each) for each in self.query("network", NETWORK_FIELDS).records()]

    def query_nodes(self) -> list[NodeInfo]:
        """All nodes' configuration and instance lists. Asks no node. `place_instances` makes the placement of it."""
        return [NodeInfo.parse(each) for each in self.query("node", NODE_CONFIG_FIELDS).records()]

    def query_nodes_live(self, *, read_timeout_s: float | None = None) -> list[NodeLive]:
        """All nodes' live figures. Asks every node: 5 s more for a dead one."""
        return NodeLive.parse_query(self.query("node", NODE_LIVE_FIELDS, read_timeout_s=read_timeout_s))

    def query_fingerprints(self) -> list[InstanceFingerprint]:
        """uuid, name, serial_no, mtime and admin_state of all instances. Asks no node; 0.3 s at 6,000."""
        return InstanceFingerprint.parse_query(self.query("instance", INSTANCE_FINGERPRINT_FIELDS))

    def query_instances(
        self,
        placement: Mapping[str, Placement],
        *,
        uuids: Collection[str] | None = None,
        changed_since: float | None = None,
        read_timeout_s: float | None = None,
    ) -> list[InstanceInfo]:
        """Configuration of all instances, of these, or of those whose mtime is not before ``changed_since``.

        Asks no node. ``placement`` comes from `place_instances`; asking Ganeti for it here would be quadratic.
        """
        conditions: list[Any] = []
        if uuids is not None:
            if not uuids:
                return []
            conditions.append(any_of("uuid", sorted(uuids)))
        if changed_since is not None:
            conditions.append([">=", "mtime", math.floor(changed_since)])
        qfilter = None if not conditions else conditions[0] if len(conditions) == 1 else ["&", *conditions]
        result = self.query("instance", INSTANCE_CONFIG_FIELDS, qfilter, read_timeout_s=read_timeout_s)
        return [InstanceInfo.parse(each, placement.get(each.get("name") or "", NOWHERE)) for each in result.records()]

    def query_instances_live(
        self, *, uuids: Collection[str] | None = None, read_timeout_s: float | None = None
    ) -> list[InstanceLive]:
        """What all instances, or these, really do. Asks every node: 5 s more for a dead one."""
        if uuids is not None and not uuids:
            return []
        qfilter = None if uuids is None else any_of("uuid", sorted(uuids))
        result: QueryResult = self.query("instance", INSTANCE_LIVE_FIELDS, qfilter, read_timeout_s=read_timeout_s)
        return InstanceLive.parse_query(result)

    def query_exports(self) -> list[tuple[str, str]]:
        """Pairs of node name and export name. Asks every node; one that can't answer is left out."""
        result = self.query("export", ("node", "export"))
        return [(node, export) for node, export in result.rows if isinstance(node, str) and isinstance(export, str)]
