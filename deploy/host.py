"""A server as one reaches it: commands and files over SSH, as root or by sudo."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import IO

from fabric import Connection
from invoke.exceptions import UnexpectedExit
from invoke.runners import Result
from paramiko import Channel, RejectPolicy
from paramiko.ssh_exception import SSHException


class HostError(Exception):
    """Something on the server is not as it must be; the text says what, and what to do."""


class Host:
    """One server. Nothing is sent to one whose key is not known: SSH would ask a person, and so has one to be asked."""

    def __init__(self, address: str, *, key: str = "", known_hosts: str = "") -> None:
        options = {"key_filename": key} if key else {}
        self.name = address.rpartition("@")[2]
        self._connection = Connection(address, connect_timeout=20, connect_kwargs=options)
        self._connection.client.load_system_host_keys(known_hosts or None)
        self._connection.client.set_missing_host_key_policy(RejectPolicy())
        self._folder = ""
        self._prefix = ""
        self._held: Channel | None = None

    def open(self) -> None:
        """Sign in, and see that one is root there or may become it. Raises HostError."""
        try:
            self._connection.open()
        except (SSHException, OSError) as error:
            words = f"{self.name} can't be reached by SSH: {error}. Try `ssh {self.name}` once: its key must be known."
            raise HostError(words) from error
        if self._connection.run("id -u", hide=True, in_stream=False).stdout.strip() != "0":
            self._prefix = "sudo -n "
            if not self.ask("true"):
                raise HostError(f"On {self.name} you are not root, and sudo wants a password. Sign in as root.")

    def close(self) -> None:
        """Take away what was carried over, and end."""
        if self._folder:
            self.ask(f"rm -rf {quote(self._folder)}")
        self._connection.close()

    @contextmanager
    def holding(self, script: str) -> Iterator[str]:
        """The first line of a script that goes on until its input ends, which is here; nothing is run without it."""
        client = self._connection.client
        transport = client.get_transport()
        if transport is None:
            raise HostError(f"{self.name} is not connected.")
        transport.set_keepalive(15)
        stdin, stdout, _stderr = client.exec_command(self._wrapped(script))
        try:
            said = stdout.readline().strip()
            self._held = stdout.channel
            yield said
        finally:
            self._held = None
            stdin.close()
            stdin.channel.shutdown_write()
            stdout.channel.recv_exit_status()

    def run(self, command: str) -> str:
        """What a shell command prints. Raises HostError with its words when it fails."""
        try:
            return self._run(command, warn=False).stdout.strip()
        except UnexpectedExit as failed:
            said = (failed.result.stderr.strip() or failed.result.stdout.strip()).splitlines()[-20:]
            raise HostError("\n".join([f"On {self.name} this failed: {command}", *said])) from failed

    def ask(self, command: str) -> bool:
        """Whether a shell command succeeds."""
        return bool(self._run(command, warn=True).ok)

    def _run(self, command: str, *, warn: bool) -> Result:
        if self._held is not None and self._held.exit_status_ready():
            raise HostError(f"The lock on {self.name} was taken away meanwhile; nothing more was done there.")
        done: Result = self._connection.run(self._wrapped(command), hide=True, warn=warn, in_stream=False)
        return done

    def _wrapped(self, command: str) -> str:
        return f"{self._prefix}env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c {quote(command)}"

    def holds(self, path: str, content: bytes) -> bool:
        """Whether a file has just this content."""
        there = self.run(f"sha256sum < {quote(path)} 2>/dev/null || true").partition(" ")[0]
        return there == hashlib.sha256(content).hexdigest()

    def write(self, path: str, content: bytes, *, mode: str = "644", owner: str = "root:root") -> None:
        """Make a file what it shall be, at once: nobody reads half of it."""
        where = f"{self._carried()}/file"
        self._connection.put(io.BytesIO(content), where)
        user, _, group = owner.partition(":")
        new = f"{path}.new"
        self.run(
            f"install -D -m {mode} -o {user} -g {group} {quote(where)} {quote(new)} && mv -T {quote(new)} {quote(path)}"
        )

    def carry(self, file: Path) -> str:
        """Bring a file over; where it lies there, until the end."""
        where = f"{self._carried()}/{file.name}"
        self._connection.put(str(file), where)
        return where

    def carry_text(self, text: str) -> str:
        """Bring over what must stand on no command line; where it lies there, readable by who signed in, and root."""
        where = f"{self._carried()}/text"
        self._connection.put(io.BytesIO(text.encode()), where)
        return where

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """The content of a file that only root may be able to read."""
        where = f"{self._carried()}/fetched"
        self.run(f"cp {quote(path)} {where} && chown --reference={quote(self._carried())} {where}")
        self._connection.get(where, into)

    def _carried(self) -> str:
        """A directory that only who has signed in can write to."""
        if not self._folder:
            made = self._connection.run("umask 077 && mktemp -d", hide=True, in_stream=False)
            self._folder = made.stdout.strip()
        return self._folder
