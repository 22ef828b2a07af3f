"""PostgreSQL, Redis and nginx begin again when they were killed, like the product's own units."""

from __future__ import annotations

from deploy.inventory import Role
from deploy.site import Site

# Debian's units of nginx and PostgreSQL stay down after a kill, that of Redis (Restart=always) after five within ten
# seconds. Debian's PostgreSQL counts every end as a failure, but for one by systemctl: what a person ended by
# `pg_ctlcluster 15 main stop` is told from what was killed by its exit status.
_ADDED = {
    "postgresql@": (Role.DATABASE, "Restart=on-failure\nRestartPreventExitStatus=0\n"),
    "redis-server": (Role.REDIS, ""),
    "nginx": (Role.WEB, "Restart=on-failure\n"),
}
_UNITS = {
    unit: (role, f"[Unit]\nStartLimitIntervalSec=0\n\n[Service]\n{when}RestartSec=2\n")
    for unit, (role, when) in _ADDED.items()
}


def drop_in(unit: str) -> str:
    """Where systemd reads what is added to a unit."""
    return f"/etc/systemd/system/{unit}.service.d/ganeti-web-manager-restart.conf"


def see_to_restarts(site: Site) -> None:
    """Of those that are on this server for the product; what is somebody else's is left as they have it."""
    host = site.host
    wanted = {unit: text.encode() for unit, (role, text) in _UNITS.items() if _has(site, role)}
    lacking = [unit for unit, text in wanted.items() if not host.holds(drop_in(unit), text)]
    going = [unit for unit in _UNITS if unit not in wanted and host.ask(f"test -e {drop_in(unit)}")]

    def write() -> None:
        for unit in lacking:
            host.write(drop_in(unit), wanted[unit])
        host.run(_take_away(going))

    names = [*(unit.rstrip("@") for unit in lacking), *(f"without {unit.rstrip('@')}" for unit in going)]
    site.need("what begins again when it was killed", ", ".join(names), write)


def remove_restarts(site: Site) -> None:
    """Debian's units are as they were."""
    there = [unit for unit in _UNITS if site.host.ask(f"test -e {drop_in(unit)}")]
    if there:
        take = _take_away(there)
        site.need("what begins again when it was killed", "leave to Debian's units", lambda: site.host.run(take))


def _has(site: Site, role: Role) -> bool:
    return role in site.roles if role is Role.WEB else site.runs(role)


def _take_away(units: list[str]) -> str:
    gone = [
        f"rm -f {drop_in(unit)} && (rmdir {drop_in(unit).rpartition('/')[0]} 2>/dev/null || true)" for unit in units
    ]
    return " && ".join([*gone, "systemctl daemon-reload"])
