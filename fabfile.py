"""`fab dev deploy` and `fab prod deploy`: a selector says where, the verb says what.

`fab dev deploy` does in place what `./run` does before it starts. `fab prod deploy --host root@gwm.example.org` brings
the committed release to a Debian server over SSH, with all that it needs there, and `fab prod status`, `rollback` and
`logs` look after it (docs/install.md), `backup` and `restore` carry all it holds (docs/backup.md), `remove` ends it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from invoke import Context, Exit, task

if TYPE_CHECKING:
    from deploy.production import Servers

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


@dataclass(frozen=True)
class Place:
    """Where to deploy to; without a directory: servers that are reached over SSH."""

    name: str
    directory: Path | None = None


_chosen: list[Place] = []


@task
def dev(c: Context) -> None:
    """Choose this very directory."""
    _chosen.append(Place("development", HERE))


@task
def prod(c: Context) -> None:
    """Choose a server, which --host of what follows names."""
    _chosen.append(Place("production"))


@task(
    help={
        "host": "where to, as for ssh: root@gwm.example.org",
        "inventory": "file of several hosts, in place of --host: who is what (docs/install.md)",
        "name": "the name people type, if it is another than the server's own",
        "settings": "file of settings (docs/settings.md) for the server; else it keeps those it has",
        "certificate": "chain of certificates (PEM); else the server keeps its own, or signs one for itself",
        "private-key": "its private key (PEM)",
        "revision": "the commit to deploy (HEAD)",
        "check": "say what would be done, and do nothing",
        "key": "private key for SSH",
        "known-hosts": "file of the keys that servers are known by",
    }
)
def deploy(
    c: Context,
    host: str = "",
    inventory: str = "",
    name: str = "",
    settings: str = "",
    certificate: str = "",
    private_key: str = "",
    revision: str = "HEAD",
    check: bool = False,
    key: str = "",
    known_hosts: str = "",
) -> None:
    """Bring a release to a place, with all that it needs; repeated, it changes what is not as it must be."""
    place = _choose()
    if place.directory is not None:
        with c.cd(str(place.directory)):
            c.run(f"{quote(str(place.directory / 'run'))} manage prepare")
        print(f"The {place.name} installation in {place.directory} is ready: ./run starts it, ./run test tests it.")
        return
    from deploy.production import deploy_release, read_given

    with _told():
        if inventory and (name or settings):
            raise Exit("Name and settings stand in the inventory: leave --name and --settings out.")
        given = read_given(settings, certificate, private_key)
        deploy_release(_servers(host, inventory, key, known_hosts), name, given, revision=revision, only_checks=check)


@task
def rollback(c: Context, host: str = "", inventory: str = "", key: str = "", known_hosts: str = "") -> None:
    """Have the release before run again on a server."""
    from deploy.production import roll_back_release

    with _told():
        roll_back_release(_servers(host, inventory, key, known_hosts))


@task(help={"name": "the name people type: type it to say that this server is meant"})
def remove(
    c: Context, host: str = "", inventory: str = "", name: str = "", key: str = "", known_hosts: str = ""
) -> None:
    """Take it off a server. Database, keys, backups and settings stay, and it says where."""
    from deploy.production import remove as remove_there

    with _told():
        remove_there(_servers(host, inventory, key, known_hosts), name)


@task
def status(c: Context, host: str = "", inventory: str = "", key: str = "", known_hosts: str = "") -> None:
    """Say what runs on a server, and whether it is well."""
    from deploy.production import show_status

    with _told():
        show_status(_servers(host, inventory, key, known_hosts))


@task
def logs(
    c: Context, host: str = "", inventory: str = "", lines: int = 100, key: str = "", known_hosts: str = ""
) -> None:
    """Show the newest lines of what the product wrote on a server."""
    from deploy.production import show_logs

    with _told():
        show_logs(_servers(host, inventory, key, known_hosts), lines)


@task(
    help={
        "to": "the file to write here; else one named by server and time, in this directory",
        "stay": "leave it on the server instead",
    }
)
def backup(
    c: Context,
    host: str = "",
    inventory: str = "",
    to: str = "",
    stay: bool = False,
    key: str = "",
    known_hosts: str = "",
) -> None:
    """Make a backup of a server and fetch it; its passphrase is GWM_BACKUP_PASSPHRASE, or asked for."""
    from deploy.production import back_up

    with _told():
        back_up(_servers(host, inventory, key, known_hosts), to, stays=stay)


@task(
    positional=["file"],
    help={
        "file": "what `fab prod backup` has made",
        "replace": "delete what is in the database there",
        "unverified": "restore although the journal can't be verified",
    },
)
def restore(
    c: Context,
    file: str,
    host: str = "",
    inventory: str = "",
    replace: bool = False,
    unverified: bool = False,
    key: str = "",
    known_hosts: str = "",
) -> None:
    """Restore a backup on a server to which the same release was deployed; ends with its health check."""
    from deploy.production import restore as restore_there

    with _told():
        restore_there(_servers(host, inventory, key, known_hosts), file, replaces=replace, is_unverified=unverified)


def _choose() -> Place:
    if len(_chosen) != 1:
        raise Exit("Say where first, one place: fab dev deploy, or fab prod deploy --host root@gwm.example.org")
    return _chosen[0]


def _servers(host: str, inventory: str, key: str, known_hosts: str) -> Servers:
    from deploy.inventory import of_one_host, read_inventory
    from deploy.production import Servers

    if _choose().directory is not None:
        raise Exit("That is for servers: fab prod … --host root@gwm.example.org")
    if bool(host) == bool(inventory):
        raise Exit("Say which server, --host root@gwm.example.org, or which ones, --inventory FILE")
    return Servers(read_inventory(inventory) if inventory else of_one_host(host), key, known_hosts)


@contextmanager
def _told() -> Iterator[None]:
    """What went wrong on a server, or here, ends the command with its words."""
    from deploy.host import HostError
    from deploy.release import ReleaseError

    try:
        yield
    except (HostError, ReleaseError) as error:
        raise Exit(str(error)) from error
