"""`fab prod --inventory` with three servers that boot for it: two that people see, one for what both work with."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deploy.probe import Browser, probe_console, probe_signed_in
from deploy.release import HERE
from deploy.websocket import CLOSE, closing_of, read_frame
from tests.deploy.production import Fab, clone
from tests.deploy.test_production import commit, running, wait_for
from tools.server import Server, booted_server

pytestmark = [pytest.mark.deploy]
NAME, PASSWORD = "gwm.example.org", "a-quite-long-pass-1"
USED_TICKET = 4012
DONE = ":   now  "
ROLES = {
    "web1": ["web", "worker", "console"],
    "web2": ["web", "worker", "console"],
    "db": ["database", "redis", "beat"],
}
UNITS = {"web1": "gwm-web@1 gwm-worker nginx", "web2": "gwm-web@1 gwm-worker nginx", "db": "gwm-beat postgresql"}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    with ExitStack() as booted:
        found = {
            name: booted.enter_context(booted_server(f"{name}.example.org", 91 + number))
            for number, name in enumerate(ROLES)
        }
        public = Path(f"{found['web1'].key}.pub").read_text().strip()
        for server in found.values():
            server.run(f"echo '{public}' >> /root/.ssh/authorized_keys")
        yield found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("checkout") / "gwm", HERE)


@pytest.fixture(scope="module")
def fab(servers: dict[str, Server], checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`fab prod` for all of them."""
    folder = tmp_path_factory.mktemp("inventory")
    tables = [f'name = "{NAME}"\n']
    for name, roles in ROLES.items():
        address = servers[name].address
        tables.append(f'[hosts."root@{address}"]\nroles = {json.dumps(roles)}\naddress = "{address}"\n')
    (folder / "hosts.toml").write_text("\n".join(tables))
    (folder / "known_hosts").write_text("".join(server.known_hosts.read_text() for server in servers.values()))
    where: dict[str, Any] = {
        "host": "",
        "inventory": str(folder / "hosts.toml"),
        "known_hosts": str(folder / "known_hosts"),
    }
    return partial(Fab(checkout, servers["web1"]), **where)


