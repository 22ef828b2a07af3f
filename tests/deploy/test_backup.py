"""`fab prod backup` of one server and `fab prod restore` on another: both boot for it."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.release import HERE
from tests.deploy.production import Fab, clone, sign_in
from tools.server import Server, booted_server

pytestmark = [pytest.mark.deploy]
PASSPHRASE = "a long passphrase of tests"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    with booted_server() as first, booted_server("gwm2.example.org", 78) as second:
        yield first, second


def test_a_server_is_backed_up_and_another_one_goes_on_from_there(
    servers: tuple[Server, Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = servers
    monkeypatch.setenv("GWM_BACKUP_PASSPHRASE", PASSPHRASE)
    checkout = clone(tmp_path / "gwm", HERE)
    on_first, on_second = Fab(checkout, first), Fab(checkout, second)
    told = on_first("deploy")
    password = re.search(r"First account: admin, password: (\S+)", told)
    assert password is not None
    first.run(
        "echo of-rapi | gwm-manage add_cluster north --host 192.0.2.1 --user gwm --password-file -"
        " --fingerprint $(printf '00:%.0s' $(seq 31))00 --keep-unreachable"
    )
    first.run("echo a-quite-long-pass-1 | gwm-manage add_user ada --password-file -")
    first.run("gwm-manage grant ada migrate --on north --as admin && gwm-manage seal_journal")
    newest = first.run("gwm-manage verify_journal").rpartition(" ")[2]
    file = tmp_path / "first.backup"
    told = on_first("backup", f"--to={file}")
    assert "Keys and settings are in it" in told and PASSPHRASE not in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.run("ls /var/lib/ganeti-web-manager/backups") == "", "nothing stays there"
    assert "already" in on_first("backup", f"--to={file}", fails=True)

    assert "Nothing was deployed" in on_second("restore", str(file), fails=True)
    on_second("deploy")
    monkeypatch.setenv("GWM_BACKUP_PASSPHRASE", "not this passphrase")
    told = on_second("restore", str(file), fails=True)
    assert "not its passphrase" in told and second.run("systemctl is-active gwm-web@1 gwm-worker") == "active\nactive"
    monkeypatch.setenv("GWM_BACKUP_PASSPHRASE", PASSPHRASE)
    told = on_second("restore", str(file))
    assert "The journal is as it was written" in told and "and is well: https://gwm2.example.org" in told
    assert "as it was written" in second.run(f"gwm-manage verify_journal --expect {newest}")
    assert sign_in(second, "admin", password[1]) == 302 and sign_in(second, "admin", "another") == 200
    shown = "from clusters.models import Cluster; print(Cluster.objects.get().password)"
    assert second.run(f"gwm-manage shell -v0 -c '{shown}'") == "of-rapi"
    assert "ada" in second.run("gwm-manage explain ada migrate north")
    assert "in use" in on_second("restore", str(file), fails=True)
    on_second("restore", str(file), "--replace")
    assert "GWM_PUBLIC_URL=https://gwm2.example.org" in second.run("cat /etc/ganeti-web-manager.env")
    assert second.run("ls -A /var/lib/ganeti-web-manager | grep restored.backup || true") == ""

    assert second.run("systemctl is-active gwm-backup.timer") == "active"
    second.run("systemctl start gwm-backup.service")
    assert re.fullmatch(r"gwm-\d{8}-\d{6}\.backup", second.run("ls /var/lib/ganeti-web-manager/backups"))
    assert second.run("stat -c '%U %a' /var/lib/ganeti-web-manager/backups/*") == "gwm 600"
