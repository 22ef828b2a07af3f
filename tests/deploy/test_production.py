"""`fab prod` with a server that boots for it: brought there, again, upgraded, gone back, and one that is not well."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.host import Host, HostError
from deploy.lock import only_deployer
from deploy.release import HERE
from deploy.site import DATA
from tests.deploy.production import Fab, clone, describe, fill, sign_in
from tools.directory import running_directory
from tools.server import Server, booted_server

pytestmark = [pytest.mark.deploy]
DONE = "  now  "


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with booted_server() as there:
        yield there


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone to make commits in."""
    return clone(tmp_path_factory.mktemp("checkout") / "gwm", HERE)


def commit(checkout: Path, path: str, text: str) -> None:
    """One more commit, which changes a file."""
    (checkout / path).write_text(text)
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "add", path], cwd=checkout, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "-m", "A change"], cwd=checkout, check=True)


@pytest.fixture(scope="module")
def fab(checkout: Path, server: Server) -> Fab:
    return Fab(checkout, server)


def get(server: Server, path: str) -> tuple[int, bytes]:
    """Asked from outside, by its address."""
    context = ssl._create_unverified_context()  # noqa: S323 (signed by itself, and not what is tested)
    with closing(http.client.HTTPSConnection(server.address, context=context, timeout=20)) as connection:
        connection.request("GET", path, headers={"Host": server.name})
        answer = connection.getresponse()
        return answer.status, answer.read()


def wait_for(condition: Callable[[], object], patience_s: float = 60) -> None:
    until = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def accounts_of(server: Server) -> str:
    accounts = "from permissions.models import User; print(*User.objects.values_list('username', flat=True))"
    return server.run(f'gwm-manage shell -v0 -c "{accounts}"')


def running(server: Server) -> str:
    return server.run("basename $(readlink /opt/ganeti-web-manager/current)")


@pytest.mark.onehost
@pytest.mark.feature("G027")
def test_a_check_does_nothing(fab: Fab, server: Server) -> None:
    told = fab("deploy", "--check")
    assert "Nothing was done." in told and "Debian's packages: " in told
    assert "gwm" not in server.run("ls /opt /etc; getent passwd") and "nginx" not in server.run("ls /etc")
    assert "Nothing was deployed" in fab("status", fails=True)


@pytest.mark.onehost
@pytest.mark.feature("G027")
def test_a_bare_server_runs_it_afterwards_with_tls(fab: Fab, server: Server) -> None:
    told = fab("deploy")
    assert "First account: admin, password: " in told and "It runs, and is well: https://gwm1.example.org" in told
    assert get(server, "/readyz")[0] == 200 and b"<form" in get(server, "/login/")[1]
    fingerprint = server.run(
        "openssl x509 -in /etc/ssl/certs/ganeti-web-manager.pem -noout -fingerprint -sha256"
    ).rpartition("=")[2]
    assert fingerprint in told
    assert server.run("gwm-manage shell -v0 -c 'from django.db import connection; print(connection.vendor)'") == (
        "postgresql"
    )


def test_a_cluster_that_does_not_answer_is_told_and_no_reason_to_go_back(fab: Fab, server: Server) -> None:
    server.run(
        "echo of-rapi | gwm-manage add_cluster north --host 192.0.2.1 --user gwm --password-file -"
        " --fingerprint $(printf '00:%.0s' $(seq 31))00 --keep-unreachable"
    )
    assert "Cluster north was asked, and could not be updated" in fab("status")


def test_what_is_secret_there_is_readable_by_whom_it_must_be(server: Server) -> None:
    modes = server.run(
        "stat -c '%U:%G %a %n' /etc/ganeti-web-manager.env /var/lib/ganeti-web-manager"
        " /var/lib/ganeti-web-manager/secrets.env /etc/ssl/private/ganeti-web-manager.key"
    ).splitlines()
    assert [line.rpartition(" ")[0] for line in modes] == [
        "root:gwm 640",
        "gwm:gwm 700",
        "gwm:gwm 600",
        "root:root 600",
    ]
    assert server.run("find /opt/ganeti-web-manager -not -user root | head -1") == "", "the code is not the product's"


@pytest.mark.onehost
@pytest.mark.feature("G027")
def test_a_second_time_changes_nothing_and_says_so(fab: Fab, server: Server) -> None:
    began = server.run("systemctl show -p ActiveEnterTimestampMonotonic gwm-web@1 gwm-worker gwm-beat nginx postgresql")
    told = fab("deploy")
    assert "Nothing had to be changed, and it is well." in told and DONE not in told
    again = server.run("systemctl show -p ActiveEnterTimestampMonotonic gwm-web@1 gwm-worker gwm-beat nginx postgresql")
    assert again == began
    assert "All is as it must be." in fab("deploy", "--check")


