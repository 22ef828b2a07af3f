"""Signing in with OpenID Connect, with a real provider. One that lies: see test_openid_lies.py."""

from urllib.parse import urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from objectlog.models import Event, Via
from operations.contract import Actor, Ask, Invalid
from operations.pipeline import run
from people.factors import add_app, make_codes
from people.operations.providers import Disconnect, ProviderParams
from permissions.models import ClaimedMembership, User
from permissions.services import add_member, grant, make_team, remove_member
from tests.factories import make_admin, make_user
from tests.people.openid import (
    SECRET,
    asked_at,
    describe,
    running_provider,
    said,
    say_who,
    sign_in,
    tell,
    where_to,
    who_is,
)

pytestmark = [pytest.mark.django_db, pytest.mark.beside, pytest.mark.feature("G028")]
PASSWORD = "long enough 1"


@pytest.fixture(scope="module")
def issuer():
    with running_provider() as there:
        yield there


@pytest.fixture(autouse=True)
def nothing_counted():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def corp(issuer, settings):
    """Makes the provider the only one, with what a test says of it."""

    def use(**more):
        settings.GWM_OPENID_PROVIDERS = (describe(issuer, **more),)
        return issuer

    return use


@pytest.fixture
def alice():
    user = make_user("alice")
    user.set_password(PASSWORD)
    user.save()
    return user


def connect(client, alice, subject):
    client.post("/login/", {"login": alice.username, "password": PASSWORD})
    return client.get(say_who(where_to(client.post("/account/sign-in/corp/connect/")), subject))


def test_the_first_sign_in_makes_an_account_where_it_may_and_the_next_finds_it(corp, caplog):
    there = corp(adds_accounts=True)
    tell(there, "s-1", preferred_username="ann", given_name="Ann", email="ann@example.org", email_verified=True)
    client = Client()
    assert "Sign in with Corporate sign-in" in client.get("/login/?next=/clusters/").content.decode()
    answer = sign_in(client, "s-1", next="/clusters/?q=a")
    assert (answer.status_code, answer["Location"]) == (302, "/clusters/?q=a")
    ann = User.objects.get(username="ann")
    assert (who_is(client), ann.email, ann.first_name) == ("ann", "ann@example.org", "Ann")
    assert not ann.has_usable_password() and not ann.is_superuser and not ann.groups.exists()
    assert client.session.get_expiry_age() > 86400, "as long as any other"
    tell(there, "s-1", preferred_username="root", email="ann@example.org")
    again = Client()
    sign_in(again, "s-1")
    assert who_is(again) == "ann", "known by the subject, whatever the name has become"
    assert [verb for verb, _outcome, _said in said()] == ["person.add", "person.sign-in", "person.sign-in"]
    assert "By Corporate sign-in." in said()[-1][2]
    assert SECRET not in caplog.text + str(said()) + str(list(SocialAccount.objects.values()))
    assert not SocialToken.objects.exists()


def test_what_is_sent_to_the_provider(corp):
    there = corp()
    url = urlsplit(where_to(Client().post("/login/with/corp/", {"scope": "x", "auth_params": "prompt=none"})))
    asked = asked_at(url.geturl())
    assert f"{url.scheme}://{url.netloc}" == there
    assert asked["redirect_uri"] == "http://testserver/login/with/corp/back/"
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 16 and len(asked["nonce"]) == 32
    assert set(asked["scope"].split()) == {"openid", "profile", "email"} and "prompt" not in asked


def test_people_come_back_to_the_configured_host_whatever_a_request_names(corp, settings):
    corp()
    settings.GWM_PUBLIC_URL = "https://gwm.example.org"
    settings.ALLOWED_HOSTS = ["gwm.example.org", "elsewhere.example"]
    page = Client().post("/login/with/corp/", headers={"Host": "elsewhere.example"})
    assert asked_at(where_to(page))["redirect_uri"] == "https://gwm.example.org/login/with/corp/back/"


@pytest.mark.parametrize("other", ["bob", ""])
def test_a_provider_is_connected_to_the_account_of_who_began_it_alone(corp, alice, other):
    """Whoever's the session has become meanwhile, or nobody's."""
    corp()
    client = Client()
    client.post("/login/", {"login": alice.username, "password": PASSWORD})
    there = where_to(client.post("/account/sign-in/corp/connect/"))
    session = client.session
    if other:
        bob = make_user(other)
        session.update({"_auth_user_id": str(bob.pk), "_auth_user_hash": bob.get_session_auth_hash()})
    else:
        del session["_auth_user_id"]
    session.save()
    assert who_is(client) == (other or None)
    answer = client.get(say_who(there, "s-3"))
    assert answer.status_code == 403 and "You were signed out meanwhile." in answer.content.decode()
    assert not SocialAccount.objects.exists()


