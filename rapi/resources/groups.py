"""Node groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rapi.paths import NO_OPTIONS, JobOptions, NotSendable, check_segment, flag, given
from rapi.resources.cluster import ClusterCalls
from rapi.shapes.group import GroupInfo
from rapi.words import words as _

AllocPolicy = Literal["preferred", "last_resort", "unallocable"]


def group_path(name: str, rest: str = "") -> str:
    """The path of a group's resource. ValueError if the name can't be one."""
    return f"/2/groups/{check_segment(name)}{rest}"


def _parameters(
    alloc_policy: AllocPolicy | None,
    ndparams: Mapping[str, Any] | None,
    ipolicy: Mapping[str, Any] | None,
    diskparams: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return given(
        {
            "alloc_policy": alloc_policy,
            "ndparams": None if ndparams is None else dict(ndparams),
            "ipolicy": None if ipolicy is None else dict(ipolicy),
            "diskparams": None if diskparams is None else dict(diskparams),
        }
    )


class GroupCalls(ClusterCalls):
    """Node groups by name."""

    def list_group_names(self) -> list[str]:
        """All names (GET /2/groups)."""
        return self._names(self._get("/2/groups"), "name")

    def list_groups_bulk(self) -> list[GroupInfo]:
        """All groups (GET /2/groups?bulk=1). Asks no node."""
        return [GroupInfo.parse(each) for each in self._list_of(self._get("/2/groups", [("bulk", "1")]), "groups")]

    def get_group(self, name: str) -> GroupInfo:
        """One group by name or uuid. NotFound if there is none."""
        return GroupInfo.parse(self._get(group_path(name)))

    def add_group(
        self,
        name: str,
        *,
        reason: str,
        alloc_policy: AllocPolicy | None = None,
        ndparams: Mapping[str, Any] | None = None,
        ipolicy: Mapping[str, Any] | None = None,
        diskparams: Mapping[str, Any] | None = None,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Make an empty group. Its ipolicy can't contain ``std``. Returns the job id."""
        body = {"group_name": name, **_parameters(alloc_policy, ndparams, ipolicy, diskparams), **options.body()}
        return self._submit("POST", "/2/groups", reason=reason, query=flag("dry-run", dry_run), body=body)

    def modify_group(
        self,
        name: str,
        *,
        reason: str,
        alloc_policy: AllocPolicy | None = None,
        ndparams: Mapping[str, Any] | None = None,
        ipolicy: Mapping[str, Any] | None = None,
        diskparams: Mapping[str, Any] | None = None,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Change a group's parameters; None leaves a thing as it is. Returns the job id."""
        body = _parameters(alloc_policy, ndparams, ipolicy, diskparams)
        if not body:
            raise NotSendable(_("Nothing to change."))
        if dry_run:
            body["dry_run"] = True
        return self._submit("PUT", group_path(name, "/modify"), reason=reason, body={**body, **options.body()})

    def rename_group(
        self, name: str, new_name: str, *, reason: str, dry_run: bool = False, options: JobOptions = NO_OPTIONS
    ) -> int:
        """Rename. Returns the job id."""
        body = {"new_name": new_name, **options.body()}
        path = group_path(name, "/rename")
        return self._submit("PUT", path, reason=reason, query=flag("dry-run", dry_run), body=body)

    def assign_nodes(
        self,
        name: str,
        nodes: Sequence[str],
        *,
        reason: str,
        force: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Move nodes into this group. ``force`` even if that splits mirrored instances. Returns the job id."""
        query = flag("dry-run", dry_run) + flag("force", force)
        body = {"nodes": list(nodes), **options.body()}
        return self._submit("PUT", group_path(name, "/assign-nodes"), reason=reason, query=query, body=body)

    def remove_group(self, name: str, *, reason: str, dry_run: bool = False, options: JobOptions = NO_OPTIONS) -> int:
        """Remove an empty group. Returns the job id."""
        query = flag("dry-run", dry_run)
        return self._submit("DELETE", group_path(name), reason=reason, query=query, body=options.body())
