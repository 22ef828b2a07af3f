"""The file that describes the LDAP directory."""

import subprocess
import sys

import pytest

from people.directory import described
from people.directory.described import BadDirectory, read_directory
from tests.up.running import ROOT, clean_environment

pytestmark = pytest.mark.feature("F006")
GOOD = """
servers = ["ldaps://ldap.example.org"]
base = "ou=people,dc=example,dc=org"
bind_dn = "cn=gwm"
bind_password = "marker-secret"
group_base = "ou=groups"
"""


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Whether or not it is on this machine: what the file says is read without it."""
    found = {"ldap", "django_auth_ldap"}
    monkeypatch.setattr(described.importlib.util, "find_spec", lambda name: name if name in found else None)
    return found


def read(tmp_path, text, **more):
    path = tmp_path / "ldap.toml"
    path.write_text(text, encoding="utf-8")
    return read_directory(path, is_wanted=True)


def test_a_directory_and_its_defaults(tmp_path):
    there = read(tmp_path, GOOD + '[teams]\n"cn=a" = "web"\n[attributes]\nid = "objectGUID"\n')
    assert there.start_tls and there.verify and not there.adds_accounts and there.filter == "(uid=%(user)s)"
    assert there.teams == {"cn=a": ("web",)} and there.attributes["id"] == "objectGUID"
    assert there.attributes["email"] == "mail" and there.asks_for_groups
    assert "marker-secret" not in repr(there)


def test_none_where_there_is_no_file(tmp_path):
    assert read_directory(tmp_path / "none", is_wanted=False) is None
    with pytest.raises(BadDirectory, match="there is no file"):
        read_directory(tmp_path / "none", is_wanted=True)


def test_a_secret_in_a_file_of_its_own(tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    text = GOOD.replace('bind_password = "marker-secret"', f'bind_password_file = "{tmp_path}/secret"')
    assert read(tmp_path, text).bind_password == "from a file"


def test_without_the_extra_it_is_said(tmp_path, installed):
    installed.discard("ldap")
    with pytest.raises(BadDirectory, match="are not installed"):
        read(tmp_path, GOOD)
    assert read_directory(tmp_path / "none", is_wanted=False) is None


_WITHOUT = """
import sys
sys.modules["ldap"] = sys.modules["django_auth_ldap"] = None
import django
django.setup()
import people.tasks
from django.conf import settings
print(settings.GWM_DIRECTORY, settings.AUTHENTICATION_BACKENDS)
"""


@pytest.mark.standalone
def test_the_product_works_without_the_extra(tmp_path):
    environment = clean_environment(GWM_DATA_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="gwm.settings")
    call = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", _WITHOUT], **call)
    assert done.stdout.strip() == "None ['django.contrib.auth.backends.ModelBackend']", done.stderr
    (tmp_path / "ldap.toml").write_text(GOOD)
    done = subprocess.run([sys.executable, "-c", _WITHOUT], **call)
    assert done.returncode and "GWM_LDAP_FILE" in done.stderr and "are not installed" in done.stderr
    assert "marker-secret" not in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "x = ", "is no TOML"),
        (GOOD + "bind_pasword = 1", "has “bind_pasword”"),
        (GOOD.replace("servers", "name"), "“name”"),
        (GOOD.replace('["ldaps://ldap.example.org"]', "[]"), "lacks “servers”"),
        (GOOD.replace("base", "dn_template", 1), "lacks “base”"),
        (GOOD.replace("ldaps://ldap.example.org", "http://x"), "is no ldap or ldaps address"),
        (GOOD.replace("ldaps://ldap.example.org", "ldap://a:b:c"), "is no ldap or ldaps address"),
        (GOOD.replace("ldaps://", "ldap://") + "start_tls = false", "unsealed"),
        (GOOD.replace('bind_password = "marker-secret"', ""), "lacks “bind_password_file”"),
        (GOOD.replace('"marker-secret"', "7"), "“bind_password”"),
        (GOOD + 'bind_password_file = "/nowhere"', "cannot read the bind_password_file"),
        (GOOD + 'filter = "(uid=%s)"', "“filter”"),
        (GOOD + 'filter = "uid=%(user)s"', "parentheses"),
        (GOOD + 'filter = "(uid=%(user)s)(a=b)"', "parentheses"),
        (GOOD + 'filter = "(&(uid=%(user)s)(a=b)"', "parentheses"),
        (GOOD + 'filter = "(uid:caseExactMatch:=%(user)s)"', "another way"),
        (GOOD + 'filter = "(|(uid=%(user)s)(cn~=%(user)s))"', "another way"),
        (GOOD + 'filter = "(&(uid=a)(cn>=%(user)s))"', "another way"),
        (GOOD + 'dn_template = "uid=x"', "“dn_template”"),
        (GOOD + 'group_type = "x"', "group_type"),
        (GOOD + 'group_type = "posixGroup"\nnested_groups = true', "nested_groups"),
        (GOOD.replace("group_base", "name") + 'required_groups = "cn=a"', "group_base"),
        (GOOD + "required_groups = [1]", "no list"),
        (GOOD + "verify = 1", "neither true nor false"),
        (GOOD + "answer_s = 0", "answer_s"),
        (GOOD + "answer_s = true", "answer_s"),
        (GOOD + "teams = 1", "no table"),
        (GOOD + '[flags]\nauditor = "cn=a"', "knows only administrator"),
        (GOOD + '[attributes]\nphone = "a"', "has “phone”"),
        (GOOD + '[attributes]\nid = "a)(b"', "no name of an attribute"),
        (GOOD + 'ca_file = "/nowhere"', "ca_file"),
        (GOOD + 'password_url = "javascript:x"', "password_url"),
    ],
)
def test_mistakes_are_named_without_the_secret(tmp_path, text, says):
    with pytest.raises(BadDirectory) as caught:
        read(tmp_path, text)
    assert says in str(caught.value) and "marker-secret" not in str(caught.value)
