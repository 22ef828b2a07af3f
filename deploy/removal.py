"""Taking the product off a server. What can't be made again stays: the database, keys, backups, settings."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from deploy.host import HostError
from deploy.inventory import Role
from deploy.restarts import remove_restarts
from deploy.services import PASSWORDS
from deploy.settings import LOCAL_DATABASE, read_settings
from deploy.site import CERTIFICATE, DATA, KEY, ROOT, SETTINGS, SITE, UNITS, Site

_ENABLED = "/etc/nginx/sites-enabled/ganeti-web-manager"
_WANTS = "/etc/systemd/system/gwm.target.wants"
_COMMAND = "/usr/local/sbin/gwm-manage"


def remove_release(sites: Sequence[Site], name: str) -> None:
    """All that a deployment can make again. `name` is typed by who means these servers. Raises HostError."""
    for site in sites:
        if name != site.name:
            raise HostError(f"What runs on {site.host.name} is {site.name}. If it shall go, say so: --name {site.name}")
    for site in reversed(sites):
        if site.is_ours:
            _remove_from(site)
        remove_restarts(site)
    for site in sites:
        for line in describe_what_stays(site):
            site.say(line)


def _remove_from(site: Site) -> None:
    site.need(
        "what runs",
        "stop",
        lambda: site.host.run(
            f"systemctl disable --now gwm.target 2>/dev/null; systemctl stop 'gwm-*' && rm -rf {_WANTS}"
        ),
    )
    paths = " ".join(f"/etc/systemd/system/{quote(unit)}" for unit in UNITS)
    site.need("units", "remove", lambda: site.host.run(f"rm -f {paths} && systemctl daemon-reload"))
    if Role.WEB in site.roles:
        reload = "if systemctl is-active -q nginx; then systemctl reload nginx; fi"
        site.need("site of nginx", "remove", lambda: site.host.run(f"rm -f {_ENABLED} {SITE} && {reload}"))
    site.need("releases", "remove", lambda: site.host.run(f"rm -f {_COMMAND} && rm -rf {ROOT}/releases {ROOT}"))


def describe_what_stays(site: Site) -> list[str]:
    """What is left on the server, and how to delete that too."""
    drop = "runuser -u postgres -- dropdb gwm"
    if read_settings(site.settings or "").get("DATABASE_URL", "") == LOCAL_DATABASE or site.runs(Role.DATABASE):
        database = [f"  the database (to delete it: {drop})"]
    else:
        database = ["  the database (to delete it: where its settings say it is)"] if site.is_alone else []
    passwords = [
        f"  {role} for the other hosts, with its password in {path}"
        for role, path in PASSWORDS.items()
        if not site.is_alone and site.runs(role)
    ]
    kept = [
        f"  keys and backups in {DATA} (rm -r {DATA})",
        f"  settings in {SETTINGS} (rm {SETTINGS})",
        *([f"  certificate and key, {CERTIFICATE} and {KEY}"] if Role.WEB in site.roles else []),
        "  the user gwm, and Debian's packages",
    ]
    head = "What stays there, so that `fab prod deploy` goes on from it:"
    return [head, *database, *passwords, *(kept if site.is_ours else ["  Debian's packages"])]
