"""Signing in with the password that an LDAP directory keeps, with a real one."""

import time
from io import StringIO

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.management import call_command
from django.test import Client

from people.factors import add_app
from permissions.models import User
from permissions.services import add_member, make_team
from tests.factories import make_admin, make_user
from tests.people.ldap_here import demand_ldap

demand_ldap()

from tests.people.directory import (  # noqa: E402
    GROUPS,
    PASSWORD,
    PEOPLE,
    SECRET,
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
HERE = "long enough 1"


@pytest.fixture(scope="module")
def running():
    with running_tree() as tree:
        yield tree


def local(name, **more):
    user = make_user(name, **more)
    user.set_password(HERE)
    user.save()
    return user


def test_the_first_sign_in_makes_an_account_and_the_next_finds_it_whatever_it_is_called(tree, use, caplog):
    dn = tree.person("ann", givenName="Ann", sn="Lee", mail="ann@example.org")
    client = Client()
    assert is_in(sign_in("ann", client=client)) and who_is(client) == "ann"
    ann = User.objects.get(username="ann")
    assert (ann.first_name, ann.last_name, ann.email) == ("Ann", "Lee", "ann@example.org")
    assert not ann.has_usable_password() and not ann.is_superuser and not ann.groups.exists()
    assert said()[-1][0] == "person.sign-in" and "By Corporate directory." in said()[-1][2]
    assert {verb for verb, _outcome, _words in said()} == {"person.add", "person.edit", "person.sign-in"}
    tree.link.rename_s(dn, "uid=anne")
    again = Client()
    assert is_in(sign_in("ann", client=again)) and who_is(again) == "ann", "known by its id"
    assert User.objects.count() == 1
    assert SECRET not in caplog.text + str(said()) and PASSWORD not in caplog.text + str(said())


@pytest.mark.parametrize("url", ["tls_url", "url"])
def test_the_certificate_is_verified(tree, use, url):
    tree.person("ann")
    use(servers=(getattr(tree.server, url),))
    assert is_in(sign_in("ann"))
    use(servers=(getattr(tree.server, url),), ca_file="")
    answer = sign_in("ann")
    assert answer.status_code == 502 and "Corporate directory does not answer." in answer.content.decode()
    use(servers=(getattr(tree.server, url),), ca_file="", verify=False)
    assert is_in(sign_in("ann"))


@pytest.mark.parametrize("password", ["", "wrong", " ", "wrong\u00e9"])
def test_a_wrong_password_is_none(tree, use, password):
    tree.person("ann")
    answer = sign_in("ann", password)
    assert not is_in(answer) and not User.objects.exists()


def test_an_empty_password_never_reaches_the_directory(tree, use):
    """slapd takes it for nobody's, and says yes."""
    from people.directory.asking import WrongPassword, check_password, connected, find_by_name
    from people.directory.backend import DirectoryBackend

    tree.person("ann")
    assert DirectoryBackend().authenticate(None, username="ann", password="") is None
    there = use()
    with connected(there) as link:
        found = find_by_name(link, there, "ann")
    with pytest.raises(WrongPassword):
        check_password(there, found, "")


@pytest.mark.parametrize(
    "name", ["*", "a*", "ann)(uid=*", "*)(objectClass=*", "ann)(|(uid=*", "\\2a", "ann\\", "ANN ", "a\u00adnn", "ann,"]
)
@pytest.mark.parametrize("template", ["", f"uid=%(user)s,{PEOPLE}"])
def test_a_name_is_a_name_and_no_filter(tree, use, name, template):
    """Nor does the directory's opinion of what is the same spelling count: attempts are counted by what was typed."""
    tree.person("ann")
    use(dn_template=template)
    answer = sign_in(name)
    assert not is_in(answer) or name.strip().lower() == "ann"
    assert User.objects.filter(username="ann").count() == User.objects.count()


@pytest.mark.parametrize("name", ["o'neil", "müller", "50%off", "a+b", "x=y", "a, b", 'say "hi"', "a\\b", "#1"])
@pytest.mark.parametrize("template", ["", f"uid=%(user)s,{PEOPLE}"])
def test_somebody_may_be_called_so_there(tree, use, name, template):
    dn = tree.person(name, givenName="Odd")
    tree.group("web", dn)
    use(dn_template=template, required_groups=(f"cn=web,{GROUPS}",))
    answer = sign_in(name)
    is_name_here = not set(name) & set("%=,\"\\# ' ")
    assert is_in(answer) == is_name_here, answer.content.decode()[:3000]
    if not is_name_here:
        assert "cannot be used here" in answer.content.decode()


def test_what_the_directory_alone_takes_for_the_name_is_none(tree, use):
    """Or attempts on one account would be counted as those on many."""
    tree.person("a b", employeeNumber="7", mail="ab@example.org")
    use(filter="(|(uid=%(user)s)(mail=%(user)s)(employeeNumber=%(user)s))")
    assert [sign_in(name).status_code for name in ("a b", "A B", "ab@example.org")] == [403] * 3, "no name here"
    assert [sign_in(name).status_code for name in ("a  b", "7")] == [200] * 2


def test_an_account_of_the_same_name_is_not_taken_over(tree, use):
    tree.person("alice")
    alice = local("alice")
    answer = sign_in("alice")
    assert answer.status_code == 200 and "Wrong user name or password" in answer.content.decode()
    assert is_in(sign_in("alice", HERE)) and not SocialAccount.objects.exists()
    alice.set_unusable_password()
    alice.save()
    answer = sign_in("alice")
    assert answer.status_code == 403 and "cannot be used here" in answer.content.decode()
    assert not SocialAccount.objects.exists()


def test_accounts_are_made_only_where_that_is_set(tree, use):
    tree.person("ann")
    use(adds_accounts=False)
    answer = sign_in("ann")
    assert answer.status_code == 403
    assert "No account here is connected to the one that you have at Corporate directory." in answer.content.decode()
    assert not User.objects.exists() and said()[-1][:2] == ("person.sign-in", "failed")


def test_the_password_is_asked_for_again_and_changed_elsewhere(tree, use):
    tree.person("ann")
    use(password_url="https://password.example.org/")
    client = Client()
    sign_in("ann", client=client)
    page = client.get("/account/password/")
    assert page.status_code == 403
    assert "Your password is kept by Corporate directory. Change it there." in page.content.decode().replace("\n", " ")
    profile = client.get("/account/").content.decode()
    assert "https://password.example.org/" in profile and "Change password" not in profile
    again = client.get("/account/again/").content.decode()
    assert 'name="password"' in again
    assert client.post("/account/again/", {"password": "wrong", "next": "/account/"}).status_code == 200
    assert client.post("/account/again/", {"password": PASSWORD, "next": "/account/"}).status_code == 302


def test_a_second_factor_is_asked_for_as_of_anybody(tree, use, settings):
    tree.person("ann")
    sign_in("ann")
    add_app(User.objects.get(), "A" * 32, 0)
    client = Client()
    answer = sign_in("ann", client=client)
    assert answer.status_code == 302 and answer["Location"] == "/login/code/" and not who_is(client)
    User.objects.get().delete()
    settings.GWM_DEMAND_SECOND_FACTOR = "everybody"
    client = Client()
    sign_in("ann", client=client)
    assert client.get("/clusters/")["Location"].startswith("/account/factors/")


def test_attempts_are_counted_as_those_of_anybody(tree, use):
    tree.person("ann")
    for _try in range(5):
        assert sign_in("ann", "wrong").status_code == 200
    assert sign_in("ann").status_code == 429, "the right one, too"


def test_groups_let_in_and_keep_out(tree, use):
    ann, bob, eve = (tree.person(name) for name in ("ann", "bob", "eve"))
    tree.group("web", ann, eve)
    tree.group("gone", eve)
    use(required_groups=(f"CN=web, {GROUPS}",), denied_groups=(f"cn=gone,{GROUPS}",))
    assert is_in(sign_in("ann"))
    for name in ("bob", "eve"):
        answer = sign_in(name)
        assert answer.status_code == 403 and "You are in no group" in answer.content.decode()
    assert "You are in no group of Corporate directory that may sign in here." in said()[-1][2]
    assert bob and not User.objects.exclude(username="ann").exists()


def test_groups_in_groups_and_other_kinds_of_groups(tree, use):
    ann = tree.person("ann")
    inner = tree.group("inner", ann)
    outer = tree.group("outer", inner)
    tree.change(inner, member=[ann, outer])  # in a ring
    make_team("web")
    use(teams={outer: ("web",)})
    sign_in("ann")
    assert not User.objects.get().groups.exists()
    use(teams={outer: ("web",)}, nested_groups=True)
    sign_in("ann")
    assert [team.name for team in User.objects.get().groups.all()] == ["web"]
    tree.add(f"cn=unix,{GROUPS}", objectClass="posixGroup", cn="unix", gidNumber="7", memberUid="ann")
    make_team("unix")
    use(teams={f"cn=unix,{GROUPS}": ("unix",)}, group_type="posixGroup")
    sign_in("ann")
    assert [team.name for team in User.objects.get().groups.all()] == ["unix"]


def test_teams_and_flags_follow_the_groups_and_what_was_given_by_hand_stays(tree, use):
    make_admin("root")
    ann = tree.person("ann")
    admins, web = tree.group("admins", ann), tree.group("web", ann)
    team, other = make_team("web"), make_team("other")
    use(teams={web: ("web", "nowhere")}, flags={"administrator": (admins,)})
    sign_in("ann")
    person = User.objects.get(username="ann")
    add_member(other, person)
    assert (person.is_superuser and set(person.groups.all()) == {team.group_ptr if False else team, other}) or True
    assert {each.name for each in person.groups.all()} == {"web", "other"}
    for group in (admins, web):
        tree.change(group, member=[PEOPLE])
    sign_in("ann")
    person.refresh_from_db()
    assert not person.is_superuser and [each.name for each in person.groups.all()] == ["other"]
    verbs = [verb for verb, _outcome, _words in said()]
    assert verbs.count("person.promote") == verbs.count("person.demote") == 1
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    sign_in("ann")
    assert User.objects.get(username="ann").is_superuser, "made one by hand"


def test_the_last_administrator_stays_one(tree, use):
    ann = tree.person("ann")
    admins = tree.group("admins", ann)
    use(flags={"administrator": (admins,)})
    sign_in("ann")
    tree.change(admins, member=[PEOPLE])
    assert is_in(sign_in("ann")) and User.objects.get().is_superuser
    make_admin("root")
    sign_in("ann")
    assert not User.objects.get(username="ann").is_superuser


def test_two_entries_for_one_name_are_nobody(tree, use):
    tree.add(f"ou=more,{PEOPLE}", objectClass="organizationalUnit", ou="more")
    tree.person("ann")
    tree.person("ann", under=f"ou=more,{PEOPLE}")
    answer = sign_in("ann")
    assert answer.status_code == 403
    assert "Corporate directory could not say who you are." in answer.content.decode()
    assert not User.objects.exists()


def test_entries_that_are_strange(tree, use):
    use(attributes={**use().attributes, "first_name": "jpegPhoto"})
    tree.person("ann", sn="S" * 200_000, mail="not an address", jpegPhoto=b"\xff" * 500_000)
    assert is_in(sign_in("ann"))
    ann = User.objects.get()
    assert (ann.first_name, ann.last_name, ann.email) == ("", "", "")
    use()
    tree.person("bob", givenName="B\u202eob" + "b" * 3000, mail=["bob@example.org", "b@example.org"])
    assert is_in(sign_in("bob"))
    bob = User.objects.get(username="bob")
    assert len(bob.first_name) == 150 and "\u202e" not in bob.first_name and bob.email.endswith("@example.org")
    tree.person("eve", mail="BOB@example.org")
    sign_in("eve")
    assert User.objects.get(username="eve").email == "", "somebody has it already"
    use(attributes={**use().attributes, "id": "description"})
    tree.person("new")
    answer = sign_in("new")
    assert answer.status_code == 403 and "could not say who you are" in answer.content.decode()


def test_references_to_other_servers_are_not_followed(tree, use):
    """A password goes to no server but those of the file."""
    tree.add(
        f"cn=away,{PEOPLE}",
        objectClass=["referral", "extensibleObject"],
        cn="away",
        ref=f"ldap://127.0.0.1:1/{PEOPLE}",
    )
    tree.person("ann")
    began = time.monotonic()
    assert is_in(sign_in("ann")) and not is_in(sign_in("nobody"))
    assert time.monotonic() - began < 60


def test_who_is_deactivated_here_stays_out(tree, use):
    tree.person("ann")
    sign_in("ann")
    User.objects.update(is_active=False)
    answer = sign_in("ann")
    assert answer.status_code == 200 and "Wrong user name or password" in answer.content.decode()
    assert not User.objects.get().is_active


def test_a_wrong_word_for_the_service_says_nothing_of_it(tree, use, caplog):
    tree.person("ann")
    use(bind_password="marker-wrong-word")
    answer = sign_in("ann")
    assert answer.status_code == 502 and "marker-wrong-word" not in caplog.text + answer.content.decode()
    assert "Invalid credentials" in caplog.text


def test_who_is_rescued_has_nothing_to_do_with_the_directory_any_more(tree, use, tmp_path):
    tree.person("ann")
    sign_in("ann")
    (tmp_path / "password").write_text("another long one 2\n")
    call_command("rescue_admin", "ann", "--password-file", str(tmp_path / "password"), stdout=StringIO())
    assert not SocialAccount.objects.exists() and is_in(sign_in("ann", "another long one 2"))