@pytest.fixture(scope="module")
def browser(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Of somebody who has signed in on web1. The certificate of web1 is what web2 shows, too."""
    file = tmp_path_factory.mktemp("certificate") / "web1.pem"
    file.write_text(servers["web1"].run("cat /etc/ssl/certs/ganeti-web-manager.pem") + "\n")
    servers["web1"].run(f"echo {PASSWORD} | gwm-manage add_user ada --password-file -")
    found = Browser(NAME, str(file), address=servers["web1"].address)
    probe_signed_in(found, "ada", PASSWORD)
    return found


def began(servers: dict[str, Server]) -> list[str]:
    """When each of what runs began."""
    show = "systemctl show -p ActiveEnterTimestampMonotonic"
    return [server.run(f"{show} {UNITS[name]}") for name, server in servers.items()]


def test_bare_servers_are_one_installation_afterwards(fab: Any, servers: dict[str, Server]) -> None:
    told = fab("deploy", "--check")
    assert "Nothing was done." in told and servers["db"].run("ls /opt; getent passwd gwm || true") == ""
    carried = f"certificate: that of {servers['web1'].address}"
    assert told.count(carried) == 1
    told = fab("deploy")
    assert told.count(carried) == 1
    assert f"It runs, and is well: https://{NAME}" in told and told.count("First account: admin, password: ") == 1
    for name, server in servers.items():
        runs = server.run("systemctl list-units --plain --no-legend --state=active 'gwm-*.service' nginx.service")
        wanted = {"gwm-beat.service", "gwm-prepare.service"}
        if name != "db":
            wanted = {"gwm-web@1.service", "gwm-worker.service", "gwm-prepare.service", "nginx.service"}
        assert {line.split()[0] for line in runs.splitlines()} == wanted
    assert "active" in servers["db"].run("systemctl is-active gwm-backup.timer")
    keys = {server.run("sha256sum < /var/lib/ganeti-web-manager/secrets.env") for server in servers.values()}
    assert len(keys) == 1, "all have the same secrets"


def test_database_and_redis_let_in_who_has_the_password(servers: dict[str, Server]) -> None:
    address = servers["db"].address
    web1 = servers["web1"]
    web1.run('test -z "$(command -v psql)$(command -v redis-server)"')
    assert "NOAUTH" in web1.run(
        f"printf 'PING\\r\\nQUIT\\r\\n' | timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/6379; cat >&3; cat <&3'"
    )
    listening = servers["db"].run("ss -Hltn sport = :5432 or sport = :6379 | awk '{print $4}'").split()
    assert not [each for each in listening if each.startswith(("0.0.0.0", "*", "[::]"))]
    modes = servers["db"].run("stat -c '%U %a' /etc/ganeti-web-manager.postgresql /etc/ganeti-web-manager.redis")
    assert modes == "root 600\nroot 600"


def test_a_second_time_changes_nothing_and_says_so(fab: Any, servers: dict[str, Server]) -> None:
    before = began(servers)
    told = fab("deploy")
    assert "Nothing had to be changed, and it is well." in told and DONE not in told
    assert began(servers) == before
    assert "All is as it must be." in fab("deploy", "--check")


def test_who_signs_in_on_one_is_signed_in_on_the_other(browser: Browser, servers: dict[str, Server]) -> None:
    status, _head, body = browser.at(servers["web2"].address).get("/", Accept="text/html")
    assert status == 200 and b"ada" in body


def test_a_ticket_for_a_console_opens_it_on_the_other_and_once(browser: Browser, servers: dict[str, Server]) -> None:
    ticket = json.loads(servers["web1"].run("gwm-manage check_installation begin"))["ticket"]
    probe_console(browser.at(servers["web2"].address), ticket)
    with browser.websocket("/console/ws", "binary", f"ticket.{ticket}") as stream:
        kind, content = read_frame(stream)
        assert kind == CLOSE and closing_of(content)[0] == USED_TICKET, "it was used on the other server"
    servers["web1"].run("gwm-manage check_installation end")


class Clicking:
    """Somebody who clicks on one server and the other all the while."""

    def __init__(self, browser: Browser, servers: dict[str, Server]) -> None:
        self.count, self.wrong = 0, list[str]()
        self._browsers = [browser.at(servers[name].address) for name in ("web1", "web2")]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._click)

    def __enter__(self) -> Clicking:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _click(self) -> None:
        while not self._over.is_set():
            browser = self._browsers[self.count % 2]
            self.count += 1
            try:
                status, _head, body = browser.get("/", Accept="text/html")
            except Exception as error:  # noqa: BLE001 (whatever it is, somebody would have seen it)
                self.wrong.append(repr(error))
            else:
                if status != 200 or b"ada" not in body:
                    self.wrong.append(f"{status}: {body[:200]!r}")
            time.sleep(0.1)


def test_an_upgrade_is_not_seen_by_who_is_clicking(
    fab: Any, browser: Browser, servers: dict[str, Server], checkout: Path
) -> None:
    first = running(servers["web1"])
    commit(checkout, "README.md", "A newer release.\n")
    with Clicking(browser, servers) as clicking:
        fab("deploy")
    assert clicking.count > 50 and not clicking.wrong
    names = {running(server) for server in servers.values()}
    assert len(names) == 1 and first not in names
    with Clicking(browser, servers) as clicking:
        assert f"{first} runs again, and is well." in fab("rollback")
    assert not clicking.wrong and {running(server) for server in servers.values()} == {first}
    fab("deploy")


def test_where_one_is_not_well_all_go_back(fab: Any, servers: dict[str, Server], checkout: Path) -> None:
    before = running(servers["web1"])
    path = "gwm/processes/web.py"
    good = (checkout / path).read_text()
    begin = "def main() -> None:\n"
    assert begin in good
    broken = f'{begin}    if socket.gethostname().startswith("web2"):\n        raise SystemExit("not today")\n'
    commit(checkout, path, good.replace(begin, broken))
    told = fab("deploy", fails=True)
    commit(checkout, path, good)
    for server in servers.values():
        assert f"{before} runs again on {server.address}" in told and running(server) == before
    assert "not today" in told and "It is well." in fab("status")


def test_what_was_killed_between_two_servers_is_ended_by_the_next_call(
    fab: Any, servers: dict[str, Server], checkout: Path
) -> None:
    before = running(servers["db"])
    # of the clone and its inventory, as `fab` calls it
    killed: subprocess.Popen[str] = fab.func.begin("deploy", **fab.keywords)
    told = threading.Thread(target=killed.communicate)
    told.start()
    wait_for(lambda: killed.poll() is not None or running(servers["db"]) != before, 300)
    assert killed.poll() is None
    killed.kill()
    told.join()
    assert running(servers["web2"]) == before
    wait_for(lambda: not any(s.run("cat /run/lock/ganeti-web-manager-deploy") for s in servers.values()))
    assert "It runs, and is well" in fab("deploy")
    assert len({running(server) for server in servers.values()}) == 1


def test_all_are_looked_at_backed_up_restored_and_removed(
    fab: Any, servers: dict[str, Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = fab("status")
    assert f"{servers['db'].address}:   active gwm-beat.service" in told and told.count("active gwm-web@1.service") == 2
    told = fab("logs", "--lines=20")
    assert all(name in told for name in ROLES)
    monkeypatch.setenv("GWM_BACKUP_PASSPHRASE", "a long passphrase of tests")
    fab("backup", f"--to={tmp_path / 'all.backup'}")
    told = fab("restore", str(tmp_path / "all.backup"), "--replace")
    assert "It runs with what was restored, and is well" in told
    told = fab("remove", f"--name={NAME}")
    assert "dropdb gwm" in told and "/etc/ganeti-web-manager.redis" in told
    for server in servers.values():
        left = server.run("ls /opt /etc/systemd/system /usr/local/sbin; pgrep -u gwm -a || true")
        assert "gwm" not in left and "ganeti" not in left
    assert "It runs, and is well" in fab("deploy")
