"""Instances: creation, removal, reinstallation, renaming, modification, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapi.features import Features
from rapi.paths import NO_OPTIONS, JobOptions, NotSendable, check_choice, flag, given
from rapi.resources.instances import InstanceCalls, instance_path
from rapi.words import words as _

DiskTemplate = Literal["blockdev", "diskless", "drbd", "ext", "file", "gluster", "plain", "rbd", "sharedfile"]
CreateMode = Literal["create", "import", "remote-import"]
Hotplug = Literal["no", "yes", "if possible"]
#: one device change: action, index or name or uuid (-1: at the end), parameters
DeviceChange = tuple[Literal["add", "modify", "remove", "attach", "detach"], int | str, Mapping[str, Any]]


@dataclass(frozen=True)
class InstanceSpec:
    """A new instance, in Ganeti's terms. Sizes within ``disks`` are MiB.

    ``disks``: {"size": …} and optionally name, mode (ro, rw), spindles, vg, metavg, adopt, access, provider.
    ``nics``: mac, ip ("pool" takes one from the network), mode, link, network, vlan, name.
    Placement: ``pnode`` (and ``snode``), or ``iallocator``, or neither for the cluster's default allocator.
    ``file_driver`` is needed for file templates. ``no_install`` implies not started, even with ``start``.
    ``name_check`` and ``ip_check`` are always sent: their defaults differ between releases.
    """

    name: str
    disk_template: DiskTemplate
    disks: Sequence[Mapping[str, Any]]
    nics: Sequence[Mapping[str, Any]]
    mode: CreateMode = "create"
    os: str | None = None
    hypervisor: str | None = None
    hvparams: Mapping[str, Any] | None = None
    beparams: Mapping[str, Any] | None = None
    osparams: Mapping[str, Any] | None = None
    osparams_private: Mapping[str, Any] | None = None
    osparams_secret: Mapping[str, Any] | None = None
    pnode: str | None = None
    snode: str | None = None
    iallocator: str | None = None
    group_name: str | None = None
    start: bool = True
    no_install: bool | None = None
    wait_for_sync: bool = True
    name_check: bool = False
    ip_check: bool = False
    conflicts_check: bool = True
    file_driver: Literal["loop", "blktap", "blktap2"] | None = None
    file_storage_dir: str | None = None
    identify_defaults: bool = False
    ignore_ipolicy: bool = False
    opportunistic_locking: bool = False
    force_variant: bool = False
    forthcoming: bool | None = None
    commit: bool | None = None
    tags: Sequence[str] = ()
    src_node: str | None = None
    src_path: str | None = None
    compress: str | None = None
    source_handshake: Sequence[Any] | None = None
    source_x509_ca: str | None = None
    source_instance_name: str | None = None
    source_shutdown_timeout_s: int | None = None
    instance_communication: bool | None = None
    helper_startup_timeout_s: int | None = None
    helper_shutdown_timeout_s: int | None = None

    def __repr__(self) -> str:
        """Without parameters: they may hold secrets."""
        return f"InstanceSpec(name={self.name!r}, mode={self.mode!r}, disk_template={self.disk_template!r})"

    def body(self) -> dict[str, Any]:
        """The opcode's parameters. Raises ValueError for what no release takes."""
        for disk in self.disks:
            size = disk.get("size")
            if size is not None and (isinstance(size, bool) or not isinstance(size, int | str)):
                raise NotSendable(_("The size of a disk is a whole number of MiB."))
        body = given(
            {
                "os": self.os,
                "hypervisor": self.hypervisor,
                "hvparams": _plain(self.hvparams),
                "beparams": _plain(self.beparams),
                "osparams": _plain(self.osparams),
                "osparams_private": _plain(self.osparams_private),
                "osparams_secret": _plain(self.osparams_secret),
                "pnode": self.pnode,
                "snode": self.snode,
                "iallocator": self.iallocator,
                "group_name": self.group_name,
                "no_install": self.no_install,
                "file_driver": self.file_driver,
                "file_storage_dir": self.file_storage_dir,
                "forthcoming": self.forthcoming,
                "commit": self.commit,
                "src_node": self.src_node,
                "src_path": self.src_path,
                "compress": self.compress,
                "source_handshake": None if self.source_handshake is None else list(self.source_handshake),
                "source_x509_ca": self.source_x509_ca,
                "source_instance_name": self.source_instance_name,
                "source_shutdown_timeout": self.source_shutdown_timeout_s,
                "instance_communication": self.instance_communication,
                "helper_startup_timeout": self.helper_startup_timeout_s,
                "helper_shutdown_timeout": self.helper_shutdown_timeout_s,
            }
        )
        for key in ("identify_defaults", "ignore_ipolicy", "opportunistic_locking", "force_variant"):
            if getattr(self, key):
                body[key] = True
        return {
            **body,
            "name": self.name,
            "mode": self.mode,
            "disk_template": self.disk_template,
            "disks": [dict(each) for each in self.disks],
            "nics": [dict(each) for each in self.nics],
            "start": self.start,
            "wait_for_sync": self.wait_for_sync,
            "name_check": self.name_check,
            "ip_check": self.ip_check,
            "conflicts_check": self.conflicts_check,
            "tags": list(self.tags),
        }


