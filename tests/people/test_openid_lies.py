"""Signing in with OpenID Connect, with a provider that lies, falls silent, or is somebody else."""

import gzip
import logging
import time

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client

from people.factors import add_app
from people.openid import asking
from permissions.models import User
from simulator.certificate import make_certificate
from tests.factories import make_user
from tests.fixtures.databases import few_on_both
from tests.people.openid import (
    CLIENT,
    SECRET,
    asked_at,
    describe,
    running_liar,
    said,
    send_back,
    where_to,
    who_is,
)

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G028")]


@pytest.fixture(autouse=True)
def nothing_counted():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def liar(settings):
    with running_liar() as (provider, there):
        settings.GWM_OPENID_PROVIDERS = (describe(there, adds_accounts=True, username_claim="sub"),)
        yield provider


def come_back(liar, client):
    begun = client.post("/login/with/corp/")
    if begun.status_code != 200:
        return begun
    return send_back(liar, client, asked_at(where_to(begun)))


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


@pytest.mark.parametrize("lie", few_on_both(LIES, "a subject that no database takes", "half a letter as its subject"))
def test_a_lie_lets_nobody_in(liar, lie, caplog):
    for name, value in LIES[lie].items():
        setattr(liar, name, value)
    client = Client()
    with caplog.at_level(logging.WARNING):
        answer = come_back(liar, client)
    assert answer.status_code == 403
    assert "What Corporate sign-in says of you could not be verified." in answer.content.decode()
    assert who_is(client) is None and not User.objects.exists()
    assert said()[-1][:2] == ("person.sign-in", "failed")
    assert SECRET not in caplog.text and jwt.__name__ not in answer.content.decode()


@pytest.mark.alike
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


@pytest.mark.alike
@pytest.mark.parametrize("raw", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_breaks_nothing(liar, raw):
    liar.raw = raw
    answer = come_back(liar, Client())
    assert answer.status_code == 502 and "Corporate sign-in does not answer." in answer.content.decode()


def test_what_nobody_can_keep_is_left_out(liar, settings):
    """A name may hold what no database takes; the account is made without."""
    settings.GWM_OPENID_PROVIDERS = (describe(settings.GWM_OPENID_PROVIDERS[0].issuer, adds_accounts=True),)
    liar.claims = {"preferred_username": "ann\0\ud800", "given_name": "A\ud83d\u202e", "groups": ["\ud800\0"]}
    assert come_back(liar, Client()).status_code == 302
    ann = User.objects.get()
    assert (ann.username, ann.first_name) == ("ann", "A\ufffd")
    assert "\0" not in str(SocialAccount.objects.get().extra_data)


@pytest.mark.parametrize("name", ["ALICE", "\uff21lice", "\uff21LICE"], ids=["capitals", "wide", "wide capitals"])
def test_nobody_gets_a_name_that_looks_like_anothers(liar, settings, name):
    make_user("alice")
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
    over_tls.drips = 400
    assert Client().post("/login/with/corp/").status_code == 502
    assert over_tls.drips, "it would have answered when all of it had come"


def nora_with_provider_only(liar):
    client = Client()
    assert come_back(liar, client).status_code == 302
    return client


def prove(liar, client, url="/account/factors/app/", **claims):
    """The way back from where somebody is asked again; where it ends."""
    asked = client.post("/account/sign-in/corp/connect/", {"again": "1", "next": url})
    sent = asked_at(where_to(asked))
    assert (sent["prompt"], sent["max_age"]) == ("login", "0")
    liar.claims = claims
    return send_back(liar, client, sent)


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


@pytest.mark.parametrize("what", ["a password", "a second factor"])
def test_who_can_show_it_here_is_asked_here_and_no_provider(liar, what):
    """Posted by whoever has found the session open, or begun before there was anything to show here."""
    client, url = nora_with_provider_only(liar), "/account/factors/app/"
    person, now = User.objects.get(username="1"), int(time.time())
    sent = where_to(client.post("/account/sign-in/corp/connect/", {"again": "1", "next": url}))
    if what == "a password":
        person.set_password("long enough 1")
        person.save()
        client.force_login(person)
        sent = ""  # the session of before is none any more
    else:
        add_app(person, "A" * 32, 0)
    answer = client.post("/account/sign-in/corp/connect/", {"again": "1", "next": url})
    assert (answer.status_code, answer["Location"]) == (302, "/account/again/?next=%2Faccount%2Ffactors%2Fapp%2F")
    if sent:
        liar.claims = {"auth_time": now}
        assert send_back(liar, client, asked_at(sent))["Location"] == answer["Location"]
    assert client.get(url)["Location"].startswith("/account/again/")


def test_one_elsewhere_has_nothing_asked_on_this_machine():
    """Nor is our secret sent there."""
    assert asking.may_be_asked(describe("https://corp.example"), "http://localhost:1/") is False
    assert asking.may_be_asked(describe("http://localhost:1"), "http://localhost:2/keys") is True


def test_one_that_is_down_is_said_to_be_out_of_reach(settings):
    settings.GWM_OPENID_PROVIDERS = (describe("http://127.0.0.1:9"),)
    assert Client().post("/login/with/corp/").status_code == 502
