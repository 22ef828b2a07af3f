"""The commands of `fab prod`, each from its beginning to its end."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from deploy.backups import make_backup, read_passphrase, restore_backup
from deploy.extra import bring_directory
from deploy.host import Host, HostError
from deploy.lock import only_deployer
from deploy.release import Release, is_changed
from deploy.removal import remove_release
from deploy.rollout import ask_whether_well, bring_over, change_over, current_release, list_releases, manage, roll_back
from deploy.site import CERTIFICATE, CURRENT, ROOT, SERVICES, SETTINGS, Site, read_settings


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
def _opened(address: str, key: str, known_hosts: str, *, doing: str = "") -> Iterator[Host]:
    """A server; whoever does something to it says what, and is alone at it."""
    host = Host(address, key=key, known_hosts=known_hosts)
    host.open()
    try:
        with only_deployer(host, doing) if doing else nullcontext():
            yield host
    finally:
        host.close()


def deploy_release(
    address: str, name: str, given: Given, *, revision: str, only_checks: bool, key: str = "", known_hosts: str = ""
) -> Site:
    """All of it. Raises HostError and ReleaseError."""
    if is_changed():
        print("What is not committed here is in no release, and is not deployed.")
    release = Release.of(revision)
    doing = "" if only_checks else f"deploying {release.name}"
    with _opened(address, key, known_hosts, doing=doing) as host:
        site = Site(host, release, name, given.settings, given.certificate, only_checks=only_checks)
        site.look()
        print(f"{release.name} on {host.name}, as https://{site.name}")
        site.see_to_packages()
        site.see_to_user()
        site.see_to_services()
        bring_over(site)
        bring_directory(site)
        site.see_to_certificate()
        site.see_to_settings()  # the last thing before what runs is begun with it, or what was before is put back
        change_over(site)
        if site.only_checks:
            print("Nothing was done." if site.changed else "All is as it must be.")
        elif site.changed:
            print(f"It runs, and is well: https://{site.name}")
            print(f"Fingerprint of its certificate: {_fingerprint(host)}")
            print("Its firewall was left as it is: let others reach ports 443 and 80, and yourself that of SSH.")
        else:
            ask_whether_well(site)
            print("Nothing had to be changed, and it is well.")
        return site


def _fingerprint(host: Host) -> str:
    return host.run(f"openssl x509 -in {CERTIFICATE} -noout -fingerprint -sha256").rpartition("=")[2]


@contextmanager
def _installed(
    address: str, key: str, known_hosts: str, *, doing: str = "", what: str = f"{ROOT}/current"
) -> Iterator[Site]:
    """What is there. Raises HostError where nothing is, of which `what` is the sign."""
    with _opened(address, key, known_hosts, doing=doing) as host:
        settings = host.run(f"cat {SETTINGS} 2>/dev/null || true")
        name = read_settings(settings).get("GWM_PUBLIC_URL", "").partition("://")[2].partition("/")[0]
        if not name or not host.ask(f"test -e {what}"):
            raise HostError(f"Nothing was deployed to {host.name} yet.")
        yield Site(host, Release("0" * 40), name, settings)


def roll_back_release(address: str, *, key: str = "", known_hosts: str = "") -> None:
    """Raises HostError."""
    with _installed(address, key, known_hosts, doing="rolling back") as site:
        print(f"{roll_back(site)} runs again, and is well.")


def show_status(address: str, *, key: str = "", known_hosts: str = "") -> None:
    """Raises HostError when it is not well."""
    with _installed(address, key, known_hosts) as site:
        current = current_release(site)
        print(f"https://{site.name}{site.below}")
        for name in list_releases(site):
            print(f"  {'runs ' if name == current else '     '} {name}")
        for unit in SERVICES:
            print(f"  {site.host.run(f'systemctl is-active {unit} || true')} {unit}")
        print(site.host.run(f"{manage(CURRENT, 'health')} 2>&1 || true"))
        ask_whether_well(site)
        print("It is well.")


def show_logs(address: str, lines: int, *, key: str = "", known_hosts: str = "") -> None:
    """Raises HostError."""
    with _installed(address, key, known_hosts) as site:
        print(site.host.run(f"journalctl -u 'gwm-*' -n {max(1, lines)} --no-pager"))


def remove(address: str, name: str, *, key: str = "", known_hosts: str = "") -> None:
    """Raises HostError."""
    # The directory goes last, so that who was interrupted can go on.
    with _installed(address, key, known_hosts, doing="removing it", what=ROOT) as site:
        remove_release(site, name)


def back_up(address: str, to: str, *, stays: bool, key: str = "", known_hosts: str = "") -> None:
    """Raises HostError."""
    with _installed(address, key, known_hosts) as site:
        where = make_backup(site, to, read_passphrase(is_new=True), stays=stays)
        print(f"The backup is {where}")


def restore(
    address: str, file: str, *, replaces: bool, is_unverified: bool, key: str = "", known_hosts: str = ""
) -> None:
    """Raises HostError."""
    passphrase = read_passphrase(is_new=False)
    with _installed(address, key, known_hosts, doing="restoring a backup") as site:
        restore_backup(site, file, passphrase, replaces=replaces, is_unverified=is_unverified)
        print(f"It runs with what was restored, and is well: https://{site.name}")
