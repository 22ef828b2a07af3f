"""Who leaves the directory, or the group that lets in, is put out; while it can't be asked, nobody is."""

import socket
import threading
from contextlib import suppress
from io import StringIO

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from gwm.health import examine_parts
from objectlog.models import Via
from operations.contract import Actor, Ask, NoParams
from operations.pipeline import run
from people.directory.accounts import let_in_again, put_out
from people.directory.asking import NoAnswer, connected, find_by_name
from people.directory.checking import Doubtful, check
from people.directory.wire import MOST_BYTES
from people.operations.accounts import Activate, Deactivate
from people.tasks import check_directory
from permissions.models import Token, User
from permissions.services import make_team
from tests.factories import make_admin, make_user
from tests.people.ldap_here import demand_ldap

demand_ldap()

import ldap  # noqa: E402

from tests.people.directory import (  # noqa: E402
    GROUPS,
    PASSWORD,
    PEOPLE,
    SUFFIX,
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


@pytest.fixture(scope="module")
def running():
    # A server that gives at most a few entries at a time.
    with running_tree("sizelimit size.soft=50 size.hard=100 size.pr=unlimited size.prtotal=unlimited") as tree:
        yield tree


def entered(name):
    """Somebody who has signed in and has a token."""
    client = Client()
    assert is_in(sign_in(name, client=client))
    token = {"name": "hook", "digest": name.ljust(64, "x"), "expires_at": timezone.now() + timezone.timedelta(days=1)}
    Token.objects.create(person=User.objects.get(username=name), **token)
    return client


def health():
    return next((part for part in examine_parts() if part.key == "directory"), None)


def test_who_leaves_loses_sessions_and_tokens_and_who_comes_back_comes_in(tree, use):
    entry = tree.person("ann")
    tree.person("bob")
    ann, bob = entered("ann"), entered("bob")
    assert check().put_out == 0 and who_is(ann) == "ann" and ann.get("/account/").status_code == 200
    tree.link.delete_s(entry)
    assert check().put_out == 1
    person = User.objects.get(username="ann")
    assert not person.is_active and not person.tokens.exists() and ann.get("/account/").status_code == 302
    assert bob.get("/account/").status_code == 200 and Token.objects.count() == 1
    assert said()[-1][0] == "person.deactivate" and "By the word of Corporate directory." in said()[-1][2]
    assert not is_in(sign_in("ann")) and check().put_out == 0, "once"
    tree.person("ann")  # somebody else of the same name: another id
    answer = sign_in("ann")
    assert not is_in(answer) and SocialAccount.objects.count() == 2


def test_who_loses_the_group_is_put_out_and_let_in_again_with_it(tree, use):
    entry, other = tree.person("ann"), tree.person("bob")
    group = tree.group("staff", entry, other)
    use(required_groups=(group,))
    client = entered("ann")
    tree.change(group, member=[other])
    assert check().put_out == 1 and client.get("/account/").status_code == 302
    assert sign_in("ann").status_code == 403
    tree.change(group, member=[entry, other])
    assert check().put_out == 0 and User.objects.get(username="ann").is_active
    assert client.get("/account/").status_code == 302, "no old session begins again"
    assert is_in(sign_in("ann"))
    assert [verb for verb, _outcome, _words in said()].count("person.activate") == 1


def test_who_is_disabled_there_by_the_filter_is_put_out(tree, use):
    entry = tree.person("ann", employeeType="staff")
    use(filter="(&(uid=%(user)s)(!(employeeType=disabled)))")
    client = entered("ann")
    tree.change(entry, employeeType="disabled")
    assert check().put_out == 1 and client.get("/account/").status_code == 302


def test_whom_an_administrator_has_put_out_the_directory_does_not_let_in(tree, use):
    entry = tree.person("ann")
    group = tree.group("staff", entry)
    use(required_groups=(group,))
    entered("ann")
    User.objects.update(is_active=False)
    for members in ([PEOPLE], [entry]):  # also if they leave the group meanwhile, and come back
        tree.change(group, member=members)
        assert check().put_out == 0 and not User.objects.get().is_active
    assert not is_in(sign_in("ann")) and not User.objects.get().is_active


def test_whom_an_administrator_puts_out_after_the_directory_did_is_not_let_in(tree, use):
    """The directory undoes its own word alone: the last word here is whoever's came last."""
    root = Actor(make_admin("root"), Via.WEB)
    entry, other = tree.person("ann"), tree.person("bob")
    group = tree.group("staff", entry, other)
    use(required_groups=(group,))
    entered("ann")
    tree.change(group, member=[other])
    check()
    ann = User.objects.get(username="ann")
    assert not ann.is_active
    for operation in (Activate(), Deactivate()):
        run(operation, Ask(root, ann, NoParams()))
    tree.change(group, member=[entry, other])
    assert not is_in(sign_in("ann")) and check().put_out == 0
    assert not User.objects.get(username="ann").is_active
    run(Activate(), Ask(root, ann, NoParams()))
    assert is_in(sign_in("ann"))
    # Nor by what a check has read before.
    link = SocialAccount.objects.get()
    put_out(use(), link, Via.UPDATE)
    stale = SocialAccount.objects.get()
    for operation in (Activate(), Deactivate()):
        run(operation, Ask(root, ann, NoParams()))
    assert not let_in_again(use(), stale, Via.UPDATE) and not User.objects.get(username="ann").is_active


def test_who_was_disconnected_or_deleted_during_a_check_is_left_alone(tree, use):
    for name in ("ann", "bob", "cid"):
        tree.person(name)
        assert is_in(sign_in(name))
    there, links = use(), list(SocialAccount.objects.order_by("user__username")[:2])
    SocialAccount.objects.filter(pk=links[0].pk).delete()
    User.objects.get(username="bob").delete()
    for link in links:
        assert not let_in_again(there, link, Via.UPDATE) and not put_out(there, link, Via.UPDATE)
    assert SocialAccount.objects.count() == 1 and User.objects.filter(is_active=True).count() == 2


def test_the_check_renews_teams_and_flags(tree, use):
    make_admin("root")
    entry = tree.person("ann")
    group = tree.group("admins", entry)
    make_team("ops")
    use(flags={"administrator": (group,)}, teams={group: ("ops",)})
    entered("ann")
    tree.change(group, member=[PEOPLE])
    check()
    ann = User.objects.get(username="ann")
    assert not ann.is_superuser and not ann.groups.exists() and ann.is_active


def test_the_last_administrator_loses_sessions_and_not_the_account(tree, use):
    entry = tree.person("ann")
    group = tree.group("admins", entry)
    use(flags={"administrator": (group,)})
    client = entered("ann")
    tree.link.delete_s(entry)
    seen = check()
    assert seen.put_out == 1 and "ann is the last administrator" in seen.problems[0]
    person = User.objects.get()
    assert person.is_active and person.is_superuser and not person.tokens.exists()
    assert client.get("/account/").status_code == 302 and not is_in(sign_in("ann"))
    assert health().kind == "warn" and "last administrator" in health().detail
    make_admin("root")
    check()
    assert not User.objects.get(username="ann").is_active


def test_while_the_directory_is_down_nobody_is_put_out_and_accounts_here_go_on(tree, use):
    tree.person("ann")
    client = entered("ann")
    local = make_user("local")
    local.set_password("long enough 1")
    local.save()
    tree.server.stop()
    try:
        with pytest.raises(NoAnswer):
            check()
        check_directory()  # the worker goes on
        assert User.objects.get(username="ann").is_active and client.get("/account/").status_code == 200
        assert (health().kind, health().word) == ("bad", "no answer")
        with pytest.raises(CommandError, match="does not answer"):
            call_command("check_directory")
        for name, password in (("ann", PASSWORD), ("nobody", "x"), ("local", "wrong")):
            answer = sign_in(name, password)
            assert answer.status_code == 502 and "Corporate directory does not answer." in answer.content.decode()
        assert is_in(sign_in("local", "long enough 1"))
        for _try in range(4):
            sign_in("local", "wrong")
        assert sign_in("local", "wrong").status_code == 429, "or a password could be guessed meanwhile"
    finally:
        tree.server.start()
        tree.forget()
    cache.clear()
    assert is_in(sign_in("ann")) and health().kind == "ok"


def test_a_second_server_is_asked_where_the_first_is_down(tree, use):
    tree.person("ann")
    use(servers=("ldaps://127.0.0.1:1", tree.server.tls_url))
    assert is_in(sign_in("ann"))


_AGREES = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
_REFUSES = _AGREES.replace(b"\x0a\x01\x00", b"\x0a\x01\x02")


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ("ldaps", b""),
        ("ldap", b""),
        ("ldap", _AGREES),  # and then no TLS
        ("ldap", _AGREES[:5]),
        ("ldap", _REFUSES),
        ("ldap", _AGREES + b"more"),  # what anybody on the way could have put there
        ("ldap", b"HTTP/1.1 400 Bad Request\r\n"),
        ("ldap", b"\x30\x84\x7f\xff\xff\xff"),
        ("ldaps", b"SSH-2.0-x\r\n"),
    ],
)
def test_a_server_that_says_nothing_or_something_else_is_given_up(use, scheme, words):
    """The library itself would wait for the first, and the third, without end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = use(servers=(f"{scheme}://127.0.0.1:{server.getsockname()[1]}",), connect_s=1, answer_s=1)
        taken = []

        def say():
            link, _address = server.accept()
            taken.append(link)
            link.recv(100)
            link.sendall(words)

        threading.Thread(target=say, daemon=True).start()
        with pytest.raises(NoAnswer) as caught, connected(there):
            pass
        assert ("refuses StartTLS" in str(caught.value)) == (words in (_REFUSES, _AGREES + b"more"))
        for link in taken:
            link.close()


_BOUND = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"


@pytest.mark.parametrize("words", [b"", b"\x30\x84\x7f\x00\x00\x00" + b"x" * 2**20, b"\x30\x03\x02\x01\x02"])
def test_a_server_that_lets_one_in_and_then_says_nothing_or_too_much_is_given_up(use, words):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        there = use(servers=(address,), start_tls=False, connect_s=1, answer_s=1)
        given = []

        def say():
            link, _address = server.accept()
            with link:
                link.recv(1000)
                link.sendall(_BOUND)
                link.recv(1000)
                with suppress(OSError):
                    while words:
                        link.sendall(words)
                        given.append(len(words))
                    link.recv(1000)

        saying = threading.Thread(target=say, daemon=True)
        saying.start()
        with pytest.raises(NoAnswer), connected(there) as link:
            find_by_name(link, there, "ann")
        saying.join(60)
        assert not saying.is_alive() and sum(given) < 4 * MOST_BYTES


def test_a_directory_in_which_nobody_can_be_seen_any_more_is_not_believed(tree, use):
    """It hides what the service may not read, and says that there is nothing."""
    for number in range(4):
        tree.person(f"p{number}")
        sign_in(f"p{number}")
    blind = f"cn=blind,{SUFFIX}"
    tree.add(blind, objectClass="organizationalRole", cn="blind")
    tree.link.modify_s(
        blind, [(ldap.MOD_ADD, "objectClass", b"simpleSecurityObject"), (ldap.MOD_ADD, "userPassword", b"b")]
    )
    use(bind_dn=blind, bind_password="b")
    with pytest.raises(NoAnswer):
        check()
    use(filter="(&(uid=%(user)s)(employeeType=none))")
    with pytest.raises(Doubtful):
        check()
    assert User.objects.filter(is_active=True).count() == 4
    assert (health().kind, health().word) == ("warn", "doubtful")
    with pytest.raises(CommandError, match="--sure"):
        call_command("check_directory")
    out = StringIO()
    call_command("check_directory", "--sure", stdout=out)
    assert "4 accounts were compared, 4 were put out." in out.getvalue()
    assert not User.objects.filter(is_active=True).exists() and health().kind == "ok"


def test_many_are_asked_about_page_by_page(tree, use):
    use()
    entries = [tree.person(f"p{number}") for number in range(230)]
    rows = tree.link.search_s(PEOPLE, ldap.SCOPE_ONELEVEL, attrlist=["entryUUID", "uid"])
    from people.directory.accounts import connect
    from people.directory.asking import Found

    for dn, values in rows:
        found = Found(dn, {"uid": values["uid"]}, values["entryUUID"][0].hex())
        connect(use(), make_user(values["uid"][0].decode()), found)
    assert (check().asked, len(rows)) == (230, 230)
    for entry in entries[:40]:
        tree.link.delete_s(entry)
    seen = check()
    assert (seen.asked, seen.put_out) == (230, 40)
    assert User.objects.filter(is_active=True).count() == 190
    assert check().put_out == 0


def test_without_a_directory_there_is_nothing_to_check(settings):
    settings.GWM_DIRECTORY = None
    assert check() is None and health() is None
    with pytest.raises(CommandError, match="GWM_LDAP_FILE"):
        call_command("check_directory")
    assert GROUPS
