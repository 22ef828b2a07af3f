"""Directories of other ways, and such that answer otherwise than they should: names given anew, references, an Active
Directory's attributes, and servers that are not who they ought to be."""

import socket
import threading
import time
import tomllib
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client

from objectlog.models import Via
from operations.contract import Actor, Ask, NoParams
from operations.pipeline import run
from people.directory.asking import NoAnswer, WrongPassword, check_password, connected, find_by_name
from people.directory.checking import check
from people.directory.described import KEY, read_directory
from people.operations.accounts import Activate, Delete, PasswordParams, SetPassword
from people.operations.providers import Disconnect, ProviderParams
from people.ways import find_way
from permissions.models import User
from permissions.services import make_team
from tests.factories import make_admin
from tests.people.ldap_here import demand_ldap
from tests.up.running import ROOT
from tools.directory import OTHER_ADDRESS

demand_ldap()

from tests.people.directory import (  # noqa: E402
    GROUPS,
    PASSWORD,
    PEOPLE,
    describe,
    is_in,
    running_tree,
    said,
    sign_in,
    tree,
    use,
    who_is,
)

__all__ = ["tree", "use"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.beside,
    pytest.mark.feature("F006"),
    pytest.mark.program("slapd", "slapd ldap-utils"),
]
#: as Active Directory has them (MS-ADA1 to MS-ADA3, MS-ADSC)
_AD = """
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL
  MAY ( sAMAccountName $ userPrincipalName $ userAccountControl $ objectGUID ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY member )
"""
_SAYS_ANN_IS_ANOTHER = "The account ann here belongs to somebody else who had this name at Corporate directory before."


@pytest.fixture(scope="module")
def running():
    with running_tree(_AD) as running:
        yield running


@contextmanager
def listening(say=lambda link: None):
    """Somebody else's server, and the connections that it got."""
    got = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take():
            with suppress(OSError):
                while True:
                    got.append(server.accept()[0])
                    threading.Thread(target=say, args=(got[-1],), daemon=True).start()

        threading.Thread(target=take, daemon=True).start()
        try:
            yield server.getsockname()[1], got
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for link in got:
                link.close()


def test_who_has_a_name_that_somebody_had_before_does_not_inherit_the_account(tree, use):
    root = Actor(make_admin("root"), Via.WEB)
    entry = tree.person("ann")
    assert is_in(sign_in("ann"))
    tree.link.delete_s(entry)
    tree.person("ann", userPassword="of somebody else 1")
    for _is in ("before the check, and", "after it"):
        assert sign_in("ann", PASSWORD).status_code == 200
        answer = sign_in("ann", "of somebody else 1")
        assert answer.status_code == 403 and _SAYS_ANN_IS_ANOTHER in answer.content.decode()
        assert said()[-1][1] == "failed" and _SAYS_ANN_IS_ANOTHER in said()[-1][2]
        check()
        cache.clear()
    assert not User.objects.get(username="ann").is_active and SocialAccount.objects.count() == 1
    # Whom the directory has only made anew gets the account from an administrator, and nobody else does.
    ann = User.objects.get(username="ann")
    run(Disconnect(), Ask(root, ann, ProviderParams(find_way(KEY))))
    assert not is_in(sign_in("ann", "of somebody else 1")) and check().asked == 0
    run(Activate(), Ask(root, ann, NoParams()))
    run(SetPassword(), Ask(root, ann, PasswordParams("another long one 2")))
    cache.clear()
    client = Client()
    assert is_in(sign_in("ann", "another long one 2", client))
    there = {"username": "ann", "password": "of somebody else 1"}
    assert client.post("/account/sign-in/directory/", there).status_code == 302
    assert is_in(sign_in("ann", "of somebody else 1"))
    # A stranger gets a new one, when the old one is gone.
    run(Delete(), Ask(root, User.objects.get(username="ann"), NoParams()))
    assert is_in(sign_in("ann", "of somebody else 1")) and User.objects.get(username="ann").pk != ann.pk


