"""Connecting one's account with the entry that one has in the directory, and disconnecting them."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from objectlog.models import Event, Via
from operations.contract import Actor, Ask, NoParams, Refusal
from operations.pipeline import run
from people.directory import accounts
from people.directory.described import KEY
from people.mailing import link_for_password
from people.operations.accounts import PasswordParams, SetPassword
from people.operations.mailed import Invite
from people.operations.providers import Disconnect, ProviderParams
from people.ways import find_way
from permissions.models import User
from permissions.services import make_team
from tests.factories import make_admin, make_user
from tests.people.ldap_here import demand_ldap

demand_ldap()

from tests.people.directory import PASSWORD, is_in, running_tree, said, sign_in, tree, use  # noqa: E402

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
    with running_tree() as running:
        yield running


def local(name, **more):
    user = make_user(name, **more)
    user.set_password(HERE)
    user.save()
    return user


def test_an_account_is_connected_by_who_has_both_passwords(tree, use, settings):
    tree.person("alice.lee")
    alice = local("alice")
    client, other = Client(), Client()
    sign_in("alice", HERE, other)
    sign_in("alice", HERE, client)
    page = client.get("/account/sign-in/directory/")
    assert page.status_code == 200 and "Corporate directory" in page.content.decode()
    wrong = client.post("/account/sign-in/directory/", {"username": "alice.lee", "password": "wrong"})
    assert wrong.status_code == 422 and not SocialAccount.objects.exists()
    answer = client.post("/account/sign-in/directory/", {"username": "alice.lee", "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    alice.refresh_from_db()
    assert not alice.has_usable_password() and client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302, "the other session ended with the password that was here"
    assert "alice.lee" in client.get("/account/sign-in/").content.decode()
    assert not is_in(sign_in("alice", HERE))
    assert is_in(sign_in("alice")), "with the name that they have here"
    assert [verb for verb, _outcome, _words in said()].count("person.connect") == 1
    # and nobody else takes the entry
    bob = Client()
    local("bob")
    sign_in("bob", HERE, bob)
    answer = bob.post("/account/sign-in/directory/", {"username": "alice.lee", "password": PASSWORD})
    assert answer.status_code == 403 and "belongs to another account" in answer.content.decode()


def test_of_two_who_connect_one_entry_at_the_same_moment_the_second_is_told(tree, use, monkeypatch):
    tree.person("alice.lee")
    clients = {name: Client() for name in ("alice", "bob")}
    for name, client in clients.items():
        local(name)
        sign_in(name, HERE, client)
    entry = {"username": "alice.lee", "password": PASSWORD}
    assert clients["alice"].post("/account/sign-in/directory/", entry).status_code == 302
    monkeypatch.setattr(accounts, "find_link", lambda found: None)  # as the second had looked before
    answer = clients["bob"].post("/account/sign-in/directory/", entry)
    assert answer.status_code == 403 and "belongs to another account" in answer.content.decode()
    monkeypatch.undo()
    assert (
        User.objects.get(username="bob").has_usable_password() and SocialAccount.objects.get().user.username == "alice"
    )


def test_no_password_is_set_here_beside_the_one_there(tree, use, settings):
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://127.0.0.1", "https://gwm.example.org"
    root = make_admin("root")
    ann = local("ann")
    ann.email = "ann@example.org"
    ann.save()
    old = link_for_password(ann).removeprefix("https://gwm.example.org")
    tree.person("ann.lee", mail="ann@example.org")
    client = Client()
    sign_in("ann", HERE, client)
    client.post("/account/sign-in/directory/", {"username": "ann.lee", "password": PASSWORD})
    ann.refresh_from_db()
    new = link_for_password(ann).removeprefix("https://gwm.example.org")
    assert [Client().get(link, follow=True).status_code for link in (old, new)] == [404, 404]
    by = Actor(root, Via.WEB)
    for operation, params in ((SetPassword(), PasswordParams("another long one 2")), (Invite(), NoParams())):
        with pytest.raises(Refusal, match="is kept by Corporate directory"):
            run(operation, Ask(by, ann, params))
    run(Disconnect(), Ask(by, ann, ProviderParams(find_way(KEY))))
    assert not SocialAccount.objects.exists() and client.get("/account/").status_code == 302
    run(SetPassword(), Ask(by, User.objects.get(pk=ann.pk), PasswordParams("another long one 2")))
    assert is_in(sign_in("ann", "another long one 2")) and not is_in(sign_in("ann"))


def test_what_the_directory_gave_goes_when_the_two_are_disconnected(tree, use):
    root, entry = make_admin("root"), tree.person("ann")
    group = tree.group("all", entry)
    make_team("web")
    use(flags={"administrator": (group,)}, teams={group: ("web",)})
    sign_in("ann")
    ann = User.objects.get(username="ann")
    assert ann.is_superuser and ann.groups.exists()
    run(Disconnect(), Ask(Actor(root, Via.WEB), ann, ProviderParams(find_way(KEY))))
    ann = User.objects.get(username="ann")
    assert not ann.is_superuser and not ann.groups.exists()
    assert {event.actor_name for event in Event.objects.filter(verb="person.demote")} == {"root"}


def test_the_last_way_in_of_the_last_administrator_stays(tree, use):
    entry = tree.person("ann")
    use(flags={"administrator": (tree.group("all", entry),)})
    sign_in("ann")
    ann = User.objects.get()
    with pytest.raises(Refusal, match="only way"):
        run(Disconnect(), Ask(Actor(ann, Via.WEB), ann, ProviderParams(find_way(KEY))))
