"""New keys for everything."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError

from clusters.models import Cluster
from gwm.config import read_env_file
from gwm.secrets import GENERATED, ensure_secrets
from objectlog.chain import seal_all
from objectlog.models import Event
from objectlog.verification import Verification
from people.factors import Adapter
from sealing.fields import SecretUnreadable
from tests.factories import make_admin, make_cluster, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.alike]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """The secrets of an installation, which are in use."""
    for name in GENERATED:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GWM_DATA_DIR", str(tmp_path))
    ensure_secrets(tmp_path / "secrets.env")
    use(tmp_path / "secrets.env", settings)
    return tmp_path / "secrets.env"


def use(file: Path, settings: Any) -> None:
    """As the next start does."""
    values = read_env_file(file)
    for name in GENERATED:
        if name.endswith("_KEYS"):
            setattr(settings, name, values[name].split(","))
    settings.SECRET_KEY = values["GWM_SECRET_KEY"]


def rotate() -> str:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def journal() -> None:
    call_command("grant", "ada", "admin", "--on", "north", "--as", "root", stdout=io.StringIO())
    seal_all()


def test_afterwards_all_opens_and_no_old_key_is_needed(file: Path, settings: Any) -> None:
    make_admin()
    make_user("ada")
    make_cluster("north", password="of-rapi")
    journal()
    session = SessionStore()
    session.create()
    old = read_env_file(file)
    said = rotate()
    new = read_env_file(file)
    assert not {old[name] for name in GENERATED} & {new[name] for name in GENERATED}
    assert [name for name in GENERATED if old[name] in new[name]] == ["GWM_JOURNAL_KEYS"]
    assert "1 sessions ended" in said and "but for one of the journal" in said
    use(file, settings)
    assert Cluster.objects.get().password == "of-rapi"
    assert not Session.objects.exists() and not SessionStore().exists(session.session_key)
    assert list(Verification().problems()) == []
    call_command("revoke", "ada", "admin", "--on", "north", "--as", "root", stdout=io.StringIO())
    seal_all()
    verification = Verification()
    assert list(verification.problems()) == [] and verification.checked == 2


def test_a_key_of_the_journal_goes_with_the_last_event_it_sealed(file: Path, settings: Any) -> None:
    first = read_env_file(file)["GWM_JOURNAL_KEYS"]
    assert "No old one is needed any more." in rotate()
    assert first not in read_env_file(file)["GWM_JOURNAL_KEYS"], "nothing was sealed with it"


def test_what_can_not_be_read_keeps_the_old_keys(file: Path, settings: Any) -> None:
    make_cluster("north", password="of-rapi")
    settings.GWM_FIELD_KEYS = ["a key that nobody has any more"]
    make_cluster("south", password="lost")
    use(file, settings)
    old = read_env_file(file)["GWM_FIELD_KEYS"]
    with pytest.raises(CommandError, match="the old keys stay"):
        rotate()
    assert read_env_file(file)["GWM_FIELD_KEYS"].endswith(f",{old}")
    use(file, settings)
    assert Cluster.objects.get(slug="north").password == "of-rapi"
    with pytest.raises(SecretUnreadable):
        Cluster.objects.get(slug="south").password  # noqa: B018
    Cluster.objects.get(slug="south").delete()
    rotate()
    assert "," not in read_env_file(file)["GWM_FIELD_KEYS"]


def test_second_factors_are_sealed_anew(file: Path, settings: Any) -> None:
    from allauth.mfa.models import Authenticator

    row = Authenticator.objects.create(
        user=make_user("ada"), type=Authenticator.Type.TOTP, data={"secret": Adapter().encrypt("JBSWY3DPEHPK3PXP")}
    )
    rotate()
    use(file, settings)
    row.refresh_from_db()
    assert Adapter().decrypt(row.data["secret"]) == "JBSWY3DPEHPK3PXP"


def test_keys_that_are_set_elsewhere_are_not_rotated(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_text()
    monkeypatch.setenv("GWM_CONSOLE_KEYS", "of the environment")
    with pytest.raises(CommandError, match="GWM_CONSOLE_KEYS is not the one of"):
        rotate()
    assert file.read_text() == before and Event.objects.count() == 0
