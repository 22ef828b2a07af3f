"""The hook of an ACME client puts a new pair where nginx has it, and nothing that does not fit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deploy.release import HERE
from deploy.site import CERTIFICATE, KEY
from tests.up.running import write_certificate

HOOK = HERE / "deploy" / "acme" / "install-certificate"


def renew(lineage: Path) -> None:
    """What certbot leaves."""
    lineage.mkdir(exist_ok=True)
    chain, key = write_certificate(lineage)
    chain.rename(lineage / "fullchain.pem")
    key.rename(lineage / "privkey.pem")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Where the site has its pair, and a reload that leaves a trace."""
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def call(there: Path, **told: str) -> subprocess.CompletedProcess[str]:
    known = {"GWM_CERTIFICATE": str(there / "chain"), "GWM_CERTIFICATE_KEY": str(there / "key")}
    env = {"PATH": os.environ["PATH"], **known, "GWM_RELOAD": f"touch {there}/reloaded", **told}
    return subprocess.run([HOOK], env=env, capture_output=True, text=True, check=False)


def test_a_new_pair_is_put_there_and_taken(there: Path, tmp_path: Path) -> None:
    lineage = tmp_path / "with space"
    renew(lineage)
    (there / "key").write_text("old")
    (there / "key").chmod(0o644)
    done = call(there, RENEWED_LINEAGE=str(lineage))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (there / "chain").read_bytes() == (lineage / "fullchain.pem").read_bytes()
    assert (there / "key").read_bytes() == (lineage / "privkey.pem").read_bytes()
    assert [(there / name).stat().st_mode & 0o777 for name in ("key", "chain")] == [0o600, 0o644]
    assert sorted(path.name for path in there.iterdir()) == ["chain", "key", "reloaded"]


def test_a_key_of_another_certificate_is_refused_and_what_was_there_stays(there: Path, tmp_path: Path) -> None:
    renew(tmp_path / "one")
    assert call(there, RENEWED_LINEAGE=str(tmp_path / "one")).returncode == 0
    before = {path.name: path.read_bytes() for path in there.iterdir() if path.name != "reloaded"}
    (there / "reloaded").unlink()
    renew(tmp_path / "two")
    (tmp_path / "two/privkey.pem").write_bytes((tmp_path / "one/privkey.pem").read_bytes())
    done = call(there, RENEWED_LINEAGE=str(tmp_path / "two"))
    assert done.returncode == 1 and "the key is not that of the certificate" in done.stderr
    (tmp_path / "two/privkey.pem").unlink()
    assert call(there, RENEWED_LINEAGE=str(tmp_path / "two")).returncode != 0
    assert "deploy hook of certbot" in call(there).stderr
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before


def test_it_writes_where_a_deployment_has_the_pair() -> None:
    text = HOOK.read_text()
    assert f":-{CERTIFICATE}}}" in text and f":-{KEY}}}" in text
