"""Settings: declared once, documented, read, and checked."""

from __future__ import annotations

import errno
import logging
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from django.db import InternalError
from django.test import Client

from gwm.config import Config, SettingError, read_env_file
from gwm.databases import describe_database
from gwm.env import SETTINGS, TABLE
from gwm.logs import KnownInOneLine, LineInUTC, WithoutSecrets
from gwm.outages import explain_outage
from gwm.secrets import ensure_secrets
from tests.up.running import ROOT, clean_environment
from tools.settings_table import PAGE, render

pytestmark = pytest.mark.feature("F284")


def config(tmp_path: Path, **environ: str) -> Config:
    return Config({"GWM_DATA_DIR": str(tmp_path), **environ})


def test_the_table_of_the_docs_is_the_one_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert render(page) == page, "Run: python -m tools.settings_table"
    for setting in SETTINGS:
        assert setting.help.endswith(".")


def test_every_setting_is_read_somewhere() -> None:
    sources = [*ROOT.glob("gwm/**/*.py"), *ROOT.glob("vncproxy/**/*.py"), ROOT / "run"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources if path != ROOT / "gwm" / "env.py")
    assert [name for name in TABLE if name not in text] == []


def test_every_setting_that_is_read_is_declared() -> None:
    sources = [*ROOT.glob("*/**/*.py"), ROOT / "run"]
    product = [path for path in sources if path.relative_to(ROOT).parts[0] not in {"tests", "tools", "var", ".venv"}]
    named = {
        name
        for path in product
        for name in re.findall(r"""(?:environ\S*|config\.\w+|number|text)[\[(]["'](GWM_\w+)["']""", path.read_text())
    }
    assert named - set(TABLE) == {"GWM_READY_FD"} & named


def test_the_environment_wins_over_the_file_and_the_file_over_generated_secrets(tmp_path: Path) -> None:
    (tmp_path / "gwm.env").write_text("GWM_PAGE_SIZE=20\nGWM_SECRET_KEY=from the file\n")
    (tmp_path / "secrets.env").write_text("GWM_SECRET_KEY=generated\nGWM_FIELD_KEYS=generated\n")
    assert config(tmp_path).integer("GWM_PAGE_SIZE") == 20
    assert config(tmp_path, GWM_PAGE_SIZE="30").integer("GWM_PAGE_SIZE") == 30
    assert config(tmp_path, GWM_PAGE_SIZE="").integer("GWM_PAGE_SIZE") == 20
    assert config(tmp_path).text("GWM_SECRET_KEY") == "from the file"
    assert config(tmp_path).words("GWM_FIELD_KEYS") == ["generated"]
    assert config(tmp_path).integer("GWM_PORT") == 8000


def test_one_file_anywhere_may_say_where_the_data_is(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.env").write_text(f"GWM_DATA_DIR={tmp_path}/data\n")
    assert Config({"GWM_CONFIG": str(tmp_path / "elsewhere.env")}).data_dir == tmp_path / "data"
    with pytest.raises(SettingError, match="there is no file"):
        Config({"GWM_CONFIG": str(tmp_path / "absent.env")})


def test_the_file_is_written_as_for_systemd(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("# a comment\n\nONE=1\n TWO = 'two words' \nexport THREE=\"a=b#c\"\n")
    assert read_env_file(tmp_path / "file") == {"ONE": "1", "TWO": "two words", "THREE": "a=b#c"}
    (tmp_path / "file").write_text("ONE=1\nnonsense\n")
    with pytest.raises(SettingError, match="line 2"):
        read_env_file(tmp_path / "file")


#: what can be wrong with an address that has a password
BAD_ADDRESSES = (
    "{scheme}://u:Mk-pw1x/db",
    "{scheme}://u:Mk-pw1x@[::1/db",
    "{scheme}://u:Mk-pw1x@host:99999/db",
    "{scheme}://u:Mk-pw1x@host:port/db",
    "{scheme}://u:Mk/pw1x@host:1/db",
    "{scheme}://u:Mk#pw1x@host/db",
    "other://u:Mk-pw1x@host/db",
    "{scheme}//u:Mk-pw1x@host/db",
)


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("DATABASE_URL", "postgres"), ("REDIS_URL", "redis"), ("GWM_MAIL_URL", "smtp"), ("GWM_PUBLIC_URL", "https")],
)
def test_a_wrong_address_is_refused_without_its_password(tmp_path: Path, name: str, scheme: str) -> None:
    for address in BAD_ADDRESSES:
        value = address.format(scheme=scheme)
        with pytest.raises(SettingError, match=f"^{name}: ") as caught:
            config(tmp_path, **{name: value}).url(name, scheme)
        told = "".join(traceback.format_exception(caught.value))
        assert not {"Mk", "pw1x"} & set(re.split(r"\W|-", told)), (value, told)
    for good in ("{scheme}://u:Mk-pw1x@host:1/db", "{scheme}:////run/postgresql/gwm", "{scheme}://%2Frun%2Fx/db"):
        value = good.format(scheme=scheme)
        assert config(tmp_path, **{name: value}).url(name, scheme) == value
    assert "Mk-pw1x" not in str(SettingError("GWM_JOURNAL_STREAM", "“tls://u:Mk-pw1x@h” is no address.", ""))


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        ("flag", "GWM_DEMO", "perhaps", "neither yes nor no"),
        ("integer", "GWM_PORT", "70000", "at least 0 and at most 65535"),
        ("integer", "GWM_WORKER_THREADS", "2.5", "not a whole number"),
        ("seconds", "GWM_SYNC_INTERVAL_S", "1", "at least 5"),
        ("seconds", "GWM_RAPI_READ_TIMEOUT_S", "soon", "not a number of seconds"),
    ],
)
def test_a_wrong_value_names_the_setting_and_the_remedy(
    tmp_path: Path, kind: str, name: str, value: str, words: str
) -> None:
    with pytest.raises(SettingError, match=f"^{name}: .*{words}"):
        getattr(config(tmp_path, **{name: value}), kind)(name)