@dataclass(frozen=True)
class InstanceChanges:
    """What to change about an instance; None leaves a thing as it is.

    The value "default" in ``beparams`` and ``hvparams`` removes an override. ``runtime_mem_mib`` balloons a running
    guest now. ``disk_template`` converts the storage of a stopped instance. ``offline`` gives back its resources
    (True) or takes them again (False). ``pnode`` only says where it is: no data is copied.
    """

    beparams: Mapping[str, Any] | None = None
    hvparams: Mapping[str, Any] | None = None
    osparams: Mapping[str, Any] | None = None
    osparams_private: Mapping[str, Any] | None = None
    os_name: str | None = None
    force_variant: bool = False
    nics: Sequence[DeviceChange] | None = None
    disks: Sequence[DeviceChange] | None = None
    disk_template: DiskTemplate | None = None
    remote_node: str | None = None
    iallocator: str | None = None
    file_driver: str | None = None
    file_storage_dir: str | None = None
    ext_params: Mapping[str, Any] | None = None
    runtime_mem_mib: int | None = None
    offline: bool | None = None
    pnode: str | None = None
    instance_communication: bool | None = None

    def __repr__(self) -> str:
        """Without values: they may hold secrets."""
        return f"InstanceChanges({', '.join(sorted(self.body()))})"

    def body(self) -> dict[str, Any]:
        """The opcode's parameters."""
        body = given(
            {
                "beparams": _plain(self.beparams),
                "hvparams": _plain(self.hvparams),
                "osparams": _plain(self.osparams),
                "osparams_private": _plain(self.osparams_private),
                "os_name": self.os_name,
                "nics": _triples(self.nics),
                "disks": _triples(self.disks),
                "disk_template": self.disk_template,
                "remote_node": self.remote_node,
                "iallocator": self.iallocator,
                "file_driver": self.file_driver,
                "file_storage_dir": self.file_storage_dir,
                "ext_params": _plain(self.ext_params),
                "runtime_mem": self.runtime_mem_mib,
                "offline": self.offline,
                "pnode": self.pnode,
                "instance_communication": self.instance_communication,
            }
        )
        if self.force_variant:
            body["force_variant"] = True
        return body


def _plain(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)


def _triples(changes: Sequence[DeviceChange] | None) -> list[list[Any]] | None:
    if changes is None:
        return None
    return [[action, which, dict(parameters)] for action, which, parameters in changes]


