"""Nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rapi.errors import Garbled, Refused
from rapi.paths import (
    NO_OPTIONS,
    Dependency,
    JobOptions,
    NotSendable,
    check_choice,
    check_segment,
    depends_body,
    flag,
    given,
)
from rapi.resources.cluster import ClusterCalls
from rapi.shapes.node import NodeInfo
from rapi.words import words as _

NodeRole = Literal["regular", "master-candidate", "drained", "offline"]
EvacuationMode = Literal["primary-only", "secondary-only", "all"]
MigrationMode = Literal["live", "non-live"]


def node_path(name: str, rest: str = "") -> str:
    """The path of a node's resource. ValueError if the name can't be one."""
    return f"/2/nodes/{check_segment(name)}{rest}"


class NodeCalls(ClusterCalls):
    """Nodes by name."""

    def list_node_names(self) -> list[str]:
        """All names (GET /2/nodes)."""
        return self._names(self._get("/2/nodes"), "id")

    def list_nodes_bulk(self) -> list[dict[str, Any]]:
        """Configuration and live figures of all (GET /2/nodes?bulk=1), for NodeInfo.parse and NodeLive.parse."""
        return self._list_of(self._get("/2/nodes", [("bulk", "1")]), "nodes")

    def get_node(self, name: str) -> NodeInfo:
        """One node by name or uuid; live figures are in ``raw``. NotFound if there is none."""
        return NodeInfo.parse(self._get(node_path(name)))

    def get_node_role(self, name: str) -> str:
        """ "master", "master-candidate", "regular", "drained" or "offline"."""
        try:
            value = self._get(node_path(name, "/role"))
        except Refused as error:
            raise self._not_found_instead(error) from error
        if not isinstance(value, str):
            raise Garbled(_("A node's role is not a word."), where=str(self.endpoint))
        return value

    def set_node_role(
        self,
        name: str,
        role: NodeRole,
        *,
        reason: str,
        force: bool = False,
        auto_promote: bool = False,
    ) -> int:
        """Change the role. ``auto_promote`` lets Ganeti make others candidates instead. Returns the job id.

        The body is the word itself, so there is no room for dependencies.
        """
        query = flag("force", force) + flag("auto-promote", auto_promote)
        path = node_path(name, "/role")
        return self._submit("PUT", path, reason=reason, query=query, body=check_choice(role, NodeRole))

    def modify_node(
        self,
        name: str,
        *,
        reason: str,
        master_candidate: bool | None = None,
        offline: bool | None = None,
        drained: bool | None = None,
        master_capable: bool | None = None,
        vm_capable: bool | None = None,
        powered: bool | None = None,
        secondary_ip: str | None = None,
        ndparams: Mapping[str, Any] | None = None,
        auto_promote: bool = False,
        force: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Change parameters of a node; None leaves a thing as it is. Returns the job id."""
        body = given(
            {
                "master_candidate": master_candidate,
                "offline": offline,
                "drained": drained,
                "master_capable": master_capable,
                "vm_capable": vm_capable,
                "powered": powered,
                "secondary_ip": secondary_ip,
                "ndparams": None if ndparams is None else dict(ndparams),
            }
        )
        if not body:
            raise NotSendable(_("Nothing to change."))
        body |= {
            key: True
            for key, value in (("auto_promote", auto_promote), ("force", force), ("dry_run", dry_run))
            if value
        }
        return self._submit("POST", node_path(name, "/modify"), reason=reason, body={**body, **options.body()})

    def evacuate_node(
        self,
        name: str,
        *,
        reason: str,
        mode: EvacuationMode,
        iallocator: str | None = None,
        remote_node: str | None = None,
        early_release: bool = False,
        ignore_soft_errors: bool | None = None,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Move instances off a node. Returns the id of the job that submits one child job per instance or so."""
        body = given(
            {
                "mode": check_choice(mode, EvacuationMode),
                "iallocator": iallocator,
                "remote_node": remote_node,
                "ignore_soft_errors": ignore_soft_errors,
            }
        )
        if early_release:
            body["early_release"] = True
        query = flag("dry-run", dry_run)
        path = node_path(name, "/evacuate")
        return self._submit("POST", path, reason=reason, query=query, body={**body, **options.body()})

    def migrate_node(
        self,
        name: str,
        *,
        reason: str,
        mode: MigrationMode | None = None,
        target_node: str | None = None,
        iallocator: str | None = None,
        allow_runtime_changes: bool = True,
        ignore_ipolicy: bool = False,
        depends: Sequence[Dependency] = (),
    ) -> int:
        """Migrate all primary instances away. Returns the id of the job that submits the migrations.

        As soon as there is *any* query argument, the reason included, Ganeti takes this for its oldest form of
        request and heeds nothing of the body but dependencies. So the reason is sent as such when there is nothing
        else to say than ``mode``; otherwise it goes along as the job's comment.
        """
        body = given({"target_node": target_node, "iallocator": iallocator})
        if not allow_runtime_changes:
            body["allow_runtime_changes"] = False
        if ignore_ipolicy:
            body["ignore_ipolicy"] = True
        path = node_path(name, "/migrate")
        if not body:
            query = [] if mode is None else [("mode", check_choice(mode, MigrationMode))]
            return self._submit("POST", path, reason=reason, query=query, body=depends_body(depends))
        if not reason.strip():
            raise NotSendable(_("A change needs a reason."))
        body |= {**given({"mode": mode}), **depends_body(depends), "comment": reason}
        return self._submit("POST", path, reason=None, body=body)

    def powercycle_node(self, name: str, *, reason: str, force: bool = False, options: JobOptions = NO_OPTIONS) -> int:
        """Reboot the host the hard way, with everything on it. ``force`` for the master. Returns the job id."""
        path = node_path(name, "/powercycle")
        return self._submit("POST", path, reason=reason, query=flag("force", force), body=options.body())

    def request_node_storage(
        self, name: str, *, reason: str, storage_type: str, fields: Sequence[str] = ("name", "size", "used", "free")
    ) -> int:
        """Submit a job whose result lists storage units (needs ``write``, locks the node). Returns the job id."""
        pairs = [("storage_type", storage_type), ("output_fields", ",".join(fields)), ("reason", reason)]
        return self._job_id(self._call("GET", node_path(name, "/storage"), pairs).value)

    def modify_node_storage(
        self,
        name: str,
        *,
        reason: str,
        storage_type: str,
        unit: str,
        allocatable: bool | None = None,
        depends: Sequence[Dependency] = (),
    ) -> int:
        """Make a physical volume (lvm-pv only) allocatable or not. Returns the job id."""
        query = [("storage_type", storage_type), ("name", unit)]
        if allocatable is not None:
            query.append(("allocatable", "1" if allocatable else "0"))
        path = node_path(name, "/storage/modify")
        return self._submit("PUT", path, reason=reason, query=query, body=depends_body(depends))

    def repair_node_storage(
        self, name: str, *, reason: str, storage_type: str, unit: str, depends: Sequence[Dependency] = ()
    ) -> int:
        """Repair a volume group (lvm-vg only). Returns the job id."""
        query = [("storage_type", storage_type), ("name", unit)]
        path = node_path(name, "/storage/repair")
        return self._submit("PUT", path, reason=reason, query=query, body=depends_body(depends))