@pytest.mark.feature("F285")
def test_secrets_are_generated_once_and_completed(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    assert ensure_secrets(path) == ["GWM_SECRET_KEY", "GWM_FIELD_KEYS", "GWM_CONSOLE_KEYS", "GWM_JOURNAL_KEYS"]
    before = read_env_file(path)
    assert ensure_secrets(path) == []
    path.write_text("".join(f"{name}={before[name]}\n" for name in ("GWM_SECRET_KEY", "GWM_FIELD_KEYS")))
    path.chmod(0o644)
    assert ensure_secrets(path) == ["GWM_CONSOLE_KEYS", "GWM_JOURNAL_KEYS"]
    after = read_env_file(path)
    assert (after["GWM_SECRET_KEY"], after["GWM_FIELD_KEYS"]) == (before["GWM_SECRET_KEY"], before["GWM_FIELD_KEYS"])
    assert path.stat().st_mode & 0o077 == 0


def test_no_secret_reaches_a_log_line() -> None:
    record = logging.LogRecord(
        "x",
        logging.ERROR,
        "x",
        1,
        "key %s, %s, postgres://gwm:hunter2@db/gwm, Authorization: Basic Z3dtOnNlY3JldA==, password='swordfish'",
        ("the-known-secret", {"token": "abcdef"}),
        None,
    )
    WithoutSecrets(["the-known-secret"]).filter(record)
    line = LineInUTC().format(record)
    for secret in ("the-known-secret", "hunter2", "Z3dtOnNlY3JldA", "swordfish", "abcdef"):
        assert secret not in line
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ERROR x: key \[hidden\]", line)


def test_no_secret_reaches_a_traceback() -> None:
    try:
        raise ValueError("could not log in with the-known-secret")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed", None, sys.exc_info())
    WithoutSecrets(["the-known-secret"]).filter(record)
    assert "the-known-secret" not in LineInUTC().format(record)
    assert "ValueError" in LineInUTC().format(record)


def test_an_outage_is_one_line_in_the_log() -> None:
    outage, fault = OSError(errno.EROFS, "Read-only file system", "queue/1.msg"), OSError(errno.EACCES, "not ours")
    for error, is_outage in ((outage, True), (fault, False)):
        try:
            raise error
        except OSError:
            record = logging.LogRecord(
                "celery.beat", logging.ERROR, "", 0, "Message Error: %s\n%s", (error, ["a stack"]), sys.exc_info()
            )
        assert KnownInOneLine().filter(record)
        line = LineInUTC().format(record)
        assert ("Traceback" in line) is not is_outage
        assert str(error) in line
        assert ("\n" in line, line.count(error.strerror)) == ((False, 1) if is_outage else (True, 2))


@pytest.mark.django_db
def test_a_refusal_is_one_line_in_the_log(
    client: Client, django_user_model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(django_user_model.objects.create_user("alice"))
    with caplog.at_level(logging.WARNING, logger="django.request"):
        assert client.get("/health/").status_code == 403
    (record,) = caplog.records
    assert KnownInOneLine().filter(record)
    line = LineInUTC().format(record)
    assert "\n" not in line
    assert "Forbidden (Permission denied): /health/: " in line


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ({"sqlite_errorname": "SQLITE_READONLY_DBMOVED"}, "Nothing can be saved"),
        ({"sqlite_errorname": "SQLITE_IOERR_SHMSIZE"}, "The disk is full"),
        ({"sqlite_errorname": "SQLITE_IOERR_WRITE"}, "Nothing can be saved"),
        ({"sqlite_errorname": "SQLITE_IOERR_READ"}, "The database does not answer"),
        ({"sqlite_errorname": "SQLITE_CONSTRAINT"}, ""),
        ({"sqlstate": "25006"}, "Nothing can be saved"),
        ({"sqlstate": "53100"}, "The disk is full"),
        ({"sqlstate": "23505"}, ""),
        ({"args": (1290, "--read-only")}, "Nothing can be saved"),
        ({"args": (1062, "duplicate")}, ""),
    ],
)
def test_outages_are_told_from_faults_by_what_the_driver_says(said: dict[str, Any], title: str) -> None:
    error = InternalError()
    error.__cause__ = Exception()
    for name, value in said.items():
        setattr(error.__cause__, name, value)
    outage = explain_outage(error)
    assert (str(outage.title) if outage is not None else "") == title


