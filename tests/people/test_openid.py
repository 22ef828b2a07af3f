"""Signing in with OpenID Connect: with a real provider, and with one that lies."""

import gzip
import logging
import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from objectlog.models import Event
from people.factors import add_app, make_codes
from people.openid import asking
from permissions.models import ClaimedMembership, User
from permissions.services import add_member, grant, make_team, remove_member
from simulator.certificate import make_certificate
from tests.factories import make_user
from tests.people.openid import (
    CLIENT,
    SECRET,
    describe,
    running_liar,
    running_provider,
    say_who,
    sign_in,
    tell,
    where_to,
)

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G028")]
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


def who_is(client):
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk).username if pk else None


def said():
    return [(event.verb, event.outcome, event.said) for event in Event.objects.order_by("number")]


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
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}" == there
    assert asked["redirect_uri"] == "http://testserver/login/with/corp/back/"
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 16 and len(asked["nonce"]) == 32
    assert set(asked["scope"].split()) == {"openid", "profile", "email"} and "prompt" not in asked


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
    assert client.post("/account/sign-in/corp/disconnect/", follow=True).status_code == 200
    assert not SocialAccount.objects.exists() and not alice.groups.exists() and not ClaimedMembership.objects.exists()
    assert {"person.connect", "person.disconnect"} <= {verb for verb, *_rest in said()}
    tell(there, "n", preferred_username="nora")
    nora = Client()
    sign_in(nora, "n")
    assert "It is your only way to sign in." in nora.get("/account/sign-in/").content.decode()
    assert nora.post("/account/sign-in/corp/disconnect/")["Location"].startswith("/account/again/")
    assert SocialAccount.objects.filter(user__username="nora").exists()


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
    state = parse_qs(urlsplit(where_to(cancelled.post("/login/with/corp/"))).query)["state"][0]
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


# A provider that lies


@pytest.fixture
def liar(settings):
    with running_liar() as (provider, there):
        settings.GWM_OPENID_PROVIDERS = (describe(there, adds_accounts=True, username_claim="sub"),)
        yield provider


def come_back(liar, client, **state):
    begun = client.post("/login/with/corp/")
    if begun.status_code != 200:
        return begun
    asked = {name: values[0] for name, values in parse_qs(urlsplit(where_to(begun)).query).items()}
    liar.nonce = state.get("nonce", asked["nonce"])
    return client.get("/login/with/corp/back/", {"state": asked["state"], "code": "c"})