def test_nobody_gets_an_account_by_signing_in_unless_it_is_set(corp):
    tell(corp(), "s-2", preferred_username="bea")
    client = Client()
    answer = sign_in(client, "s-2")
    assert answer.status_code == 403
    assert "No account here is connected to the one that you have at Corporate sign-in." in answer.content.decode()
    assert who_is(client) is None and not User.objects.filter(username="bea").exists()
    assert said()[-1][:2] == ("person.sign-in", "failed")


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "alice"},
        {"preferred_username": "ALICE"},
        {"preferred_username": "other", "email": "alice@example.org", "email_verified": True},
        {"preferred_username": "other", "email": "alice@example.org"},
        {"preferred_username": "alice@example.org"},
        {"email": "alice@example.org", "email_verified": True},
        {"preferred_username": "\u0430lice"},
        {"preferred_username": "a1ice"},
        {"preferred_username": ".."},
        {"preferred_username": "a b"},
        {"preferred_username": ["alice"]},
    ],
)
def test_neither_a_name_nor_an_address_takes_an_account_over(corp, alice, claims):
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    there = corp(adds_accounts=True)
    tell(there, "mallory", **claims)
    client = Client()
    sign_in(client, "mallory")
    assert who_is(client) in {None, "other", "alice@example.org"}
    assert User.objects.filter(email="alice@example.org").count() == 1, "an address that somebody has is theirs alone"


def test_a_subject_is_whole_and_exact_and_belongs_to_its_issuer(corp, alice, settings):
    there = corp()
    client = Client()
    assert connect(client, alice, "Alice@example.org")["Location"] == "/account/sign-in/"
    for subject in ("alice@example.org", "Alice@example.org ", "Alice", "Alice@example.org@evil.example"):
        other = Client()
        sign_in(other, subject)
        assert who_is(other) is None, subject
    mine = Client()
    sign_in(mine, "Alice@example.org")
    assert who_is(mine) == "alice"
    with running_provider() as elsewhere:
        assert elsewhere != there
        settings.GWM_OPENID_PROVIDERS = (describe(elsewhere),)
        stranger = Client()
        sign_in(stranger, "Alice@example.org")
        assert who_is(stranger) is None, "the same key in the file, another issuer"


def test_a_deactivated_person_is_refused(corp, alice):
    corp()
    connect(Client(), alice, "a")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client = Client()
    answer = sign_in(client, "a")
    assert answer.status_code == 403 and "Your account here is deactivated." in answer.content.decode()
    assert who_is(client) is None
    assert said()[-1][:2] == ("person.sign-in", "failed")


def test_who_has_a_second_factor_is_asked_for_it_after_the_provider_too(corp, alice):
    corp()
    connect(Client(), alice, "a")
    add_app(alice, "A" * 32, 0)
    codes = make_codes(alice)
    client = Client()
    assert sign_in(client, "a", next="/vms/")["Location"] == "/login/code/"
    assert who_is(client) is None
    assert client.post("/login/code/", {"code": codes[0]})["Location"] == "/vms/"
    assert who_is(client) == "alice"


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:x"])
def test_next_leads_nowhere_else(corp, alice, elsewhere):
    corp()
    connect(Client(), alice, "a")
    assert sign_in(Client(), "a", next=elsewhere)["Location"] == "/"


def test_teams_follow_the_groups_and_hands_are_left_alone(corp, alice):
    by_hand, ops, web = make_team("by-hand", [alice]), make_team("ops"), make_team("web")
    there = corp(teams={"/ops": ("ops", "no-such-team"), "/web": ("web",), "/h": ("by-hand",)})
    tell(there, "a", groups=["/ops", "/h", "/web", "/other", 7])
    connect(Client(), alice, "a")
    assert set(alice.groups.values_list("name", flat=True)) == {"by-hand", "ops", "web"}
    grant(["admin"], alice, web)
    tell(there, "a", groups="/ops")
    sign_in(Client(), "a")
    assert set(alice.groups.values_list("name", flat=True)) == {"by-hand", "ops"}
    assert not web.user_grants.filter(user=alice).exists(), "as when somebody is taken out by hand"
    add_member(ops, alice)  # by hand from now on
    tell(there, "a")
    sign_in(Client(), "a")
    assert set(alice.groups.values_list("name", flat=True)) == {"by-hand", "ops"}
    remove_member(by_hand, alice)
    told = [text for verb, _outcome, text in said() if verb.startswith("team.")]
    assert [line.partition("\n")[0] for line in told] == [
        "Added alice to @ops",
        "Added alice to @web",
        "Removed alice from @web",
    ]
    assert "Corporate sign-in" in told[0]


def test_connecting_takes_the_password_and_disconnecting_leaves_a_way_in(corp, alice):
    there = corp(adds_accounts=True, teams={"ops": ("ops",)})
    make_team("ops")
    found_open = Client()
    found_open.force_login(alice)
    for what in ("connect", "disconnect"):
        answer = found_open.post(f"/account/sign-in/corp/{what}/")
        assert answer["Location"] == "/account/again/?next=%2Faccount%2Fsign-in%2F"
    client = Client()
    tell(there, "a", groups=["ops"], preferred_username="al")
    connect(client, alice, "a")
    page = client.get("/account/sign-in/").content.decode()
    assert "Disconnect" in page and ">al<" in page.replace("\n", "")
    assert client.post("/account/sign-in/corp/disconnect/")["Location"] == "/account/sign-in/"
    assert client.get("/account/sign-in/").status_code == 200, "one's own session goes on"
    assert not SocialAccount.objects.exists() and not alice.groups.exists() and not ClaimedMembership.objects.exists()
    assert {"person.connect", "person.disconnect"} <= {verb for verb, *_rest in said()}
    tell(there, "n", preferred_username="nora")
    nora = Client()
    sign_in(nora, "n")
    assert "It is your only way to sign in." in nora.get("/account/sign-in/").content.decode()
    assert nora.post("/account/sign-in/corp/disconnect/")["Location"].startswith("/account/again/")
    assert SocialAccount.objects.filter(user__username="nora").exists()


