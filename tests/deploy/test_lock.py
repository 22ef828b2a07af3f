"""One deployer at a time, with the shell of this machine as the server's."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy import lock
from deploy.host import HostError
from deploy.lock import Busy, only_deployer
from deploy.removal import describe_what_stays, remove_release
from deploy.settings import LOCAL_DATABASE
from deploy.site import Site


class Here:
    """What `Host.holding` does over SSH."""

    name = "here"

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    @contextmanager
    def holding(self, script: str) -> Iterator[str]:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(["sh", "-c", script], **pipes)
        with self.process as process:
            assert process.stdin is not None and process.stdout is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.stdin.close()
                process.wait(60)


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lock, "LOCK", str(tmp_path / "lock"))
    return tmp_path / "lock"


def hold(doing: str) -> Any:
    here: Any = Here()
    return only_deployer(here, doing)


def test_a_second_one_is_told_who_is_at_it_and_since_when(there: Path) -> None:
    with hold("deploying 1"):
        told = r"changing here: \S+@\S+, deploying 1, since \d{4}-\d\d-\d\d .* UTC"
        with pytest.raises(Busy, match=told) as busy, hold("deploying 2"):
            raise AssertionError("two at it")
        number = str(busy.value).rpartition("kill ")[2]
        assert Path(f"/proc/{number}").exists() and "deploying 1" in there.read_text()
    assert there.read_text() == ""
    with hold("deploying 2"):
        pass


def test_it_is_free_when_who_held_it_was_killed_or_it_was_taken_away() -> None:
    first: Any = Here()
    with only_deployer(first, "deploying 1"):
        try:
            with hold("deploying 2"):
                raise AssertionError("two at it")
        except Busy as busy:
            os.kill(int(str(busy).rpartition("kill ")[2]), signal.SIGTERM)
        assert first.process.wait(60) != 0, "which its commands see: Host.run fails"
        with hold("deploying 2"):
            pass


def test_of_one_that_has_only_just_begun_less_is_known(there: Path) -> None:
    with hold("deploying 1"):
        there.write_text("")
        with pytest.raises(Busy, match="just now"), hold("deploying 2"):
            raise AssertionError("two at it")


def test_one_that_cannot_be_taken_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LOCK", str(tmp_path / "nowhere" / "lock"))
    with pytest.raises(HostError, match="can't be taken") as error, hold("deploying 1"):
        raise AssertionError("without a lock")
    assert not isinstance(error.value, Busy)


def test_another_name_than_the_servers_removes_nothing() -> None:
    here: Any = Here()
    site = Site(here, None, "gwm.example.org", f"DATABASE_URL={LOCAL_DATABASE}\n")  # type: ignore[arg-type]
    with pytest.raises(HostError, match=r"--name gwm\.example\.org"):
        remove_release([site], "other.example.org")


def test_what_stays_is_told_wherever_the_database_is() -> None:
    def told_of(settings: str) -> str:
        there: Any = None
        return "\n".join(describe_what_stays(Site(there, there, "gwm.example.org", settings)))

    told = told_of(f"DATABASE_URL={LOCAL_DATABASE}\n")
    assert "dropdb gwm" in told and "backups" in told and "/etc/ganeti-web-manager.env" in told
    assert "dropdb" not in told_of("DATABASE_URL=postgres://db/gwm\n")