def test_it_is_believed_while_it_says_the_truth(liar):
    client = Client()
    assert come_back(liar, client).status_code == 302
    assert who_is(client) == "1"
    (form,) = [form for path, form in liar.asked if path == "/token"]
    assert len(form["code_verifier"][0]) >= 43 and form["code"] == ["c"] and "client_secret" not in form


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LIES = {
    "another issuer in the token": {"claims": {"iss": "https://evil.example"}},
    "another issuer of itself": {"metadata": {"issuer": "https://evil.example"}},
    "for somebody else": {"claims": {"aud": "other"}},
    "for others, too": {"claims": {"aud": [CLIENT, "other"]}},
    "expired": {"claims": {"exp": 1_700_000_000}},
    "without an end": {"claims": {"exp": None}},
    "from the future": {"claims": {"iat": 4_000_000_000}},
    "without a subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "an endless subject": {"claims": {"sub": "x" * 256}},
    "no nonce": {"claims": {"nonce": None}},
    "another nonce": {"claims": {"nonce": "of another attempt"}},
    "not signed": {"algorithm": "none"},
    "signed with our secret": {"algorithm": "HS256", "signs_with": SECRET + "-" * 32},
    "signed by somebody else": {"signs_with": OTHER_KEY},
    "keys in the open": {"metadata": {"jwks_uri": "http://keys.example/"}},
    "tokens in the open": {"metadata": {"token_endpoint": "http://evil.example/"}},
    "a script as its page": {"metadata": {"authorization_endpoint": "javascript:alert(1)"}},
    "somebody else beside the token": {"userinfo": {"sub": "2"}},
    "a subject that no database takes": {"claims": {"sub": "1\0"}},
    "half a letter as its subject": {"claims": {"sub": "1\ud800"}},
    "half a letter as its nonce": {"claims": {"nonce": "\ud800"}},
    "a number as its nonce": {"claims": {"nonce": 1}},
    "keys that are numbers": {"keys": [1, 2]},
    "keys that are text": {"keys": "abc"},
    "a key of nonsense": {"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "n": 1, "e": []}]},
    "a key that is even": {"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "n": "BA", "e": "BA"}]},
    "a key of no curve": {"keys": [{"kty": "EC", "kid": "1", "crv": ["P-256"], "x": "AA", "y": "AA"}]},
    "a key of no algorithm": {"keys": [{"kty": "RSA", "kid": "1", "alg": ["RS256"], "n": "AQ", "e": "AQ"}]},
    "an end without end": {"claims": {"exp": float("inf")}},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_lets_nobody_in(liar, lie, caplog):
    for name, value in lie.items():
        setattr(liar, name, value)
    client = Client()
    with caplog.at_level(logging.WARNING):
        answer = come_back(liar, client)
    assert answer.status_code == 403
    assert "What Corporate sign-in says of you could not be verified." in answer.content.decode()
    assert who_is(client) is None and not User.objects.exists()
    assert said()[-1][:2] == ("person.sign-in", "failed")
    assert SECRET not in caplog.text and jwt.__name__ not in answer.content.decode()


@pytest.mark.parametrize("status", [302, 404, 500])
def test_one_that_does_not_answer_is_said_to_be_out_of_reach(liar, status):
    liar.status = status
    answer = come_back(liar, Client())
    assert answer.status_code == 502 and "Corporate sign-in does not answer." in answer.content.decode()
    assert said()[-1][:2] == ("person.sign-in", "failed")


NO_ANSWERS = {
    "nested": ({}, b"[" * 400_000),
    "cut short": ({"Content-Length": "1000"}, b"{}"),
    "not what it says": ({"Content-Encoding": "gzip"}, b"{}"),
    "endless": ({}, b'{"a": "' + b"x" * 600_000 + b'"}'),
    "zeros that swell": ({"Content-Encoding": "gzip"}, gzip.compress(b" " * 50_000_000)),
    "no text": ({}, b"\xff\xfe{"),
    "a list": ({}, b"[]"),
}


@pytest.mark.parametrize("raw", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_breaks_nothing(liar, raw):
    liar.raw = raw
    answer = come_back(liar, Client())
    assert answer.status_code == 502 and "Corporate sign-in does not answer." in answer.content.decode()


def test_what_nobody_can_keep_is_left_out(liar, settings):
    """A name may hold what no database takes; the account is made without."""
    settings.GWM_OPENID_PROVIDERS = (describe(settings.GWM_OPENID_PROVIDERS[0].issuer, adds_accounts=True),)
    liar.claims = {"preferred_username": "ann\0\ud800", "given_name": "A\ud83d", "groups": ["\ud800\0"]}
    assert come_back(liar, Client()).status_code == 302
    ann = User.objects.get()
    assert (ann.username, ann.first_name) == ("ann", "A")
    assert "\0" not in str(SocialAccount.objects.get().extra_data)


@pytest.mark.parametrize("name", ["ALICE", "\uff21lice", "\uff21LICE"], ids=["capitals", "wide", "wide capitals"])
def test_nobody_gets_a_name_that_looks_like_anothers(liar, settings, alice, name):
    settings.GWM_OPENID_PROVIDERS = (describe(settings.GWM_OPENID_PROVIDERS[0].issuer, adds_accounts=True),)
    liar.claims = {"preferred_username": name}
    assert come_back(liar, Client()).status_code == 403
    assert list(User.objects.values_list("username", flat=True)) == ["alice"]


def test_an_address_is_proven_by_what_stands_beside_it(liar, settings):
    liar.claims = {"email": "boss@example.org"}
    liar.userinfo = {"sub": "1", "email": "mine@example.org", "email_verified": True}
    assert come_back(liar, Client()).status_code == 302
    assert User.objects.get().email == ""


@pytest.fixture
def over_tls(settings, tmp_path, monkeypatch):
    """A provider over TLS whose certificate is its own, and what is said of it."""
    certificate = make_certificate(("127.0.0.1",)).store(tmp_path)
    with running_liar(certificate) as (provider, there):
        provider.trust = lambda path: setattr(
            settings, "GWM_OPENID_PROVIDERS", (describe(there, adds_accounts=True, username_claim="sub", ca_file=path),)
        )
        provider.trust(str(certificate))
        yield provider


def test_only_a_certificate_that_is_trusted_is_talked_to(over_tls, tmp_path):
    assert come_back(over_tls, Client()).status_code == 302
    over_tls.asked.clear()
    for wrong in ("", str(make_certificate(("127.0.0.1",)).store(tmp_path / "other"))):
        over_tls.trust(wrong)
        assert Client().post("/login/with/corp/").status_code == 502
    assert over_tls.asked == [], "nothing was said to it"


def test_a_certificate_of_another_name_is_none(settings, tmp_path):
    certificate = make_certificate(("login.example.org",)).store(tmp_path)
    with running_liar(certificate) as (provider, there):
        settings.GWM_OPENID_PROVIDERS = (describe(there, ca_file=str(certificate)),)
        assert Client().post("/login/with/corp/").status_code == 502
        assert provider.asked == []


def test_one_that_drips_is_not_waited_for(over_tls, monkeypatch):
    """A head that comes line by line would begin every time-out anew."""
    monkeypatch.setattr(asking, "WITHIN_S", 0.5)
    over_tls.drips = True
    began = time.monotonic()
    assert Client().post("/login/with/corp/").status_code == 502
    assert time.monotonic() - began < 5


def nora_with_provider_only(liar):
    client = Client()
    assert come_back(liar, client).status_code == 302
    return client


def prove(liar, client, url="/account/factors/app/", **claims):
    """The way back from where somebody is asked again; where it ends."""
    asked = client.post("/account/sign-in/corp/connect/", {"again": "1", "next": url})
    sent = {name: values[0] for name, values in parse_qs(urlsplit(where_to(asked)).query).items()}
    assert (sent["prompt"], sent["max_age"]) == ("login", "0")
    liar.nonce, liar.claims = sent["nonce"], claims
    return client.get("/login/with/corp/back/", {"state": sent["state"], "code": "c"})


def test_who_signs_in_by_a_provider_alone_is_asked_again_there(liar):
    """Its word that somebody is signed in there is none that they sit there now; nor is one of before."""
    client, url = nora_with_provider_only(liar), "/account/factors/app/"
    assert client.get(url)["Location"].startswith("/account/again/?next=")
    page = client.get(client.get(url)["Location"]).content.decode()
    assert (
        'formaction="/account/sign-in/corp/connect/"' in page and 'name="again"' in page and 'name="code"' not in page
    )
    now = int(time.time())
    for claims in ({}, {"auth_time": now - 3600}, {"auth_time": str(now)}, {"auth_time": True}, {"auth_time": 10**400}):
        assert prove(liar, client, **claims).status_code == 403
        assert client.get(url).status_code == 302, claims
    somebody_else = prove(liar, client, auth_time=now, sub="2")
    assert somebody_else.status_code == 403 and SocialAccount.objects.count() == 1
    assert client.get(url).status_code == 302
    assert prove(liar, client, auth_time=now)["Location"] == url
    assert client.get(url).status_code == 200
    assert prove(liar, client, "https://evil.example/", auth_time=now)["Location"] == "/account/sign-in/"


def test_who_must_set_a_factor_up_can_be_asked_again(liar, settings):
    settings.GWM_DEMAND_SECOND_FACTOR = "everybody"
    client = nora_with_provider_only(liar)
    assert client.post("/account/sign-in/corp/connect/").status_code == 403
    assert prove(liar, client, auth_time=int(time.time()))["Location"] == "/account/factors/app/"
    assert client.get("/account/factors/app/").status_code == 200


def test_one_elsewhere_has_nothing_asked_on_this_machine():
    """Nor is our secret sent there."""
    assert asking.may_be_asked(describe("https://corp.example"), "http://localhost:1/") is False
    assert asking.may_be_asked(describe("http://localhost:1"), "http://localhost:2/keys") is True


def test_one_that_is_down_is_said_to_be_out_of_reach(settings):
    settings.GWM_OPENID_PROVIDERS = (describe("http://127.0.0.1:9"),)
    assert Client().post("/login/with/corp/").status_code == 502
