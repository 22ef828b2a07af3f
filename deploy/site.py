"""What a server must be like, piece by piece: each is looked at first, and nothing is done where it is so."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from shlex import quote

from deploy.host import Host, HostError
from deploy.release import Release

ROOT = "/opt/ganeti-web-manager"
CURRENT = f"{ROOT}/current"
DATA = "/var/lib/ganeti-web-manager"
SETTINGS = "/etc/ganeti-web-manager.env"
CERTIFICATE, KEY = "/etc/ssl/certs/ganeti-web-manager.pem", "/etc/ssl/private/ganeti-web-manager.key"
SITE = "/etc/nginx/sites-available/ganeti-web-manager"
UNITS = (
    "gwm.target",
    "gwm-prepare.service",
    "gwm-web.socket",
    "gwm-web@.service",
    "gwm-worker.service",
    "gwm-beat.service",
    "gwm-backup.service",
    "gwm-backup.timer",
)
SERVICES = ("gwm-web@1.service", "gwm-worker.service", "gwm-beat.service")
LOCAL_DATABASE = "postgres:////var/run/postgresql/gwm"
LOCAL_REDIS = "redis://localhost:6379/0"
KEPT_RELEASES = 3
DIRECTORY = "packages of LDAP"
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_ASSIGNED = re.compile(r"\s*([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*")


@dataclass
class Site:
    """The product on one server. `say` tells a person what was, is, or (`only_checks`) would be done."""

    host: Host
    release: Release
    name: str = ""
    settings: str | None = None
    certificate: tuple[bytes, bytes] | None = None
    only_checks: bool = False
    say: Callable[[str], None] = print
    changed: list[str] = field(default_factory=list)
    settings_before: str = ""
    _had_nginx: bool = True

    def need(self, what: str, lacking: str, do: Callable[[], object]) -> None:
        """Do something if there is something lacking, and say so."""
        if not lacking:
            self.say(f"  as it must be   {what}")
            return
        self.changed.append(what)
        self.say(f"  {'to be done     ' if self.only_checks else 'now            '} {what}: {lacking}")
        if not self.only_checks:
            do()

    def look(self) -> None:
        """What the server is and is called, and the settings it has or shall have. Raises HostError."""
        if not self.host.ask("test -d /run/systemd/system"):
            raise HostError(f"{self.host.name} has no systemd. There, ./run is the way: see docs/install.md.")
        if not self.host.ask("command -v apt-get"):
            raise HostError(f"{self.host.name} is no Debian. There, ./run is the way: see docs/install.md.")
        there = self.host.run(f"cat {SETTINGS} 2>/dev/null || true")
        self.settings_before = there + "\n" if there else ""
        if self.settings is None:
            self.settings = self.settings_before
        public = read_settings(self.settings).get("GWM_PUBLIC_URL", "").rstrip("/")
        self.name = self.name or public.partition("://")[2].partition("/")[0] or self.host.run("hostname -f")
        if not _NAME.fullmatch(self.name):
            raise HostError(f"“{self.name}” is no name that a browser could ask for. Say one: --name gwm.example.org")
        if public and public.partition("://")[::2] != ("https", self.name + self.below):
            words = f"Its settings say GWM_PUBLIC_URL={public}, and not https://{self.name}."
            raise HostError(f"{words} Leave --name out, or give it other --settings.")
        self.settings = complete_settings(self.settings, self.name)

    @property
    def below(self) -> str:
        """The path of the name below which the product lives: /gwm. Most have none."""
        _host, slash, path = self._given.get("GWM_PUBLIC_URL", "").partition("://")[2].rstrip("/").partition("/")
        return slash + path

    @property
    def _given(self) -> dict[str, str]:
        return read_settings(self.settings or "")

    @property
    def takes_directory(self) -> bool:
        """Whether people sign in there with an LDAP directory: it is described in a file."""
        return bool(self._given.get("GWM_LDAP_FILE")) or self.host.ask(f"test -e {DATA}/ldap.toml")

    def see_to_packages(self) -> None:
        """Debian's packages. PostgreSQL and Redis only where they are not somebody else's."""
        wanted = ["python3", "python3-venv", "nginx-light", "openssl", "ca-certificates"]
        wanted += ["postgresql"] if self._given["DATABASE_URL"] == LOCAL_DATABASE else []
        wanted += ["redis-server"] if self._given.get("REDIS_URL") == LOCAL_REDIS else []
        wanted += ["python3-ldap"] if self.takes_directory else []
        query = "dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n' " + " ".join(wanted) + " 2>/dev/null || true"
        there = {line.split()[0] for line in self.host.run(query).splitlines() if line.split()[1:] == ["ii"]}
        # whatever nginx there is will do, and so will its full build
        self._had_nginx = self.host.ask("command -v nginx")
        if self._had_nginx:
            there.add("nginx-light")
        lacking = [package for package in wanted if package not in there]
        install = f"apt-get update -q && apt-get install -y -q --no-install-recommends {' '.join(lacking)}"
        self.need("Debian's packages", " ".join(lacking), lambda: self.host.run(install))
        old = "python3 -c 'import sys; sys.exit(sys.version_info >= (3, 11))'"
        if self.host.ask(f"command -v python3 && {old}"):
            raise HostError(f"{self.host.name} has an older Python than 3.11. Debian 12 or later has one that will do.")

    def see_to_user(self) -> None:
        """Who it runs as, and where it keeps things."""
        made = self.host.ask("id gwm")
        user = f"useradd --system --home-dir {DATA} --shell /usr/sbin/nologin gwm"
        self.need("user", "" if made else "gwm", lambda: self.host.run(user))
        there = self.host.run(f"stat -c '%U %a' {ROOT} {ROOT}/releases {DATA} 2>/dev/null || true").splitlines()
        make = f"install -d -m 755 {ROOT} {ROOT}/releases {ROOT}/wheels && install -d -m 700 -o gwm -g gwm {DATA}"
        lacking = "" if there == ["root 755", "root 755", "gwm 700"] else f"{ROOT}, {DATA}"
        self.need("directories", lacking, lambda: self.host.run(make))

    def see_to_services(self) -> None:
        """The database and the queue, where they are on this server."""
        if self._given["DATABASE_URL"] == LOCAL_DATABASE:
            self._see_to_running("postgresql")
            psql = "cd / && runuser -u postgres -- psql -XAtc"
            role, database = "CREATE ROLE gwm LOGIN", "CREATE DATABASE gwm OWNER gwm ENCODING 'UTF8' TEMPLATE template0"
            for what, catalogue, column, make in (
                ("role of the database", "pg_roles", "rolname", role),
                ("database", "pg_database", "datname", database),
            ):
                query = f"SELECT {column} FROM {catalogue} WHERE {column} = 'gwm'"  # noqa: S608 (names of ours)
                is_there = self.host.ask("command -v psql") and self.host.run(f'{psql} "{query}"') == "gwm"
                self.need(what, "" if is_there else "gwm", partial(self.host.run, f'{psql} "{make}"'))
        if self._given.get("REDIS_URL") == LOCAL_REDIS:
            self._see_to_running("redis-server")

    def _see_to_running(self, unit: str) -> None:
        # Debian's unit of PostgreSQL is active whether the server runs or not
        answers = "pg_isready -q" if unit == "postgresql" else f"systemctl is-active {unit}"
        runs = self.host.ask(f"systemctl is-enabled {unit} && {answers}")
        start = f"systemctl enable {unit} && systemctl restart {unit} && {answers}"
        self.need(unit, "" if runs else "enable and start", lambda: self.host.run(start))

    def put_settings_back(self) -> None:
        """Those that were there when it began."""
        if self.settings_before and "settings" in self.changed:
            self.host.write(SETTINGS, self.settings_before.encode(), mode="640", owner="root:gwm")

    def see_to_settings(self) -> None:
        """The file of settings; secrets that are not in it are made by the product itself, there and once."""
        wanted = (self.settings or "").encode()
        if self.host.ask("id gwm"):
            owned = self.host.run(f"stat -c '%U:%G %a' {SETTINGS} 2>/dev/null || true") == "root:gwm 640"
        else:
            owned = False
        is_there = owned and self.host.holds(SETTINGS, wanted)
        self.need(
            "settings",
            "" if is_there else SETTINGS,
            lambda: self.host.write(SETTINGS, wanted, mode="640", owner="root:gwm"),
        )

    def see_to_certificate(self) -> None:
        """Given files, or what is there; else one that the server signs for itself."""
        if self.certificate is not None:
            cert, key = self.certificate
            is_there = self.host.holds(CERTIFICATE, cert) and self.host.holds(KEY, key)
            self.need("certificate", "" if is_there else "the given one", lambda: self._write_certificate(cert, key))
            return
        is_there = self.host.ask(f"test -s {CERTIFICATE} && test -s {KEY}")
        make = (
            f"umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825"
            f" -subj /CN={quote(self.name[:64])} -addext subjectAltName=DNS:{quote(self.name)}"
            f" -keyout {KEY}.new -out {CERTIFICATE}.new 2>&1"
            f" && chmod 644 {CERTIFICATE}.new && mv {KEY}.new {KEY} && mv {CERTIFICATE}.new {CERTIFICATE}"
        )
        self.need("certificate", "" if is_there else "signed by this server itself", lambda: self.host.run(make))

    def _write_certificate(self, cert: bytes, key: bytes) -> None:
        self.host.write(KEY, key, mode="600")
        self.host.write(CERTIFICATE, cert)

    def see_to_units(self, read: Callable[[str], str], units: Sequence[str] = UNITS) -> None:
        """The units of systemd, and nginx before the product, as a release has them: `read` gives a file of it."""
        texts = {f"/etc/systemd/system/{unit}": unit_of(read(f"deploy/systemd/{unit}")) for unit in units}
        lacking = [path for path, text in texts.items() if not self.host.holds(path, text.encode())]

        def write() -> None:
            for path in lacking:
                self.host.write(path, texts[path].encode())
            self.host.run("systemctl daemon-reload")

        self.need("units", ", ".join(path.rpartition("/")[2] for path in lacking), write)
        self._see_to("command gwm-manage", "/usr/local/sbin/gwm-manage", MANAGE, mode="755")
        site = site_of(read("deploy/nginx/ganeti-web-manager"), self.name)
        enabled = "/etc/nginx/sites-enabled/ganeti-web-manager"
        is_there = self.host.holds(SITE, site.encode()) and self.host.ask(f"test -e {enabled}")

        def serve() -> None:
            self.host.write(SITE, site.encode())
            # Debian's page of welcome goes where nginx came with us; what somebody else serves is theirs.
            welcome = "" if self._had_nginx else "rm -f /etc/nginx/sites-enabled/default && "
            self.host.run(f"{welcome}ln -sfn {SITE} {enabled} && nginx -t 2>&1")
            self.host.run("systemctl enable nginx && systemctl reload-or-restart nginx")

        self.need("site of nginx", "" if is_there else self.name, serve)
        if "certificate" in self.changed and is_there and not self.only_checks:
            self.host.run("systemctl reload-or-restart nginx")

    def _see_to(self, what: str, path: str, text: str, *, mode: str) -> None:
        is_there = self.host.holds(path, text.encode())
        self.need(what, "" if is_there else path, lambda: self.host.write(path, text.encode(), mode=mode))


MANAGE = f"""#!/bin/sh
# manage.py of the release that runs here, as the user it runs as: gwm-manage COMMAND …
cd {CURRENT} && exec runuser -u gwm -- env GWM_CONFIG={SETTINGS} GWM_DATA_DIR={DATA} \\
    {CURRENT}/.venv/bin/python {CURRENT}/manage.py "$@"
