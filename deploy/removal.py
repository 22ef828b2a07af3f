"""Taking the product off a server. What can't be made again stays: the database, keys, backups, settings."""

from __future__ import annotations

from shlex import quote

from deploy.host import HostError
from deploy.site import CERTIFICATE, DATA, KEY, LOCAL_DATABASE, ROOT, SETTINGS, SITE, UNITS, Site, read_settings

_ENABLED = "/etc/nginx/sites-enabled/ganeti-web-manager"
_WANTS = "/etc/systemd/system/gwm.target.wants"
_COMMAND = "/usr/local/sbin/gwm-manage"


def remove_release(site: Site, name: str) -> None:
    """All that a deployment can make again. `name` is typed by who means this server. Raises HostError."""
    if name != site.name:
        raise HostError(f"What runs on {site.host.name} is {site.name}. If it shall go, say so: --name {site.name}")
    site.need(
        "what runs",
        "stop",
        lambda: site.host.run(
            f"systemctl disable --now gwm.target 2>/dev/null; systemctl stop 'gwm-*' && rm -rf {_WANTS}"
        ),
    )
    paths = " ".join(f"/etc/systemd/system/{quote(unit)}" for unit in UNITS)
    site.need("units", "remove", lambda: site.host.run(f"rm -f {paths} && systemctl daemon-reload"))
    reload = "if systemctl is-active -q nginx; then systemctl reload nginx; fi"
    site.need("site of nginx", "remove", lambda: site.host.run(f"rm -f {_ENABLED} {SITE} && {reload}"))
    site.need("releases", "remove", lambda: site.host.run(f"rm -f {_COMMAND} && rm -rf {ROOT}/releases {ROOT}"))
    for line in describe_what_stays(site.settings or ""):
        site.say(line)


def describe_what_stays(settings: str) -> list[str]:
    """What is left on the server, and how to delete that too."""
    database = read_settings(settings).get("DATABASE_URL", "")
    kept = "runuser -u postgres -- dropdb gwm" if database == LOCAL_DATABASE else "where its settings say it is"
    return [
        "What stays there, so that `fab prod deploy` goes on from it:",
        f"  the database (to delete it: {kept})",
        f"  keys and backups in {DATA} (rm -r {DATA})",
        f"  settings in {SETTINGS} (rm {SETTINGS})",
        f"  certificate and key, {CERTIFICATE} and {KEY}",
        "  the user gwm, and Debian's packages",
    ]