def test_while_both_are_there_each_comes_in_by_their_own_account_alone(tree, use):
    entry = tree.person("ann")
    assert is_in(sign_in("ann"))
    tree.link.rename_s(entry, "uid=anne")
    tree.person("ann", userPassword="of somebody else 1")
    client = Client()
    assert is_in(sign_in("ann", client=client)) and who_is(client) == "ann"
    answer = sign_in("ann", "of somebody else 1")
    assert answer.status_code == 403 and _SAYS_ANN_IS_ANOTHER in answer.content.decode()
    assert sign_in("ann", "wrong").status_code == 200 and check().put_out == 0
    tree.add(f"ou=more,{PEOPLE}", objectClass="organizationalUnit", ou="more")
    tree.person("ann", under=f"ou=more,{PEOPLE}")
    assert sign_in("ann", "wrong").status_code == 200, "two of the name: a wrong password is one all the same"


def test_how_a_name_is_written_there_changes_nothing(tree, use):
    entry = tree.person("ann")
    assert is_in(sign_in("ann"))
    for name in ("ANN", "Ann"):
        tree.link.rename_s(entry, f"uid={name}")
        entry = f"uid={name},{PEOPLE}"
        for typed in ("ann", "ANN", "Ann"):
            client = Client()
            assert is_in(sign_in(typed, client=client)) and who_is(client) == "ann"
    assert User.objects.count() == 1 and check().put_out == 0


def test_strange_words_let_nobody_in(tree, use):
    tree.person("ann")
    there = use()
    names = ["ann\0", "\0", "a" * 10_000, "*" * 140, ")" * 140, "\u202eann", "ann\ufffd", "ann\\00", "a\nnn"]
    for template in ("", f"uid=%(user)s,{PEOPLE}"):
        use(dn_template=template)
        with connected(there) as link:
            for name in names:
                assert find_by_name(link, there, name) is None
        for name, password in [*((name, PASSWORD) for name in names), *(("ann", p) for p in ("p" * 10_000, "\0"))]:
            assert sign_in(name, password).status_code in (200, 400), (name, password)
            cache.clear()
        with connected(there) as link, pytest.raises(WrongPassword):
            check_password(there, find_by_name(link, there, "ann"), PASSWORD + "\0")
    assert not User.objects.exists() and is_in(sign_in("ann"))


def test_no_reference_is_followed_and_none_breaks_anything(tree, use):
    """Neither the password of the service nor anybody's goes to a server that is not in the file."""
    group = tree.group("web", tree.person("ann"))
    make_team("web")
    with listening() as (port, got):
        for under in (PEOPLE, GROUPS):
            away = {"objectClass": ["referral", "extensibleObject"], "cn": "away"}
            tree.add(f"cn=away,{under}", ref=f"ldap://127.0.0.1:{port}/{under}", **away)
        use(teams={group: ("web",)}, nested_groups=True)
        assert is_in(sign_in("ann")) and not is_in(sign_in("nobody")) and not is_in(sign_in("ann", "wrong"))
        assert check().put_out == 0 and User.objects.get().groups.count() == 1
        # The place itself is elsewhere: that says nothing of anybody.
        for base in (f"cn=away,{PEOPLE}", f"ou=more,cn=away,{PEOPLE}"):
            use(base=base)
            assert sign_in("ann").status_code == 502
            with pytest.raises(NoAnswer):
                check()
        use(teams={group: ("web",)}, group_base=f"cn=away,{GROUPS}")
        assert sign_in("ann").status_code == 502
        use(dn_template=f"uid=%(user)s,cn=away,{PEOPLE}")
        assert sign_in("eve").status_code == 502
        assert User.objects.get().is_active and User.objects.get().groups.count() == 1 and not got


def ad_person(tree, name, number, **more):
    given = {"cn": name, "sn": name.title(), "userPassword": PASSWORD, "userAccountControl": "512", **more}
    names = {"sAMAccountName": name, "userPrincipalName": f"{name}@ad.example.org", "objectGUID": bytes([number]) * 16}
    tree.add(f"cn={name},{PEOPLE}", objectClass="user", **names, **given)
    return f"cn={name},{PEOPLE}"


