"""The commands of `fab prod`, each from its beginning to its end."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path

from deploy.backups import make_backup, read_passphrase, restore_backup
from deploy.extra import bring_directory
from deploy.host import Host, HostError
from deploy.inventory import Inventory, Member, Role
from deploy.lock import only_deployer
from deploy.release import Release, is_changed
from deploy.removal import remove_release
from deploy.restarts import see_to_restarts
from deploy.rollout import (
    ask_whether_well,
    bring_over,
    change_over,
    current_release,
    first_web,
    in_order,
    list_releases,
    manage,
    roll_back,
)
from deploy.services import offer_database, offer_redis, see_to_services
from deploy.settings import read_settings
from deploy.site import CERTIFICATE, CURRENT, KEY, ROOT, SETTINGS, Site

Say = Callable[[str], None]


@dataclass(frozen=True)
class Servers:
    """The servers that are meant, and how one signs in there."""

    inventory: Inventory
    key: str = ""
    known_hosts: str = ""


@dataclass(frozen=True)
class Given:
    """What a person gave for a server; None: it keeps what it has."""

    settings: str | None = None
    certificate: tuple[bytes, bytes] | None = None


def read_given(settings: str, certificate: str, private_key: str) -> Given:
    """From files. Raises HostError."""
    if bool(certificate) != bool(private_key):
        raise HostError("A certificate and its private key belong together: say --certificate and --private-key.")
    pair = (_read(certificate), _read(private_key)) if certificate else None
    if pair is not None:
        _require_pair(certificate, private_key)
    return Given(_read(settings).decode() if settings else None, pair)


def _require_pair(certificate: str, private_key: str) -> None:
    """nginx would not begin with another key's. Raises HostError."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, private_key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        words = f"{certificate} and {private_key} are no certificate (PEM) and its private key without a passphrase"
        raise HostError(f"{words}: {error}.") from error


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HostError(f"{path} can't be read: {error.strerror}.") from error


@contextmanager
def _opened(servers: Servers, *, doing: str = "") -> Iterator[list[tuple[Member, Host, Say]]]:
    """Its servers; whoever does something to them says what, and is alone at all of them."""
    with ExitStack() as opened:
        hosts: list[tuple[Member, Host, Say]] = []
        for member in servers.inventory.members:
            host = Host(member.host, key=servers.key, known_hosts=servers.known_hosts)
            opened.callback(host.close)
            host.open()
            # what is told of it begins with its name as soon as there are several
            hosts.append((member, host, print if servers.inventory.is_alone else partial(print, f"{host.name}:")))
        # in one order, whatever that of the inventory: two deployers never hold a part each
        for _member, host, _say in sorted(hosts, key=lambda each: each[1].name) if doing else []:
            opened.enter_context(only_deployer(host, doing))
        yield hosts


def deploy_release(servers: Servers, name: str, given: Given, *, revision: str, only_checks: bool) -> list[Site]:
    """All of it, each step on all servers before the next. Raises HostError and ReleaseError."""
    if is_changed():
        print("What is not committed here is in no release, and is not deployed.")
    release = Release.of(revision)
    inventory = servers.inventory
    with _opened(servers, doing="" if only_checks else f"deploying {release.name}") as hosts:
        text = inventory.settings or None if given.settings is None else given.settings
        begun = partial(Site, release=release, settings=text, certificate=given.certificate, only_checks=only_checks)
        sites = [
            begun(host, name=inventory.name or name, roles=member.roles, is_alone=inventory.is_alone, say=say)
            for member, host, say in hosts
        ]
        for site in sites:
            site.look()
        first = first_web(sites)
        print(f"{release.name} on {', '.join(site.host.name for site in sites)}, as https://{first.name}")
        _see_to_what_it_needs(sites, [member.address for member, _host, _say in hosts])
        ours = in_order(sites)
        for site in ours:
            bring_over(site)
            bring_directory(site)
        for site in [first, *(site for site in ours if site is not first and Role.WEB in site.roles)]:
            _see_to_certificate(site, first)
        for site in ours:
            site.see_to_settings()  # the last thing before what runs is begun with it, or what was before is put back
        change_over(sites)
        changed = any(site.changed for site in sites)
        if only_checks:
            print("Nothing was done." if changed else "All is as it must be.")
        elif changed:
            print(f"It runs, and is well: https://{first.name}")
            print(f"Fingerprint of its certificate: {_fingerprint(first.host)}")
            print("Its firewall was left as it is: let others reach ports 443 and 80, and yourself that of SSH.")
        else:
            ask_whether_well(sites)
            print("Nothing had to be changed, and it is well.")
        return sites


