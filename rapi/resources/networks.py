"""IP networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from rapi.paths import NO_OPTIONS, JobOptions, NotSendable, check_segment, flag, given
from rapi.resources.cluster import ClusterCalls
from rapi.shapes.network import NetworkInfo
from rapi.words import words as _

NicMode = Literal["bridged", "routed", "openvswitch", "ext"]


def network_path(name: str, rest: str = "") -> str:
    """The path of a network's resource. ValueError if the name can't be one."""
    return f"/2/networks/{check_segment(name)}{rest}"


class NetworkCalls(ClusterCalls):
    """Networks by name."""

    def list_network_names(self) -> list[str]:
        """All names (GET /2/networks)."""
        return self._names(self._get("/2/networks"), "name")

    def list_networks_bulk(self) -> list[NetworkInfo]:
        """All networks with their address maps: large; prefer a query with NETWORK_FIELDS."""
        value = self._get("/2/networks", [("bulk", "1")])
        return [NetworkInfo.parse(each) for each in self._list_of(value, "networks")]

    def get_network(self, name: str) -> NetworkInfo:
        """One network with its address map, by name or uuid. NotFound if there is none."""
        return NetworkInfo.parse(self._get(network_path(name)))

    def add_network(
        self,
        name: str,
        cidr: str,
        *,
        reason: str,
        gateway: str | None = None,
        cidr6: str | None = None,
        gateway6: str | None = None,
        mac_prefix: str | None = None,
        reserved_ips: Sequence[str] = (),
        conflicts_check: bool = True,
        tags: Sequence[str] = (),
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Make a network of IPv4 addresses. Returns the job id."""
        body = given(
            {
                "network_name": name,
                "network": cidr,
                "gateway": gateway,
                "network6": cidr6,
                "gateway6": gateway6,
                "mac_prefix": mac_prefix,
            }
        )
        if reserved_ips:
            body["add_reserved_ips"] = list(reserved_ips)
        body |= {"conflicts_check": conflicts_check, "tags": list(tags), **options.body()}
        return self._submit("POST", "/2/networks", reason=reason, query=flag("dry-run", dry_run), body=body)

    def modify_network(
        self,
        name: str,
        *,
        reason: str,
        gateway: str | None = None,
        cidr6: str | None = None,
        gateway6: str | None = None,
        mac_prefix: str | None = None,
        add_reserved_ips: Sequence[str] = (),
        remove_reserved_ips: Sequence[str] = (),
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Change a network; None leaves a thing as it is. Returns the job id."""
        body: dict[str, Any] = given(
            {"gateway": gateway, "network6": cidr6, "gateway6": gateway6, "mac_prefix": mac_prefix}
        )
        if add_reserved_ips:
            body["add_reserved_ips"] = list(add_reserved_ips)
        if remove_reserved_ips:
            body["remove_reserved_ips"] = list(remove_reserved_ips)
        if not body:
            raise NotSendable(_("Nothing to change."))
        if dry_run:
            body["dry_run"] = True
        return self._submit("PUT", network_path(name, "/modify"), reason=reason, body={**body, **options.body()})

    def connect_network(
        self,
        name: str,
        group_name: str,
        *,
        reason: str,
        mode: NicMode,
        link: str,
        vlan: str = "",
        conflicts_check: bool = True,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Make a network available in a node group. Returns the job id."""
        body: dict[str, Any] = {
            "group_name": group_name,
            "network_mode": mode,
            "network_link": link,
            "conflicts_check": conflicts_check,
        }
        if vlan:
            body["network_vlan"] = vlan
        query = flag("dry-run", dry_run)
        path = network_path(name, "/connect")
        return self._submit("PUT", path, reason=reason, query=query, body={**body, **options.body()})

    def disconnect_network(
        self,
        name: str,
        group_name: str,
        *,
        reason: str,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Take a network away from a node group. Returns the job id."""
        body = {"group_name": group_name, **options.body()}
        path = network_path(name, "/disconnect")
        return self._submit("PUT", path, reason=reason, query=flag("dry-run", dry_run), body=body)

    def rename_network(
        self, name: str, new_name: str, *, reason: str, dry_run: bool = False, options: JobOptions = NO_OPTIONS
    ) -> int:
        """Rename. From 3.1 on (`Features.network_rename`); NotFound before. Returns the job id."""
        body = {"new_name": new_name, **options.body()}
        path = network_path(name, "/rename")
        return self._submit("PUT", path, reason=reason, query=flag("dry-run", dry_run), body=body)

    def remove_network(
        self,
        name: str,
        *,
        reason: str,
        force: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Remove a network that no group is connected to. Returns the job id."""
        body: dict[str, Any] = {"force": True} if force else {}
        query = flag("dry-run", dry_run)
        path = network_path(name)
        return self._submit("DELETE", path, reason=reason, query=query, body={**body, **options.body()})
