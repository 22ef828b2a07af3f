"""What a deployment makes of the files of deploy/, of settings and of the list of packages."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.extra import bring_directory, link_from_debian
from deploy.host import HostError
from deploy.production import read_given
from deploy.release import HERE, PackagesOf, Release, names_in, packages_beside, requirements_on
from deploy.rollout import release_before
from deploy.settings import LOCAL_DATABASE, LOCAL_REDIS, complete_settings, read_settings
from deploy.site import CURRENT, DATA, ROOT, SETTINGS, UNITS, Site, site_of, unit_of
from gwm.env import TABLE

SYSTEMD, NGINX = HERE / "deploy" / "systemd", HERE / "deploy" / "nginx" / "ganeti-web-manager"


def test_units_run_the_current_release_and_keep_what_they_keep_where_it_was() -> None:
    for name in UNITS:
        text = unit_of((SYSTEMD / name).read_text())
        assert f"{DATA}/.venv" not in text and "/opt/ganeti-web-manager/\n" not in text
        for path in re.findall(r"^(?:ExecStart|WorkingDirectory)=(\S+)", text, re.MULTILINE):
            assert path.startswith(CURRENT), (name, path)
        if "[Service]" in text:
            assert f"GWM_DATA_DIR={DATA} " in text and f"EnvironmentFile=-{SETTINGS}\n" in text


def test_the_site_of_nginx_has_the_name_and_the_certificate_of_the_server() -> None:
    text = site_of(NGINX.read_text(), "vm.example.net")
    assert "gwm.example.org" not in text and text.count("server_name vm.example.net;") == 2
    assert "ssl_certificate_key /etc/ssl/private/ganeti-web-manager.key;" in text


def test_settings_are_kept_as_they_were_given_and_completed() -> None:
    given = "# ours\nDATABASE_URL='postgres://gwm:x@db/gwm'\nGWM_SYNC_INTERVAL_S=30"
    places = {"DATABASE_URL": LOCAL_DATABASE, "REDIS_URL": LOCAL_REDIS}
    complete = complete_settings(given, "vm.example.net", places)
    assert complete.startswith(f"{given}\n") and complete.endswith("\n")
    found = read_settings(complete)
    assert found["DATABASE_URL"] == "postgres://gwm:x@db/gwm" and found["GWM_PUBLIC_URL"] == "https://vm.example.net"
    assert complete_settings(complete, "another", places) == complete, "a second time changes nothing"
    assert set(found) <= set(TABLE)


REQUIREMENTS = """old==1 ; python_full_version < '3.11.3' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via new
new==2 \\
    --hash=sha256:cc
windows==3 ; sys_platform == 'win32' \\
    --hash=sha256:dd