def described(tree, tmp_path):
    """The example of the document, of this server."""
    text = (Path(ROOT) / "docs/ldap.md").read_text().partition("For Active Directory:\n\n```toml\n")[2]
    about = tomllib.load(BytesIO(text.partition("```")[0].encode()))
    (tmp_path / "secret").write_text(describe(tree.server).bind_password)
    (tmp_path / "ca.pem").write_text(Path(tree.server.ca_file).read_text())
    text = text.partition("```")[0].replace("/etc/gwm/ad-ca.pem", str(tmp_path / "ca.pem"))
    text = text.replace("/etc/gwm/ldap.secret", str(tmp_path / "secret"))
    (tmp_path / "ldap.toml").write_text(text)
    there = read_directory(tmp_path / "ldap.toml", is_wanted=True)
    assert there is not None and there.servers == tuple(about["servers"])
    return {name: getattr(there, name) for name in ("filter", "group_type", "nested_groups", "attributes")}


def test_active_directory_as_the_document_describes_it(tree, use, tmp_path):
    ann, bob = ad_person(tree, "ann", 0), ad_person(tree, "bob", 41, userAccountControl="514")
    for name, members in {"inner": [ann, bob], "gwm-users": [f"cn=inner,{GROUPS}"]}.items():
        tree.add(f"cn={name},{GROUPS}", objectClass="group", cn=name, member=members)
    use(**described(tree, tmp_path), required_groups=(f"cn=gwm-users,{GROUPS}",))
    client = Client()
    assert is_in(sign_in("ann", client=client)) and is_in(sign_in("ANN"))
    assert sign_in("bob").status_code == 200, "disabled"
    assert check().put_out == 0
    tree.change(ann, userAccountControl="66050")  # 66048, no expiry, and disabled
    assert not is_in(sign_in("ann")) and check().put_out == 1 and client.get("/account/").status_code == 302
    tree.change(ann, userAccountControl="66048")
    assert is_in(sign_in("ann"))
    tree.change(f"cn=inner,{GROUPS}", member=[bob])
    assert sign_in("ann").status_code == 403 and check().put_out == 1


def test_active_directory_by_the_long_names(tree, use, tmp_path):
    ann = ad_person(tree, "ann", 255)
    given = described(tree, tmp_path)
    longer = given["filter"].replace("sAMAccountName", "userPrincipalName")
    use(filter=longer, attributes={**given["attributes"], "username": "userPrincipalName"})
    client = Client()
    assert is_in(sign_in("ann@ad.example.org", client=client)) and who_is(client) == "ann@ad.example.org"
    assert not is_in(sign_in("ann")) and check().put_out == 0
    tree.change(ann, userPrincipalName="anne@ad.example.org")
    assert is_in(sign_in("ann@ad.example.org")) and check().put_out == 0


@pytest.mark.parametrize("url", ["url", "tls_url"])
def test_a_certificate_of_another_host_is_none(tree, use, url):
    """The authority is ours, and the name is not."""
    tree.person("ann")
    there = use(servers=(getattr(tree.server, url).replace("127.0.0.1", OTHER_ADDRESS),))
    with pytest.raises(NoAnswer, match="certificate is not valid for"), connected(there):
        pass
    assert sign_in("ann").status_code == 502
    use(servers=there.servers, verify=False)
    assert is_in(sign_in("ann")), "it was the certificate alone"


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_directory_that_goes_away_between_two_answers_is_no_word_about_anybody(tree, use, after):
    """Hangs, or ends the connection: when bound to, after that, when searched, and when the password is tried."""
    teams = {tree.group("web", tree.person("ann")): ("web",)}
    make_team("web")
    use(teams=teams)
    assert is_in(sign_in("ann"))
    for ends in (True, False):
        answers = []

        def say(link, ends=ends, answers=answers):
            with socket.create_connection(("127.0.0.1", tree.server.port)) as far, suppress(OSError):
                while piece := link.recv(65536):
                    if len(answers) >= after:
                        break
                    far.sendall(piece)
                    answers.append(far.recv(65536))
                    link.sendall(answers[-1])
                if not ends:
                    link.recv(65536)
            link.close()

        with listening(say) as (port, _got):
            use(servers=(f"ldap://127.0.0.1:{port}",), start_tls=False, teams=teams, connect_s=1, answer_s=1)
            began = time.monotonic()
            assert sign_in("ann").status_code == 502
            answers.clear()
            with pytest.raises(NoAnswer):
                check()
            assert time.monotonic() - began < 60
        cache.clear()
    assert User.objects.get().is_active and User.objects.get().groups.exists()
