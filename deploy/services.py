"""PostgreSQL and Redis on a server: for itself alone, or for the other hosts of an inventory, too."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from deploy.host import Host
from deploy.inventory import Role
from deploy.site import Site

PASSWORDS = {Role.DATABASE: "/etc/ganeti-web-manager.postgresql", Role.REDIS: "/etc/ganeti-web-manager.redis"}
_NOT_YET = "made-when-it-is-deployed"
_PSQL = "cd / && runuser -u postgres -- psql -XAtq"
_REDIS = "/etc/redis/ganeti-web-manager.conf"
_INCLUDE = f"include {_REDIS}"
_BEGIN, _END = "# Ganeti Web Manager: its hosts", "# Ganeti Web Manager: end"
# An address that is not there yet at boot would be left out, by PostgreSQL for good.
_LATER = "[Unit]\nWants=network-online.target\nAfter=network-online.target\n"


def see_to_services(site: Site) -> None:
    """The database and the queue, where they are on this server."""
    if site.runs(Role.DATABASE):
        _see_to_running(site, "postgresql")
        role, database = "CREATE ROLE gwm LOGIN", "CREATE DATABASE gwm OWNER gwm ENCODING 'UTF8' TEMPLATE template0"
        for what, catalogue, column, make in (
            ("role of the database", "pg_roles", "rolname", role),
            ("database", "pg_database", "datname", database),
        ):
            query = f"SELECT {column} FROM {catalogue} WHERE {column} = 'gwm'"  # noqa: S608 (names of ours)
            is_there = site.host.ask("command -v psql") and site.host.run(f'{_PSQL} -c "{query}"') == "gwm"
            site.need(what, "" if is_there else "gwm", partial(site.host.run, f'{_PSQL} -c "{make}"'))
    if site.runs(Role.REDIS):
        _see_to_running(site, "redis-server")


def _see_to_running(site: Site, unit: str) -> None:
    # Debian's unit of PostgreSQL is active whether the server runs or not
    answers = "pg_isready -q" if unit == "postgresql" else f"systemctl is-active {unit}"
    runs = site.host.ask(f"systemctl is-enabled {unit} && {answers}")
    start = f"systemctl enable {unit} && systemctl restart {unit} && {answers}"
    site.need(unit, "" if runs else "enable and start", lambda: site.host.run(start))


def offer_database(site: Site, address: str, others: Sequence[str]) -> str:
    """Have other hosts reach the database of this one, with a password and TLS, and none but them; its URL."""
    host = site.host
    password = _password(site, Role.DATABASE)
    folder = host.run("ls -d /etc/postgresql/*/main 2>/dev/null | sort -V | tail -1")
    config = f"{folder}/conf.d/ganeti-web-manager.conf"
    listens = f"# Ganeti Web Manager: for its other hosts\nlisten_addresses = 'localhost,{address}'\n".encode()
    rules = host.run(f"cat {folder}/pg_hba.conf 2>/dev/null || true")
    wanted = (_without_ours(rules) + rules_for([address, *others])).encode()
    answers = (
        f"PGPASSWORD=$(cat {PASSWORDS[Role.DATABASE]}) PGSSLMODE=require psql -wh {address} -U gwm -XAtc 'SELECT 1'"
    )
    is_there = (
        host.holds(config, listens) and host.holds(f"{folder}/pg_hba.conf", wanted) and host.ask(f"{answers} gwm")
    )

    def offer() -> None:
        host.write(config, listens, owner="postgres:postgres")
        host.write(f"{folder}/pg_hba.conf", wanted, mode="640", owner="postgres:postgres")
        _begin_later(host, "postgresql@")
        text = host.carry_text(f"SET password_encryption = 'scram-sha-256';\nALTER ROLE gwm PASSWORD '{password}';\n")
        host.run(f"{_PSQL} < {text} && systemctl restart postgresql && {answers} gwm")

    # of --check, before there is any: the folder is of the PostgreSQL that is to be installed
    site.need("database for its hosts", "" if is_there else ", ".join(others), offer)
    return f"postgres://gwm:{password}@{_in_url(address)}:5432/gwm?sslmode=require"


def rules_for(addresses: Sequence[str]) -> str:
    """The lines of pg_hba.conf that let these in."""
    lines = [f"hostssl gwm gwm {each}/{128 if ':' in each else 32} scram-sha-256" for each in addresses]
    return "\n".join([_BEGIN, *lines, _END]) + "\n"


def _without_ours(rules: str) -> str:
    kept, ours = [], False
    for line in rules.splitlines():
        ours = ours or line == _BEGIN
        if not ours:
            kept.append(line)
        ours = ours and line != _END
    return "".join(f"{line}\n" for line in kept)


def offer_redis(site: Site, address: str, others: Sequence[str]) -> str:
    """Have other hosts reach the Redis of this one, with a password; its URL."""
    host = site.host
    password = _password(site, Role.REDIS)
    config = (
        f"# Ganeti Web Manager: for its other hosts\nbind 127.0.0.1 -::1 {address}\nrequirepass {password}\n".encode()
    )
    answers = f"REDISCLI_AUTH=$(cat {PASSWORDS[Role.REDIS]}) redis-cli -h {address} ping | grep -qx PONG"
    included = f"grep -qxF '{_INCLUDE}' /etc/redis/redis.conf"
    is_there = host.holds(_REDIS, config) and host.ask(f"{included} && {answers}")

    def offer() -> None:
        host.write(_REDIS, config, mode="640", owner="redis:redis")
        _begin_later(host, "redis-server")
        include = f"{included} || echo '{_INCLUDE}' >> /etc/redis/redis.conf"
        host.run(f"({include}) && systemctl restart redis-server && {answers}")

    site.need("Redis for its hosts", "" if is_there else ", ".join(others), offer)
    return f"redis://:{password}@{_in_url(address)}:6379/0"


def _begin_later(host: Host, unit: str) -> None:
    host.write(f"/etc/systemd/system/{unit}.service.d/ganeti-web-manager.conf", _LATER.encode())
    host.run("systemctl daemon-reload")


def _password(site: Site, role: Role) -> str:
    """Made once, and kept on its server for root alone."""
    path = PASSWORDS[role]
    there = site.host.run(f"cat {path} 2>/dev/null || true")
    if there or site.only_checks:
        return there or _NOT_YET
    made = secrets.token_urlsafe(32)
    site.host.write(path, f"{made}\n".encode(), mode="600")
    return made


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address