@pytest.mark.feature("G027")
def test_what_is_killed_begins_again_however_often(fab: Fab, server: Server) -> None:
    units = ("postgresql@15-main", "redis-server", "nginx")

    def show(what: str) -> list[str]:
        return server.run(f"systemctl show -P {what} {' '.join(units)}").split()

    for _more_often_than_systemd_would_by_itself in range(6):
        before = show("MainPID")
        server.run(f"systemctl kill --signal=KILL --kill-who=main {' '.join(units)}")
        wait_for(lambda: show("ActiveState") == ["active"] * 3 and not {*show("MainPID")} & {*before, "0"})  # noqa: B023
    wait_for(lambda: get(server, "/readyz")[0] == 200)
    assert "It is well." in fab("status")
    server.run("runuser -u postgres -- pg_ctlcluster 15 main stop -m fast")  # a person's, who means it
    time.sleep(6)
    assert show("ActiveState")[0] == "failed"
    server.run("systemctl start postgresql@15-main")
    wait_for(lambda: get(server, "/readyz")[0] == 200)
    assert "Nothing had to be changed" in fab("deploy")


def test_settings_that_were_written_and_not_begun_with_are_begun_with(fab: Fab, server: Server) -> None:
    server.run("echo another > /opt/ganeti-web-manager/settings-that-run")
    began = server.run("systemctl show -p ActiveEnterTimestampMonotonic gwm-web@1 gwm-worker")
    told = fab("deploy")
    assert "what runs: settings" in told and "It runs, and is well" in told
    assert server.run("systemctl show -p ActiveEnterTimestampMonotonic gwm-web@1 gwm-worker") != began


def test_what_was_killed_halfway_is_made_whole(fab: Fab, server: Server) -> None:
    server.run(
        "systemctl stop gwm-worker && rm -f /etc/nginx/sites-enabled/ganeti-web-manager && systemctl reload nginx"
    )
    told = fab("deploy")
    assert [line.split(":")[0].split("  ")[-1].strip() for line in told.splitlines() if DONE in line] == [
        "site of nginx",
        "what runs",
    ]
    assert get(server, "/readyz")[0] == 200 and server.run("systemctl is-active gwm-worker") == "active"


@pytest.mark.onehost
@pytest.mark.feature("G027")
def test_a_newer_release_takes_over_and_the_older_one_can_come_back(fab: Fab, server: Server, checkout: Path) -> None:
    first = running(server)
    commit(checkout, "README.md", "A newer release.\n")
    told = fab("deploy")
    second = running(server)
    assert first < second and f"what runs: {second}" in told and "First account" not in told
    assert f"{first} runs again, and is well." in fab("rollback")
    assert running(server) == first
    assert "no earlier release" in fab("rollback", fails=True)


