"""What a server must be like, piece by piece: each is looked at first, and nothing is done where it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote

from deploy.host import Host, HostError
from deploy.inventory import ALL_ROLES, OF_OURS, Role
from deploy.release import Release
from deploy.settings import LOCAL_DATABASE, LOCAL_REDIS, complete_settings, is_name, read_settings, replace_settings

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
_UNITS_OF = {
    Role.WEB: {"gwm-web.socket", "gwm-web@.service"},
    Role.WORKER: {"gwm-worker.service"},
    Role.BEAT: {"gwm-beat.service", "gwm-backup.service", "gwm-backup.timer"},
}
_SERVICE_OF = {Role.WEB: "gwm-web@1.service", Role.WORKER: "gwm-worker.service", Role.BEAT: "gwm-beat.service"}
_LOCAL = {Role.DATABASE: ("DATABASE_URL", LOCAL_DATABASE), Role.REDIS: ("REDIS_URL", LOCAL_REDIS)}
_UNITS = "/etc/systemd/system"
KEPT_RELEASES = 3
DIRECTORY = "packages of LDAP"
_ENABLED = "/etc/nginx/sites-enabled/ganeti-web-manager"


@dataclass
class Site:
    """What one server is of the product, all of it if it `is_alone`.

    `say` tells a person what was, is, or (`only_checks`) would be done.
    """

    host: Host
    release: Release
    name: str = ""
    settings: str | None = None
    certificate: tuple[bytes, bytes] | None = None
    only_checks: bool = False
    roles: frozenset[Role] = ALL_ROLES
    is_alone: bool = True
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
        if not self.is_ours:
            if self.host.ask(f"test -e {CURRENT}"):
                remedy = f"Take it off first: fab prod remove --host {self.host.name}"
                raise HostError(f"{self.host.name} runs the product, and shall not any more. {remedy}")
            return
        there = self.host.run(f"cat {SETTINGS} 2>/dev/null || true")
        self.settings_before = there + "\n" if there else ""
        if self.settings is None:
            self.settings = self.settings_before
        public = read_settings(self.settings).get("GWM_PUBLIC_URL", "").rstrip("/")
        self.name = self.name or public.partition("://")[2].partition("/")[0] or self.host.run("hostname -f")
        if not is_name(self.name):
            raise HostError(f"“{self.name}” is no name that a browser could ask for. Say one: --name gwm.example.org")
        if public and public.partition("://")[::2] != ("https", self.name + self.below):
            words = f"Its settings say GWM_PUBLIC_URL={public}, and not https://{self.name}."
            raise HostError(f"{words} Leave --name out, or give it other --settings.")
        if self.is_alone:
            places = [place for role, place in _LOCAL.items() if role in self.roles]
            self.settings = complete_settings(self.settings, self.name, dict(places))

    def place(self, places: Mapping[str, str]) -> None:
        """Where database and Redis of several hosts are; whatever was there before."""
        if self.is_ours:
            self.settings = complete_settings(replace_settings(self.settings or "", places), self.name, places)

    @property
    def is_ours(self) -> bool:
        """Whether anything of the product itself runs there."""
        return bool(self.roles & OF_OURS)

    @property
    def services(self) -> tuple[str, ...]:
        """What runs there, in the order in which a person reads it."""
        return tuple(service for role, service in _SERVICE_OF.items() if role in self.roles)

    def runs(self, role: Role) -> bool:
        """Whether its database or Redis is on this server, and not somebody else's."""
        setting, local = _LOCAL[role]
        return role in self.roles and (not self.is_alone or self._given.get(setting) == local)

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
        wanted = ["python3", "python3-venv", "openssl", "ca-certificates"] if self.is_ours else []
        wanted += ["nginx-light"] if Role.WEB in self.roles else []
        wanted += ["postgresql"] if self.runs(Role.DATABASE) else []
        wanted += ["redis-server"] if self.runs(Role.REDIS) else []
        wanted += ["python3-ldap"] if self.is_ours and self.takes_directory else []
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
            self.need("certificate", "" if is_there else "the given one", lambda: self.write_certificate(cert, key))
            return
        is_there = self.host.ask(f"test -s {CERTIFICATE} && test -s {KEY}")
        make = (
            f"umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825"
            f" -subj /CN={quote(self.name[:64])} -addext subjectAltName=DNS:{quote(self.name)}"
            f" -keyout {KEY}.new -out {CERTIFICATE}.new 2>&1"
            f" && chmod 644 {CERTIFICATE}.new && mv {KEY}.new {KEY} && mv {CERTIFICATE}.new {CERTIFICATE}"
        )
        self.need("certificate", "" if is_there else "signed by this server itself", lambda: self.host.run(make))

    def write_certificate(self, cert: bytes, key: bytes) -> None:
        self.host.write(KEY, key, mode="600")
        self.host.write(CERTIFICATE, cert)

    def see_to_units(self, read: Callable[[str], str], units: Sequence[str] | None = None) -> None:
        """The units of systemd, and nginx before the product, as a release has them: `read` gives a file of it. Those
        of what runs elsewhere now, or not any more, go."""
        wanted = units_of(self.roles) if units is None else units
        texts = {f"{_UNITS}/{unit}": unit_of(read(f"deploy/systemd/{unit}")) for unit in wanted}
        lacking = [path for path, text in texts.items() if not self.host.holds(path, text.encode())]
        going = [unit for unit in UNITS if unit not in wanted and self.host.ask(f"test -e {_UNITS}/{unit}")]

        def write() -> None:
            for unit in going:
                stop = f"systemctl stop {quote(unit.replace('@.', '@*.'))}; systemctl disable {unit} 2>/dev/null"
                self.host.run(f"{stop}; rm -f {_UNITS}/{unit}")
            for path in lacking:
                self.host.write(path, texts[path].encode())
            self.host.run("systemctl daemon-reload")

        names = [*(path.rpartition("/")[2] for path in lacking), *(f"without {unit}" for unit in going)]
        self.need("units", ", ".join(names), write)
        self._see_to("command gwm-manage", "/usr/local/sbin/gwm-manage", MANAGE, mode="755")
        if Role.WEB in self.roles:
            self._see_to_nginx(site_of(read("deploy/nginx/ganeti-web-manager"), self.name))
        elif self.host.ask(f"test -e {_ENABLED}"):
            leave = f"rm -f {_ENABLED} {SITE} && systemctl reload nginx"
            self.need("site of nginx", "take away", lambda: self.host.run(leave))

    def _see_to_nginx(self, site: str) -> None:
        is_there = self.host.holds(SITE, site.encode()) and self.host.ask(f"test -e {_ENABLED}")

        def serve() -> None:
            self.host.write(SITE, site.encode())
            # Debian's page of welcome goes where nginx came with us; what somebody else serves is theirs.
            welcome = "" if self._had_nginx else "rm -f /etc/nginx/sites-enabled/default && "
            self.host.run(f"{welcome}ln -sfn {SITE} {_ENABLED} && nginx -t 2>&1")
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


def units_of(roles: frozenset[Role]) -> list[str]:
    """The units of who has these roles: what prepares it, and what is of each role."""
    others = set().union(*(units for role, units in _UNITS_OF.items() if role not in roles))
    return [unit for unit in UNITS if unit not in others] if roles & OF_OURS else []


def unit_of(text: str) -> str:
    """A unit of deploy/systemd, for releases side by side."""
    text = text.replace(f"{DATA}/.venv", f"{CURRENT}/.venv")
    return text.replace(f"WorkingDirectory={ROOT}\n", f"WorkingDirectory={CURRENT}\n")


def site_of(text: str, name: str) -> str:
    """The site of deploy/nginx for a name, with the certificate of this server."""
    text = text.replace("/etc/ssl/certs/gwm.example.org.pem", CERTIFICATE)
    text = text.replace("/etc/ssl/private/gwm.example.org.key", KEY)
    return text.replace("gwm.example.org", name)