"""


@pytest.mark.parametrize(("python", "has_old"), [("3.11.2", True), ("3.13.1", False)])
def test_packages_are_those_of_the_servers_python(python: str, has_old: bool) -> None:
    wanted = requirements_on(REQUIREMENTS, python, "x86_64")
    assert ("old==1 \\\n    --hash=sha256:aa" in wanted) is has_old
    assert "new==2 \\\n    --hash=sha256:cc" in wanted and "windows" not in wanted and " ; " not in wanted


def test_of_each_package_there_is_one_version_on_any_python() -> None:
    for python in ("3.11.2", "3.12.3", "3.13.5"):
        names = re.findall(
            r"^([a-z0-9-]+)==", requirements_on((HERE / "requirements.txt").read_text(), python, "x86_64"), re.M
        )
        assert len(names) == len(set(names)) > 50


def test_ldap_takes_what_is_not_there_already_and_as_wheels() -> None:
    beside = packages_beside(REQUIREMENTS, frozenset({"old"}))
    assert names_in(beside) == {"new", "windows"} and "sha256:aa" not in beside and "sha256:cc" in beside
    names = names_in(Release.of("HEAD").list_packages(PackagesOf.DIRECTORY))
    assert "django-auth-ldap" in names and "python-ldap" not in names
    assert not names & names_in((HERE / "requirements.txt").read_text())
    assert names <= names_in((HERE / "requirements-ldap.txt").read_text())


def test_debians_python_ldap_is_linked_and_nothing_else_of_it(tmp_path: Path) -> None:
    debian, into = tmp_path / "debian", tmp_path / "site-packages"
    for name in ("ldap", "django"):
        (debian / name).mkdir(parents=True)
    for name in ("_ldap.cpython-311-x86_64-linux-gnu.so", "ldapurl.py", "ldif.py", "yaml.py"):
        (debian / name).touch()
    into.mkdir()
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{into}'\n")
    python.chmod(0o755)
    for _again in range(2):
        subprocess.run(["sh", "-c", link_from_debian(str(python), str(debian))], check=True)
        names = {path.name for path in into.iterdir()}
        assert names == {"ldap", "_ldap.cpython-311-x86_64-linux-gnu.so", "ldapurl.py", "ldif.py"}


@pytest.mark.parametrize(
    ("settings", "denies", "wants"),
    [
        ("GWM_LDAP_FILE=/etc/gwm/ldap.toml", ("test -e",), True),
        ("GWM_LDAP_FILE=", ("test -e",), False),
        ("", (), True),
        ("", ("test -e",), False),
    ],
)
def test_packages_of_ldap_are_brought_where_a_file_describes_a_directory(
    settings: str, denies: tuple[str, ...], wants: bool
) -> None:
    there = site(
        {"cat ": settings, "hostname": "vm.example.net", "dpkg-query": ""}, denies=(*denies, "command -v python3")
    )
    there.look()
    lacking: list[str] = []
    there.say = lacking.append
    there.see_to_packages()
    assert ("python3-ldap" in lacking[0]) is wants


def test_also_releases_one_can_go_back_to_get_the_packages_of_ldap() -> None:
    settings = {"cat ": "GWM_LDAP_FILE=/etc/gwm/ldap.toml", "hostname": "vm.example.net"}
    old = "\n".join(f"{ROOT}/releases/{name}/.complete" for name in ("a", "b"))
    there = site({**settings, "ls -d ": old}, denies=(f"test -e {ROOT}/releases/a/", f"test -e {ROOT}/releases/c/"))
    there.release.__dict__["name"] = "c"
    there.look()
    lacking: list[str] = []
    there.say = lacking.append
    bring_directory(there)
    assert lacking == ["  to be done      packages of LDAP: a, c"]


def test_the_same_commit_has_one_name_and_the_earlier_one_is_gone_back_to() -> None:
    release = Release.of("HEAD")
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{12}", release.name) and Release.of("HEAD").name == release.name
    assert release_before(["a", "b", "c"], "c") == "b"
    with pytest.raises(HostError, match="no earlier release"):
        release_before(["b", "c"], "b")


class There:
    """A server that answers commands by what they begin with, and on which nothing may be done."""

    name = "there"

    def __init__(self, says: dict[str, str], denies: tuple[str, ...] = ()) -> None:
        self.says, self.denies = says, denies

    def ask(self, command: str) -> bool:
        return not command.startswith(self.denies)

    def run(self, command: str) -> str:
        return next(said for begin, said in self.says.items() if command.startswith(begin))


def site(says: dict[str, str], *, denies: tuple[str, ...] = (), name: str = "") -> Site:
    there: Any = There(says, denies)
    return Site(there, Release("0" * 40), name, say=lambda words: None, only_checks=True)


def test_a_name_that_no_browser_could_ask_for_is_refused_before_anything_is_done() -> None:
    with pytest.raises(HostError, match="no name that a browser could ask for"):
        site({"cat ": "", "hostname": "bad name; rm -rf /"}).look()


def test_another_name_than_that_of_the_settings_is_refused() -> None:
    says = {"cat ": "GWM_PUBLIC_URL=https://vm.example.net"}
    there = site(says)
    there.look()
    assert there.name == "vm.example.net"
    with pytest.raises(HostError, match=r"GWM_PUBLIC_URL=https://vm\.example\.net, and not https://other"):
        site(says, name="other.example.net").look()
    below = site({"cat ": "GWM_PUBLIC_URL=https://vm.example.net/gwm/"})
    below.look()
    assert (below.name, below.below) == ("vm.example.net", "/gwm")


@pytest.mark.parametrize(("lacks", "told"), [("test -d /run/systemd", "no systemd"), ("command -v apt", "no Debian")])
def test_where_it_cant_be_installed_so_that_is_said(lacks: str, told: str) -> None:
    with pytest.raises(HostError, match=told):
        site({}, denies=(lacks,)).look()


def test_an_older_python_is_said_before_anything_is_brought_over() -> None:
    there = site({"cat ": "", "hostname": "vm.example.net", "dpkg-query": ""})
    there.look()
    with pytest.raises(HostError, match=r"older Python than 3\.11"):
        there.see_to_packages()
    there = site({"cat ": "", "hostname": "vm.example.net", "dpkg-query": ""}, denies=("command -v python3",))
    there.look()
    there.see_to_packages()
    assert there.changed == ["Debian's packages"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["prod", "deploy"], "--host root@gwm.example.org"),
        (["dev", "status"], "for servers"),
        (["status", "--host", "x"], "Say where first"),
        (["dev", "prod", "deploy", "--host", "x"], "one place"),
        (["prod", "deploy", "--host", "x", "--certificate", "a"], "belong together"),
        (["prod", "deploy", "--host", "x", "--settings", "/nowhere"], "/nowhere can't be read"),
    ],
)
def test_what_is_missing_on_the_command_line_is_said(words: list[str], told: str) -> None:
    fab = [str(Path(sys.executable).with_name("fab")), "--search-root", str(HERE)]
    done = subprocess.run([*fab, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr


def test_a_certificate_and_the_key_of_another_are_refused_here(tmp_path: Path) -> None:
    for name in ("one", "two"):
        files = ["-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.pem")]
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", *files]
        subprocess.run(make, check=True, capture_output=True)
    (tmp_path / "none").write_text("nothing")
    given = read_given("", str(tmp_path / "one.pem"), str(tmp_path / "one.key"))
    assert given.certificate is not None and given.certificate[0].startswith(b"-----BEGIN CERTIFICATE")
    for certificate, key in (("one.pem", "two.key"), ("none", "one.key"), ("one.pem", "none")):
        with pytest.raises(HostError, match="are no certificate"):
            read_given("", str(tmp_path / certificate), str(tmp_path / key))
