"""A real cluster as tests see it, with what others do to it behind our back.

By RAPI where that is the same job: a ``gnt-*`` command costs more than its job.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from tools.lab import guests
from tools.lab.cluster import Description, Lab
from tools.lab.errors import LabError
from tools.lab.growth import grow, load_name
from tools.lab.nodes import file_of_node
from tools.lab.system import run_program, wait_until


class GanetiCluster:
    """Address and users of a real Ganeti, and hands on its master. All names are full names."""

    def __init__(self, lab: Lab, description: Description) -> None:
        self.lab = lab
        self.name = description.name
        self.host = description.host
        self.port = description.port
        self.endpoint = description.endpoint
        self.fingerprint = description.fingerprint
        self.username = description.username
        self.password = description.password
        self.viewer_username = description.viewer_username
        self.viewer_password = description.viewer_password
        self.nodes = description.nodes
        self._numbers = itertools.count(1)

    # --- looking ---------------------------------------------------------------------------------------------------

    def run(self, node: str, *command: str) -> str:
        """Run a command on a node and return what it printed; LabError when it fails."""
        return self.lab.run(node, *command)

    def gnt(self, program: str, *arguments: str) -> str:
        """Run ``gnt-<program>`` on the master and return what it printed."""
        return self.run(self.lab.master, f"gnt-{program}", *arguments)

    def fresh_name(self, prefix: str = "vm") -> str:
        """A name that no machine of this session had."""
        return guests.full_name(f"{prefix}-{next(self._numbers)}")

    def instance_names(self) -> list[str]:
        return [machine["id"] for machine in self.lab.rapi.ask("GET", "/2/instances")]

    def instance(self, name: str, *fields: str) -> list[str]:
        """The given fields of a machine, as ``gnt-instance list`` prints them."""
        line = self.gnt("instance", "list", "--no-headers", "--separator=|", "-o", ",".join(fields), name)
        return line.rstrip("\n").split("|")

    def node_address(self, node: str) -> str:
        return self.lab.plan.node_address(node)

    def vnc_address(self, name: str) -> tuple[str, int]:
        """Host and port of a running KVM guest's VNC server, as this machine reaches it."""
        return guests.vnc_address(self.lab, name)

    # --- machines --------------------------------------------------------------------------------------------------

    def add_fake_instance(self, name: str | None = None, *, node: str | None = None, started: bool = True) -> str:
        """Create a cheap machine (no disk, hypervisor fake), in about a second; its name."""
        return guests.add_fake_instance(self.lab, name or self.fresh_name(), node=node, started=started)

    def add_guest(self, name: str | None = None, *, node: str | None = None) -> str:
        """Create and start a KVM guest that answers the keyboard and can be migrated; its name."""
        return guests.add_guest(self.lab, name or self.fresh_name("keyboard"), node=node)

    def grow(self, count: int) -> list[str]:
        """Have exactly ``count`` cheap running machines more (0 removes them); their names. RAPI pauses for seconds."""
        grow(self.lab, count)
        return [load_name(i) for i in range(count)]

    def remove_instances(self) -> None:
        """Remove every machine that Ganeti itself created (those of ``grow`` go by ``grow(0)``)."""
        known = [name for name in self.instance_names() if not name.startswith("load")]
        for name in known:
            self.remove(name)

    # --- behind our back -------------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        self._change(name, "startup")

    def stop(self, name: str, timeout_s: int = 0) -> None:
        self._change(name, "shutdown", timeout=timeout_s)

    def _change(self, name: str, what: str, **parameters: Any) -> None:
        self.lab.rapi.run("PUT", f"/2/instances/{name}/{what}", parameters)

    def rename(self, name: str, new_name: str | None = None) -> str:
        """Rename a machine that is down; the new name."""
        new_name = new_name or self.fresh_name("renamed")
        self._change(name, "rename", new_name=new_name, name_check=False, ip_check=False)
        return new_name

    def migrate(self, name: str, node: str | None = None) -> None:
        """Move a running machine to another node without a stop."""
        self._change(name, "migrate", target_node=node or self.other_node(name))

    def failover(self, name: str, node: str | None = None) -> None:
        """Move a machine to another node by stopping and starting it."""
        self._change(name, "failover", target_node=node or self.other_node(name), shutdown_timeout=0)

    def other_node(self, name: str) -> str:
        """A node that the machine does not run on."""
        (primary,) = self.lab.rapi.fields(name, "pnode")
        return next(node for node in self.nodes if node != primary)

    def modify(self, name: str, *options: str) -> None:
        """``gnt-instance modify`` with its options, as ``-B memory=32M``."""
        self.gnt("instance", "modify", *options, name)

    def add_tags(self, name: str, *tags: str) -> None:
        self._change(name, "tags?" + "&".join(f"tag={quote(tag)}" for tag in tags))

    def remove_tags(self, name: str, *tags: str) -> None:
        query = "&".join(f"tag={quote(tag)}" for tag in tags)
        self.lab.rapi.run("DELETE", f"/2/instances/{name}/tags?{query}")

    def remove(self, name: str) -> None:
        self.lab.rapi.run("DELETE", f"/2/instances/{name}", {"shutdown_timeout": 0})

    def crash(self, name: str) -> None:
        """End a running machine of the hypervisor fake as if it had died: Ganeti then says ERROR_down."""
        (primary,) = self.lab.rapi.fields(name, "pnode")
        file_of_node(self.lab.pid_of(primary), f"/run/ganeti/fake-hypervisor/{name}").unlink()

    @contextmanager
    def node_offline(self, node: str) -> Iterator[None]:
        """Have a node (not the master) marked offline for a while."""
        self.gnt("node", "modify", "-O", "yes", "--force", node)
        try:
            yield
        finally:
            self.gnt("node", "modify", "-O", "no", "--force", node)

    @contextmanager
    def master_on(self, node: str) -> Iterator[None]:
        """Have another node be master for a while; the cluster's address moves with it."""
        before = self.lab.master
        self._move_master(node)
        try:
            yield
        finally:
            self._move_master(before)

    def _move_master(self, node: str) -> None:
        self.run(node, "gnt-cluster", "master-failover", "--yes-do-it")
        wait_until(self._answers, what=f"Ganeti to answer with {node} as master", timeout_s=40.0)

    @contextmanager
    def cluster_defaults(self, *options: str, undo: tuple[str, ...]) -> Iterator[None]:
        """Have ``gnt-cluster modify`` options in force for a while, as ``-B vcpus=2`` with undo ``-B vcpus=1``."""
        self.gnt("cluster", "modify", *options)
        try:
            yield
        finally:
            self.gnt("cluster", "modify", *undo)

    @contextmanager
    def held_job(self, seconds: int = 60) -> Iterator[int]:
        """A job that does nothing for a while and holds the locks of all nodes; its id.

        Migrations, failovers and changes of nodes wait for it; starting and stopping machines does not.
        """
        nodes = [option for node in self.nodes for option in ("-n", node)]
        job = int(self.gnt("debug", "delay", "--submit", "--print-jobid", *nodes, str(seconds)))
        try:
            yield job
        finally:
            self.gnt("job", "cancel", "--kill", "--yes-do-it", "--force", str(job))

    # --- broken clusters -------------------------------------------------------------------------------------------

    @contextmanager
    def daemon_stopped(self, daemon: str) -> Iterator[None]:
        """Have one of the master's daemons (``luxid``, ``wconfd``, ``rapi``) down for a while."""
        util = "/usr/lib/ganeti/daemon-util"
        self.run(self.lab.master, util, "stop", f"ganeti-{daemon}")
        try:
            yield
        finally:
            self.run(self.lab.master, util, "start", f"ganeti-{daemon}")
            wait_until(self._answers, what=f"Ganeti to answer after {daemon} is back", timeout_s=40.0)

    @contextmanager
    def locks_held(self) -> Iterator[None]:
        """Have the daemon that grants locks stand still: jobs begin and do not end, queries are answered."""
        self._signal_wconfd("STOP")
        try:
            yield
        finally:
            self._signal_wconfd("CONT")

    def _signal_wconfd(self, signal: str) -> None:
        self.run(self.lab.master, "sh", "-c", f"kill -{signal} $(cat /run/ganeti/ganeti-wconfd.pid)")

    def _answers(self) -> bool:
        try:
            self.gnt("cluster", "info")
        except LabError:
            return False
        return True

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Have RAPI accept connections and say nothing for a while."""
        master = self.lab.master
        pid = self.run(master, "cat", "/run/ganeti/ganeti-rapi.pid").strip()
        self.run(master, "kill", "-STOP", pid)
        try:
            yield
        finally:
            self.run(master, "kill", "-CONT", pid)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Have the cables of all nodes pulled for a while; packets vanish, as with a dead switch."""
        self._plug("nomaster")
        try:
            yield
        finally:
            self._plug(f"master {self.lab.plan.bridge}")
            # What was asked for its address in vain meanwhile may still fail ("No route to host") for a moment.
            wait_until(self._is_there, what="the cables to carry something again", timeout_s=40.0)

    def _is_there(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def _plug(self, where: str) -> None:
        links = "".join(f"link set {self.lab.plan.link(node)} {where}\n" for node in self.nodes)
        run_program(["ip", "-batch", "-"], stdin=links)

    def jobs_with_reason(self, reason: str) -> list[int]:
        """Ids of the jobs whose submission carried this reason, as the master's queue has them on disk."""
        queue = file_of_node(self.lab.pid_of(self.lab.master), "/var/lib/ganeti/queue")
        return sorted(int(file.name[4:]) for file in queue.glob("job-*") if reason in file.read_text())