class LifecycleCalls(InstanceCalls):
    """Instances come, change and go."""

    def create_instance(
        self, spec: InstanceSpec, *, reason: str, dry_run: bool = False, options: JobOptions = NO_OPTIONS
    ) -> int:
        """Create, import from an export, or import from another cluster (by ``spec.mode``). Returns the job id."""
        body = {"__version__": 1, **spec.body(), **options.body()}
        return self._submit("POST", "/2/instances", reason=reason, query=flag("dry-run", dry_run), body=body)

    def create_instances(
        self,
        specs: Sequence[InstanceSpec],
        *,
        reason: str,
        iallocator: str | None = None,
        opportunistic_locking: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Place several at once by the allocator (instances-multi-alloc). Each needs an explicit hypervisor.

        Returns the id of the job whose result says which can be allocated and lists one child job for each.
        """
        if any(each.hypervisor is None for each in specs):
            raise NotSendable(_("The allocator needs the hypervisor of every instance."))
        body: dict[str, Any] = {"instances": [each.body() for each in specs], **given({"iallocator": iallocator})}
        if opportunistic_locking:
            body["opportunistic_locking"] = True
        query = flag("dry-run", dry_run)
        path = "/2/instances-multi-alloc"
        return self._submit("POST", path, reason=reason, query=query, body={**body, **options.body()})

    def remove_instance(
        self,
        name: str,
        *,
        reason: str,
        shutdown_timeout_s: int | None = None,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Shut down and delete with all disks. Returns the job id."""
        body = {**given({"shutdown_timeout": shutdown_timeout_s}), **options.body()}
        return self._submit("DELETE", instance_path(name), reason=reason, query=flag("dry-run", dry_run), body=body)

    def reinstall_instance(
        self,
        name: str,
        *,
        reason: str,
        os: str | None = None,
        start: bool = True,
        osparams: Mapping[str, Any] | None = None,
    ) -> int:
        """Shut down, run the OS scripts anew, start: one job of two or three opcodes. Returns its id.

        Ganeti can take neither reason nor dependencies nor private parameters here; ``reason`` is demanded for the
        caller's journal and is *not* sent, so a lost answer can't be found again by it.
        """
        if not reason.strip():
            raise NotSendable(_("A change needs a reason."))
        body = {"start": start, **given({"os": os, "osparams": _plain(osparams)})}
        return self._submit("POST", instance_path(name, "/reinstall"), reason=None, body=body)

    def rename_instance(
        self,
        name: str,
        new_name: str,
        *,
        reason: str,
        name_check: bool = False,
        ip_check: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Rename a stopped instance. Returns the job id; its result is the final name."""
        body: dict[str, Any] = {"new_name": new_name, "name_check": name_check, "ip_check": ip_check}
        if dry_run:
            body["dry_run"] = True
        body |= options.body()
        return self._submit("PUT", instance_path(name, "/rename"), reason=reason, body=body)

    def modify_instance(
        self,
        name: str,
        changes: InstanceChanges,
        *,
        reason: str,
        hotplug: Hotplug = "no",
        features: Features | None = None,
        force: bool = False,
        ignore_ipolicy: bool = False,
        conflicts_check: bool = True,
        wait_for_sync: bool = True,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Change parameters, disks and NICs. Returns the job id; its result lists what changed.

        ``hotplug`` is always sent, because its default differs between releases; "if possible" needs ``features``
        (from 3.1 on it is the same as "yes").
        """
        body = changes.body()
        if not body:
            raise NotSendable(_("Nothing to change."))
        body["hotplug"] = check_choice(hotplug, Hotplug) == "yes"
        if hotplug == "if possible":
            if features is None:
                raise NotSendable(_("Whether hot-plugging is possible depends on the cluster's features."))
            body.update({"hotplug_if_possible": True} if features.hotplug_if_possible else {"hotplug": True})
        for key, value in (("force", force), ("ignore_ipolicy", ignore_ipolicy), ("dry_run", dry_run)):
            if value:
                body[key] = True
        body["conflicts_check"] = conflicts_check
        body["wait_for_sync"] = wait_for_sync
        return self._submit("PUT", instance_path(name, "/modify"), reason=reason, body={**body, **options.body()})