@pytest.mark.onehost
@pytest.mark.feature("G027")
def test_what_was_backed_up_comes_back(
    fab: Fab, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GWM_BACKUP_PASSPHRASE", "a long passphrase of tests")
    file = tmp_path / "gwm.backup"
    assert "Keys and settings are in it" in fab("backup", f"--to={file}")
    server.run("echo a-quite-long-pass-1 | gwm-manage add_user later --password-file -")
    assert "It runs with what was restored, and is well" in fab("restore", str(file), "--replace")
    assert accounts_of(server) == "admin"


def test_what_was_gone_back_from_can_be_deployed_again(fab: Fab, server: Server) -> None:
    first = running(server)
    assert f"runs  {first}" in fab("status")
    fab("deploy")
    assert running(server) > first


@pytest.mark.feature("F006")
@pytest.mark.program("slapd", "slapd ldap-utils")
def test_people_of_an_ldap_directory_sign_in_there(fab: Fab, server: Server) -> None:
    ca_file, file = "/etc/ssl/certs/directory.pem", f"{DATA}/ldap.toml"
    with running_directory() as directory, server.led_to(directory.tls_port):
        fill(directory, "ann", "a password of the directory")
        server.run(f"cat > {ca_file} << 'END'\n{Path(directory.ca_file).read_text()}END")
        server.run(f"umask 027 && cat > {file} << 'END'\n{describe(directory, ca_file)}END")
        server.run(f"chgrp gwm {file}")
        told = fab("deploy")
        assert "Debian's packages: python3-ldap" in told and told.count("packages of LDAP") == 2  # brought, begun with
        assert sign_in(server, "ann", "a password of the directory") == 302
        assert sign_in(server, "ann", "another") == 200
        assert "Nothing had to be changed" in fab("deploy")
        fab("rollback")
        assert sign_in(server, "ann", "a password of the directory") == 302, "the release before has it, too"
    server.run(f"rm {file}")
    fab("deploy")


@pytest.mark.parametrize(
    ("path", "whole", "broken", "told"),
    [
        (
            "gwm/processes/web.py",
            "def main() -> None:\n",
            "def main() -> None:\n    raise SystemExit('not today')\n",
            "not today",
        ),
        (
            "deploy/nginx/ganeti-web-manager",
            "    proxy_set_header Upgrade $http_upgrade;\n",
            "",
            "a WebSocket at /console/ws does not stand: 426",
        ),
        ("deploy/nginx/ganeti-web-manager", "server_tokens off;", "server_tokens perhaps;", "nginx -t"),
        ("vncproxy/web.py", '(b"console", b"ws")', '(b"console", b"off")', "at /console/ws does not stand: 404"),
        (
            "vncproxy/tickets.py",
            "    if ticket.expires_at <= now:\n",
            "    if ticket.expires_at > now:\n",
            "a console's greeting",
        ),
        (
            "updates/tasks.py",
            "        sync_cluster(cluster)",
            "        pass",
            "No update of cluster north came to an end",
        ),
        ("gwm/tasks.py", "    note_heartbeat()", "    pass", "No sign of life"),
        ("people/urls.py", "account.SignIn.as_view()", "account.SignOut.as_view()", "It is not well. /login/"),
    ],
)
def test_of_one_that_is_not_well_the_older_one_runs_again(
    fab: Fab, server: Server, checkout: Path, path: str, whole: str, broken: str, told: str
) -> None:
    before = running(server)
    good = (checkout / path).read_text()
    assert whole in good
    commit(checkout, path, good.replace(whole, broken))
    said = fab("deploy", fails=True)
    commit(checkout, path, good)  # whatever is seen now, the next begins with one that is well
    assert f"is not well; {before} runs again" in said and told in said
    assert running(server) == before
    wait_for(lambda: get(server, "/readyz")[0] == 200)  # after the next sign of life
    assert "Upgrade $http_upgrade" in server.run("nginx -t 2>&1 && cat /etc/nginx/sites-enabled/ganeti-web-manager")
    assert "It is well." in fab("status")


def test_what_was_not_well_is_deployed_once_it_is_mended(fab: Fab, server: Server) -> None:
    assert "It runs, and is well" in fab("deploy")
    assert accounts_of(server) == "admin ann", "no account of a check is left"


def test_two_deployers_do_not_meet(fab: Fab, server: Server, checkout: Path) -> None:
    host = Host(f"root@{server.address}", key=str(server.key), known_hosts=str(server.known_hosts))
    host.open()
    with only_deployer(host, "trying a lock"):
        for verb in ("deploy", "rollback"):
            told = fab(verb, fails=True)
            assert "Somebody else is changing" in told and "trying a lock, since 20" in told
        fab("status")
        fab("deploy", "--check")
        server.run(f"kill {told.split()[-1]}")
        assert "Nothing had to be changed" in fab("deploy")
        with pytest.raises(HostError, match="taken away"):
            host.run("true")
    host.close()
    with fab.begin("deploy") as killed:
        wait_for(lambda: server.run("cat /run/lock/ganeti-web-manager-deploy"))
        killed.kill()
    wait_for(lambda: not server.run("cat /run/lock/ganeti-web-manager-deploy"))
    assert "Nothing had to be changed" in fab("deploy")


def test_a_server_whose_key_is_not_known_gets_nothing(fab: Fab, tmp_path: Path) -> None:
    nobody = tmp_path / "known_hosts"
    nobody.write_text("")
    told = fab("status", known_hosts=str(nobody), fails=True)
    assert "its key must be known" in told


def test_who_is_not_root_there_does_it_by_sudo(fab: Fab, server: Server) -> None:
    server.run("apt-get install -y -qq sudo >/dev/null 2>&1 && useradd -m op && cp -r /root/.ssh /home/op/")
    server.run("chown -R op: /home/op/.ssh")
    assert "sudo wants a password" in fab("status", host=f"op@{server.address}", fails=True)
    server.run("echo 'op ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/op")
    server.run("rm /usr/local/sbin/gwm-manage")
    told = fab("deploy", host=f"op@{server.address}")
    assert "command gwm-manage: /usr" in told and server.run("stat -c '%U %a' /usr/local/sbin/gwm-manage") == "root 755"


def test_it_goes_and_can_come_again(fab: Fab, server: Server) -> None:
    assert "--name gwm1.example.org" in fab("remove", fails=True)
    fab("status")
    told = fab("remove", "--name=gwm1.example.org")
    assert "dropdb gwm" in told and "/var/lib/ganeti-web-manager" in told
    left = server.run(
        "ls -R /opt /etc/systemd/system /etc/nginx/sites-enabled /usr/local/sbin; pgrep -u gwm -a || true"
    )
    assert "gwm" not in left and "ganeti" not in left
    assert "Nothing was deployed" in fab("status", fails=True)
    told = fab("deploy")
    assert "It runs, and is well" in told and "First account" not in told
    assert "north" in server.run("gwm-manage health 2>&1 || true"), "the database has stayed"
