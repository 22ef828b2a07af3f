"""Instances: disks, exports, and moves between nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rapi.paths import NO_OPTIONS, Dependency, JobOptions, NotSendable, check_choice, depends_body, flag, given
from rapi.resources.instances import InstanceCalls, instance_path
from rapi.words import words as _

ReplaceMode = Literal["replace_on_primary", "replace_on_secondary", "replace_new_secondary", "replace_auto"]
MigrationMode = Literal["live", "non-live"]
ExportMode = Literal["local", "remote"]


class StorageCalls(InstanceCalls):
    """Disks of instances, and where instances are."""

    def grow_disk(
        self,
        name: str,
        index: int,
        amount_mib: int,
        *,
        reason: str,
        absolute: bool = False,
        wait_for_sync: bool = True,
        ignore_ipolicy: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Grow a disk by ``amount_mib``, or to it when ``absolute``. Returns the job id. Disks never shrink."""
        if index < 0 or amount_mib < 0:
            raise NotSendable(_("Neither a disk's index nor the amount can be negative."))
        body = {"amount": amount_mib, "absolute": absolute, "wait_for_sync": wait_for_sync}
        body |= {key: True for key, value in (("ignore_ipolicy", ignore_ipolicy), ("dry_run", dry_run)) if value}
        path = instance_path(name, f"/disk/{index:d}/grow")
        return self._submit("POST", path, reason=reason, body={**body, **options.body()})

    def activate_disks(
        self, name: str, *, reason: str, ignore_size: bool = False, depends: Sequence[Dependency] = ()
    ) -> int:
        """Make the disks of a stopped instance available on its node. Returns the job id."""
        path = instance_path(name, "/activate-disks")
        query = flag("ignore_size", ignore_size)
        return self._submit("PUT", path, reason=reason, query=query, body=depends_body(depends))

    def deactivate_disks(
        self, name: str, *, reason: str, force: bool = False, depends: Sequence[Dependency] = ()
    ) -> int:
        """The reverse of `activate_disks`. Returns the job id."""
        path = instance_path(name, "/deactivate-disks")
        return self._submit("PUT", path, reason=reason, query=flag("force", force), body=depends_body(depends))

    def recreate_disks(
        self,
        name: str,
        *,
        reason: str,
        disks: Sequence[int] | Sequence[tuple[int, Mapping[str, Any]]] = (),
        nodes: Sequence[str] = (),
        iallocator: str | None = None,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Make lost disks anew, empty: all, or those given. Fails if one still exists. Returns the job id."""
        body: dict[str, Any] = given({"iallocator": iallocator})
        if disks:
            body["disks"] = [each if isinstance(each, int) else [each[0], dict(each[1])] for each in disks]
        if nodes:
            body["nodes"] = list(nodes)
        if dry_run:
            body["dry_run"] = True
        path = instance_path(name, "/recreate-disks")
        return self._submit("POST", path, reason=reason, body={**body, **options.body()})

    def replace_disks(
        self,
        name: str,
        *,
        reason: str,
        mode: ReplaceMode,
        disks: Sequence[int] = (),
        remote_node: str | None = None,
        iallocator: str | None = None,
        early_release: bool = False,
        ignore_ipolicy: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Replace mirrored disks (DRBD), on a node or with a new secondary. Returns the job id."""
        body = given({"mode": check_choice(mode, ReplaceMode), "remote_node": remote_node, "iallocator": iallocator})
        if disks:
            body["disks"] = list(disks)
        flags = (("early_release", early_release), ("ignore_ipolicy", ignore_ipolicy), ("dry_run", dry_run))
        body |= {key: True for key, value in flags if value}
        path = instance_path(name, "/replace-disks")
        return self._submit("POST", path, reason=reason, body={**body, **options.body()})

    def prepare_export(
        self, name: str, *, reason: str, mode: ExportMode = "local", depends: Sequence[Dependency] = ()
    ) -> int:
        """Prepare an export; for ``remote`` the job's result holds handshake and certificate. Returns the job id."""
        path = instance_path(name, "/prepare-export")
        query = [("mode", check_choice(mode, ExportMode))]
        return self._submit("PUT", path, reason=reason, query=query, body=depends_body(depends))

    def export_instance(
        self,
        name: str,
        destination: str | Sequence[Any],
        *,
        reason: str,
        mode: ExportMode = "local",
        shutdown: bool = True,
        shutdown_timeout_s: int | None = None,
        remove_instance: bool = False,
        ignore_remove_failures: bool = False,
        x509_key_name: Sequence[str] | None = None,
        destination_x509_ca: str | None = None,
        compress: str | None = None,
        zero_free_space: bool | None = None,
        long_sleep: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Export to a node (``local``, its name) or to another cluster (``remote``). Returns the job id.

        ``long_sleep`` keeps the instance down all the while: needed where the template can't snapshot (file, rbd).
        """
        body = given(
            {
                "destination": destination if isinstance(destination, str) else list(destination),
                "mode": check_choice(mode, ExportMode),
                "shutdown_timeout": shutdown_timeout_s,
                "x509_key_name": None if x509_key_name is None else list(x509_key_name),
                "destination_x509_ca": destination_x509_ca,
                "compress": compress,
                "zero_free_space": zero_free_space,
            }
        )
        body["shutdown"] = shutdown
        flags = (
            ("remove_instance", remove_instance),
            ("ignore_remove_failures", ignore_remove_failures),
            ("long_sleep", long_sleep),
            ("dry_run", dry_run),
        )
        body |= {key: True for key, value in flags if value}
        return self._submit("PUT", instance_path(name, "/export"), reason=reason, body={**body, **options.body()})

    def remove_export(self, name: str, *, reason: str, options: JobOptions = NO_OPTIONS) -> int:
        """Delete an instance's exports. From 3.2 on (`Features.delete_export`); NotSupported before.

        Returns the job id.
        """
        return self._submit("DELETE", instance_path(name, "/export"), reason=reason, body=options.body())

    def migrate_instance(
        self,
        name: str,
        *,
        reason: str,
        mode: MigrationMode | None = None,
        target_node: str | None = None,
        iallocator: str | None = None,
        cleanup: bool = False,
        allow_failover: bool = False,
        allow_runtime_changes: bool = True,
        ignore_ipolicy: bool = False,
        ignore_hvversions: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Move a running instance: to its secondary, or to ``target_node`` with shared storage. Returns the job id.

        Changes the primary node without changing serial_no or mtime.
        """
        body = given({"mode": mode, "target_node": target_node, "iallocator": iallocator})
        body["allow_runtime_changes"] = allow_runtime_changes
        flags = (
            ("cleanup", cleanup),
            ("allow_failover", allow_failover),
            ("ignore_ipolicy", ignore_ipolicy),
            ("ignore_hvversions", ignore_hvversions),
            ("dry_run", dry_run),
        )
        body |= {key: True for key, value in flags if value}
        return self._submit("PUT", instance_path(name, "/migrate"), reason=reason, body={**body, **options.body()})

    def failover_instance(
        self,
        name: str,
        *,
        reason: str,
        target_node: str | None = None,
        iallocator: str | None = None,
        shutdown_timeout_s: int | None = None,
        ignore_consistency: bool = False,
        ignore_ipolicy: bool = False,
        cleanup: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Stop it here and start it on its other node. Returns the job id."""
        body = given(
            {"target_node": target_node, "iallocator": iallocator, "shutdown_timeout": shutdown_timeout_s},
        )
        flags = (
            ("ignore_consistency", ignore_consistency),
            ("ignore_ipolicy", ignore_ipolicy),
            ("cleanup", cleanup),
            ("dry_run", dry_run),
        )
        body |= {key: True for key, value in flags if value}
        return self._submit("PUT", instance_path(name, "/failover"), reason=reason, body={**body, **options.body()})