"""


def read_settings(text: str) -> dict[str, str]:
    """The settings of a file, as systemd's `EnvironmentFile` has them."""
    found = {}
    for line in text.splitlines():
        if (assigned := _ASSIGNED.fullmatch(line)) is not None:
            found[assigned[1]] = assigned[2].strip("\"'")
    return found


def complete_settings(text: str, name: str) -> str:
    """The same with what an installation on a server needs and the file does not say."""
    wanted = {
        "DATABASE_URL": LOCAL_DATABASE,
        "REDIS_URL": LOCAL_REDIS,
        "GWM_PUBLIC_URL": f"https://{name}",
        "GWM_BEHIND_PROXY": "yes",
        "GWM_DEMO": "no",
    }
    there = read_settings(text)
    lines = [f"{key}={value}" for key, value in wanted.items() if key not in there]
    return text if not lines else "\n".join([*text.splitlines(), *lines]) + "\n"


def unit_of(text: str) -> str:
    """A unit of deploy/systemd, for releases side by side."""
    text = text.replace(f"{DATA}/.venv", f"{CURRENT}/.venv")
    return text.replace(f"WorkingDirectory={ROOT}\n", f"WorkingDirectory={CURRENT}\n")


def site_of(text: str, name: str) -> str:
    """The site of deploy/nginx for a name, with the certificate of this server."""
    text = text.replace("/etc/ssl/certs/gwm.example.org.pem", CERTIFICATE)
    text = text.replace("/etc/ssl/private/gwm.example.org.key", KEY)
    return text.replace("gwm.example.org", name)