FORGED = "2026-01-01T00:00:00Z INFO gwm: root signed in"
BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\n\x1b[2K\r", "\0\n"]


@pytest.mark.feature("G046")
@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("where", ["message", "argument", "name", "exception", "chained", "stack"])
def test_nothing_from_outside_forges_a_log_line(line_break: str, where: str) -> None:
    text = f"no{line_break}{FORGED}\x1b[31m\u202e\ud800"
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed", None, None)
    if where == "message":
        record.msg = text
    elif where == "argument":
        record.msg, record.args = "failed: %s", (text,)
    elif where == "name":
        record.name = text
    elif where == "stack":
        record.stack_info = text
    else:
        try:
            try:
                raise ValueError(text)
            except ValueError as error:
                if where == "exception":
                    raise
                raise OSError("again") from error
        except (ValueError, OSError):
            record.exc_info = sys.exc_info()
    WithoutSecrets().filter(record)
    lines = LineInUTC().format(record).splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ERROR ", lines[0])
    assert all(line.startswith("    ") for line in lines[1:])
    assert FORGED in "".join(lines)
    assert all(line.isprintable() for line in lines)
    if where in ("exception", "chained"):
        assert "    Traceback (most recent call last):" in lines


def run_manage(tmp_path: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    ensure_secrets(tmp_path / "secrets.env")
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=clean_environment(GWM_DATA_DIR=str(tmp_path), **environ),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.standalone
@pytest.mark.feature("F005")
def test_nobody_registers_where_no_mail_is_sent(tmp_path: Path) -> None:
    """The link to register with is mailed: without a server for mail it does not even start."""
    refused = run_manage(tmp_path, "check", GWM_REGISTRATION="1")
    assert refused.returncode != 0 and "GWM_REGISTRATION: the link to register with is mailed" in refused.stderr
    mail = {"GWM_MAIL_URL": "smtp://localhost", "GWM_PUBLIC_URL": "https://gwm.example.org"}
    assert run_manage(tmp_path, "check", GWM_REGISTRATION="1", **mail).returncode == 0


@pytest.mark.standalone
def test_the_deployment_check_has_no_complaint_with_the_documented_settings(tmp_path: Path) -> None:
    checked = run_manage(
        tmp_path,
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        GWM_PUBLIC_URL="https://gwm.example.org",
        GWM_BEHIND_PROXY="yes",
    )
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


@pytest.mark.parametrize(
    ("url", "engine", "name"),
    [
        ("postgres://gwm:pass@db.example.org:5433/machines", "postgresql", "machines"),
        ("mysql://gwm:pass@db.example.org/machines", "mysql", "machines"),
        ("sqlite:////srv/elsewhere.sqlite3", "sqlite3", "/srv/elsewhere.sqlite3"),
    ],
)
def test_a_database_is_chosen_by_its_address(url: str, engine: str, name: str) -> None:
    described = describe_database(url, Path(), prepares=True)
    assert described["ENGINE"] == f"django.db.backends.{engine}"
    assert str(described["NAME"]) == name
    assert (described.get("OPTIONS", {}).get("transaction_mode") == "IMMEDIATE") == (engine == "sqlite3")
    assert (described.get("OPTIONS", {}).get("prepare_threshold") is not None) == (engine == "postgresql")
    assert "ATOMIC_REQUESTS" not in described


def test_nothing_is_asked_of_a_session_where_a_pool_hands_it_on() -> None:
    url = "postgres://gwm:pass@db.example.org/machines"
    assert (
        describe_database(url, Path(), prepares=True)["OPTIONS"]["options"]
        == "-c jit=off -c max_parallel_workers_per_gather=0"
    )
    described = describe_database(url, Path(), prepares=False)
    assert set(described["OPTIONS"]) == {"connect_timeout", "tcp_user_timeout"}
    assert described["DISABLE_SERVER_SIDE_CURSORS"]
