"""Instances: reading them, power, creation, removal, modification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from rapi.errors import Refused
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
from rapi.shapes.instance import InstanceInfo
from rapi.words import words as _

RebootType = Literal["hard", "soft", "full"]
AdminStateSource = Literal["user", "admin"]


def instance_path(name: str, rest: str = "") -> str:
    """The path of an instance's resource. ValueError if the name can't be one."""
    return f"/2/instances/{check_segment(name)}{rest}"


class InstanceCalls(ClusterCalls):
    """Instances. Names for writes: full names, since Ganeti expands partial ones."""

    def list_instance_names(self) -> list[str]:
        """All names (GET /2/instances)."""
        return self._names(self._get("/2/instances"), "id")

    def list_instances_bulk(self, *, read_timeout_s: float | None = None) -> list[InstanceInfo]:
        """Everything about everything. Quadratic inside Ganeti (16 s at 6,000) and asks all nodes: not for updates."""
        value = self._call("GET", "/2/instances", [("bulk", "1")], read_timeout_s=read_timeout_s).value
        return [InstanceInfo.parse(each) for each in self._list_of(value, "instances")]

    def get_instance(self, name: str) -> InstanceInfo:
        """One instance by full name or uuid, with placement. NotFound if there is none. Asks its node."""
        return InstanceInfo.parse(self._get(instance_path(name)))

    def request_instance_info(self, name: str, *, reason: str, static: bool = False) -> int:
        """Submit a job whose result tells disk sync progress and run-time parameters. Returns the job id.

        ``static`` asks no node and takes no locks. The only source of DRBD's degraded state.
        """
        pairs = [*flag("static", static), ("reason", reason)]
        return self._job_id(self._call("GET", instance_path(name, "/info"), pairs).value)

    def get_console(self, name: str) -> dict[str, Any]:
        """Ganeti's idea of how to reach the console. Refused (500) for VNC in every release, and 503 when down.

        Best effort only: primary node, ``network_port`` and ``vnc_bind_address`` say more.
        """
        try:
            value = self._get(instance_path(name, "/console"))
        except Refused as error:
            raise self._not_found_instead(error) from error
        return self._object(value, "console")

    # -- power ---------------------------------------------------------------------------------------------

    def startup_instance(
        self,
        name: str,
        *,
        reason: str,
        force: bool = False,
        no_remember: bool = False,
        dry_run: bool = False,
        depends: Sequence[Dependency] = (),
    ) -> int:
        """Start. ``force`` starts it although its secondary is offline; ``no_remember`` leaves the wanted state.

        Returns the job id. Ganeti ignores the body but for ``depends``: no temporary parameters.
        """
        query = flag("force", force) + flag("no_remember", no_remember) + flag("dry-run", dry_run)
        path = instance_path(name, "/startup")
        return self._submit("PUT", path, reason=reason, query=query, body=depends_body(depends))

    def shutdown_instance(
        self,
        name: str,
        *,
        reason: str,
        timeout_s: int | None = None,
        force: bool = False,
        no_remember: bool = False,
        ignore_offline_nodes: bool = False,
        admin_state_source: AdminStateSource | None = None,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Ask the guest to stop, and cut it off after ``timeout_s`` seconds (Ganeti's default: 120; 0: at once).

        ``force`` shuts down even an instance that is marked offline. Returns the job id.
        """
        if timeout_s is not None and timeout_s < 0:
            raise NotSendable(_("A time-out can't be negative."))
        body = given({"timeout": timeout_s, "admin_state_source": admin_state_source})
        if force:
            body["force"] = True
        if ignore_offline_nodes:
            body["ignore_offline_nodes"] = True
        query = flag("no_remember", no_remember) + flag("dry-run", dry_run)
        path = instance_path(name, "/shutdown")
        return self._submit("PUT", path, reason=reason, query=query, body={**body, **options.body()})

    def reboot_instance(
        self,
        name: str,
        *,
        reason: str,
        type: RebootType | str = "hard",
        shutdown_timeout_s: int | None = None,
        ignore_secondaries: bool = False,
        dry_run: bool = False,
        options: JobOptions = NO_OPTIONS,
    ) -> int:
        """Reboot: ``soft`` by the guest, ``hard`` by the hypervisor, ``full`` as shutdown and start.

        Returns the job id.
        """
        query: list[tuple[str, str]] = [("type", check_choice(type, RebootType))]
        query += flag("ignore_secondaries", ignore_secondaries) + flag("dry-run", dry_run)
        body = given({"shutdown_timeout": shutdown_timeout_s})
        path = instance_path(name, "/reboot")
        return self._submit("POST", path, reason=reason, query=query, body={**body, **options.body()})