def _see_to_what_it_needs(sites: Sequence[Site], addresses: Sequence[str]) -> None:
    """Packages, users, and the database and the Redis with which all of them work."""
    for site in sites:
        site.see_to_packages()
        if site.is_ours:
            site.see_to_user()
        see_to_services(site)
        see_to_restarts(site)
    if sites[0].is_alone:
        return
    places = {}
    for site, address in zip(sites, addresses, strict=True):
        others = [each for other, each in zip(sites, addresses, strict=True) if other.is_ours and other is not site]
        if site.runs(Role.DATABASE):
            places["DATABASE_URL"] = offer_database(site, address, others)
        if site.runs(Role.REDIS):
            places["REDIS_URL"] = offer_redis(site, address, others)
    for site in sites:
        site.place(places)


def _see_to_certificate(site: Site, first: Site) -> None:
    """One that has none gets that of the first one, so that browsers see the same whichever answers."""
    there = f"test -s {CERTIFICATE} && test -s {KEY}"
    if site is first or site.certificate is not None or site.host.ask(there):
        site.see_to_certificate()
        return

    def take() -> None:
        pair = BytesIO(), BytesIO()
        for path, into in zip((CERTIFICATE, KEY), pair, strict=True):
            first.host.fetch(path, into)
        site.write_certificate(pair[0].getvalue(), pair[1].getvalue())

    site.need("certificate", f"that of {first.host.name}", take)


def _fingerprint(host: Host) -> str:
    return host.run(f"openssl x509 -in {CERTIFICATE} -noout -fingerprint -sha256").rpartition("=")[2]


@contextmanager
def _installed(servers: Servers, *, doing: str = "", what: str = f"{ROOT}/current") -> Iterator[list[Site]]:
    """What is there. Raises HostError where nothing is, of which `what` is the sign."""
    inventory = servers.inventory
    with _opened(servers, doing=doing) as hosts:
        sites = []
        for member, host, say in hosts:
            settings = host.run(f"cat {SETTINGS} 2>/dev/null || true")
            name = read_settings(settings).get("GWM_PUBLIC_URL", "").partition("://")[2].partition("/")[0]
            if member.is_ours and not (name and host.ask(f"test -e {what}")):
                raise HostError(f"Nothing was deployed to {host.name} yet.")
            found = Site(host, Release("0" * 40), name or inventory.name, settings, say=say)
            sites.append(replace(found, roles=member.roles, is_alone=inventory.is_alone))
        yield sites


def roll_back_release(servers: Servers) -> None:
    """Raises HostError."""
    with _installed(servers, doing="rolling back") as sites:
        print(f"{roll_back(sites)} runs again, and is well.")


def show_status(servers: Servers) -> None:
    """Raises HostError when it is not well."""
    with _installed(servers) as sites:
        first = first_web(sites)
        print(f"https://{first.name}{first.below}")
        for site in in_order(sites):
            current = current_release(site)
            for name in list_releases(site):
                site.say(f"  {'runs ' if name == current else '     '} {name}")
            for unit in site.services:
                site.say(f"  {site.host.run(f'systemctl is-active {unit} || true')} {unit}")
        print(first.host.run(f"{manage(CURRENT, 'health')} 2>&1 || true"))
        ask_whether_well(sites)
        print("It is well.")


def show_logs(servers: Servers, lines: int) -> None:
    """Raises HostError."""
    with _installed(servers) as sites:
        for site in in_order(sites):
            print(site.host.run(f"journalctl -u 'gwm-*' -n {max(1, lines)} --no-pager"))


def remove(servers: Servers, name: str) -> None:
    """Raises HostError."""
    # The directory goes last, so that who was interrupted can go on.
    with _installed(servers, doing="removing it", what=ROOT) as sites:
        remove_release(sites, name)


def back_up(servers: Servers, to: str, *, stays: bool) -> None:
    """Raises HostError."""
    with _installed(servers) as sites:
        where = make_backup(first_web(sites), to, read_passphrase(is_new=True), stays=stays)
        print(f"The backup is {where}")


def restore(servers: Servers, file: str, *, replaces: bool, is_unverified: bool) -> None:
    """Raises HostError."""
    passphrase = read_passphrase(is_new=False)
    with _installed(servers, doing="restoring a backup") as sites:
        restore_backup(sites, file, passphrase, replaces=replaces, is_unverified=is_unverified)
        print(f"It runs with what was restored, and is well: https://{first_web(sites).name}")