def test_an_administrator_disconnects_somebody_whom_their_provider_account_was_taken_from(corp, alice, settings):
    """Sessions end and teams go; who has no other way in stays, else nobody might be left; nobody else may."""
    there = corp(adds_accounts=True, teams={"ops": ("ops",)})
    root, bob, url = Client(), Client(), "/person/alice/do/disconnect/"
    root.force_login(make_admin("root"))
    bob.force_login(make_user("bob"))
    grant(["admin"], User.objects.get(username="bob"), make_team("ops"))
    assert root.get(url).status_code == 200 and "connected to no provider" in root.get(url).content.decode()
    tell(there, "a", groups=["ops"], preferred_username="al")
    client = Client()
    connect(client, alice, "a")
    assert ">al<" in root.get(url).content.decode()
    assert "Corporate sign-in" in root.get("/person/alice/").content.decode()
    for data in ({"provider": "other"}, {}):
        assert root.post(url, data).status_code == 422
    assert bob.post(url, {"provider": "corp"}).status_code == 404
    assert SocialAccount.objects.exists()
    assert root.post(url, {"provider": "corp"}).status_code == 302
    assert not SocialAccount.objects.exists() and not alice.groups.exists() and not ClaimedMembership.objects.exists()
    assert client.get("/")["Location"].startswith("/login/")
    told = [(event.verb, event.actor_name, event.said) for event in Event.objects.order_by("pk")][-2:]
    assert {(verb, who) for verb, who, _said in told} == {("team.remove-member", "root"), ("person.disconnect", "root")}
    assert any("Corporate sign-in" in words for verb, _who, words in told if verb == "person.disconnect")
    tell(there, "n", preferred_username="nora")
    nora = Client()
    sign_in(nora, "n")
    answer = root.post("/person/nora/do/disconnect/", {"provider": "corp"})
    assert answer.status_code == 409 and "It is their only way to sign in." in answer.content.decode()
    assert SocialAccount.objects.filter(user__username="nora").exists() and nora.get("/").status_code == 200
    other = describe("https://other.example", key="other")
    settings.GWM_OPENID_PROVIDERS += (other,)
    asked = Ask(
        Actor(User.objects.get(username="root"), Via.CLI), User.objects.get(username="nora"), ProviderParams(other)
    )
    with pytest.raises(Invalid, match="connected to no provider"):
        run(Disconnect(), asked)
    SocialAccount.objects.create(user=User.objects.get(username="nora"), provider="other", uid="n")
    assert root.post("/person/nora/do/disconnect/", {"provider": "corp"}).status_code == 302, "she has another way"
    assert [row.provider for row in SocialAccount.objects.filter(user__username="nora")] == ["other"]


def test_what_belongs_to_somebody_else_is_not_connected(corp, alice):
    corp(adds_accounts=True)
    bob = make_user("bob")
    bob.set_password(PASSWORD)
    bob.save()
    connect(Client(), alice, "a")
    client = Client()
    answer = connect(client, bob, "a")
    assert answer.status_code == 403 and "belongs to another account here" in answer.content.decode()
    assert SocialAccount.objects.get().user == alice and who_is(client) == "bob"


def test_an_attempt_counts_once_and_in_the_browser_that_began_it(corp, alice):
    corp()
    connect(Client(), alice, "a")
    victim, attacker = Client(), Client()
    back = say_who(where_to(attacker.post("/login/with/corp/")), "a")
    answer = victim.get(back)
    assert answer.status_code == 400 and "was begun in another browser" in answer.content.decode()
    assert who_is(victim) is None
    assert attacker.get(back).status_code == 302
    attacker.post("/logout/")
    assert attacker.get(back).status_code == 400, "used up"
    cancelled = Client()
    state = asked_at(where_to(cancelled.post("/login/with/corp/")))["state"]
    answer = cancelled.get("/login/with/corp/back/", {"state": state, "error": "access_denied"})
    assert answer.status_code == 403 and "was cancelled" in answer.content.decode()
    assert [outcome for _verb, outcome, _said in said()].count("failed") == 3


def test_nothing_is_begun_by_a_link_and_nobody_floods_it(corp, client):
    corp()
    assert client.get("/login/with/corp/").status_code == 405
    assert client.get("/login/with/nobody/back/").status_code == 404
    assert not Session.objects.exists()
    codes = [client.get("/login/with/corp/back/?state=x").status_code for _ in range(31)]
    assert (codes[0], codes[-1]) == (400, 429)
    assert Event.objects.count() == 30
