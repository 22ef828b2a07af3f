"""Second factors: codes of an app, recovery codes, who must have one, and who takes them away."""

import re
import time
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from objectlog.models import Event, Via
from operations.contract import Actor, Ask, Forbidden, NoParams, Refusal
from operations.pipeline import run
from operations.table import OPERATIONS
from people.factors import STEP_S, add_app, find_step, has_factor, make_codes, use_code
from people.limits import BY_SECOND_FACTOR
from people.passkeys import add_passkey
from permissions.models import User
from tests.factories import make_admin, make_user
from tests.fixtures.databases import some_in_fast

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G028")]
PASSWORD = "long enough 1"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
RESET = OPERATIONS["person.reset-factors"]


def code_of(secret=SECRET, steps=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // STEP_S + steps))


@pytest.fixture(autouse=True)
def clock():
    """In the middle of a step, so that none ends while a test runs."""
    cache.clear()
    with time_machine.travel(timezone.now().replace(second=10, microsecond=0), tick=False) as clock:
        yield clock
    cache.clear()


@pytest.fixture
def alice():
    person = make_user("alice")
    person.set_password(PASSWORD)
    person.save()
    return person


def give_app(person):
    add_app(person, SECRET, 0)
    return make_codes(person)


def half_way(name="alice", **given):
    client = Client()
    answer = client.post("/login/", {"login": name, "password": PASSWORD, **given})
    assert (answer.status_code, answer["Location"]) == (302, "/login/code/")
    return client


def is_in(client):
    return client.get("/about/").status_code == 200


def shown_codes(answer):
    return answer.content.decode().partition("<pre")[2].partition("</pre>")[0].partition(">")[2].split()


def test_the_password_alone_lets_nobody_in_and_a_code_does(alice):
    give_app(alice)
    client = half_way(next="/vms/?q=web")
    assert not is_in(client)
    assert client.get("/login/")["Location"] == "/login/code/"
    wrong = client.post("/login/code/", {"code": "000000"})
    assert wrong.status_code == 422 and "This code is wrong" in wrong.content.decode()
    assert not is_in(client)
    right = client.post("/login/code/", {"code": code_of()})
    assert (right.status_code, right["Location"]) == (302, "/vms/?q=web")
    assert is_in(client)
    assert [(e.verb, e.outcome) for e in Event.objects.order_by("pk")] == [
        ("person.sign-in", "failed"),
        ("person.sign-in", "done"),
    ]
    assert "second factor" in Event.objects.order_by("pk")[0].text


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_is_good_once(alice, steps, clock):
    """Nor is one of a step before it; not even when the cache has forgotten everything."""
    give_app(alice)
    stolen = code_of(steps=steps)
    assert use_code(alice, f" {stolen[:3]} {stolen[3:]} ").type == "totp"
    cache.clear()
    assert use_code(alice, stolen) is None
    assert use_code(alice, code_of(steps=-1)) is None
    clock.shift(2 * STEP_S)
    assert use_code(alice, code_of()) is not None


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_a_code_of_another_time_is_none(alice, steps):
    assert find_step(SECRET, code_of(steps=steps)) is None


def test_a_recovery_code_is_good_once_and_stands_in_the_journal(alice):
    codes = give_app(alice)
    assert len(set(codes)) == 10
    client = half_way()
    assert client.post("/login/code/", {"code": codes[3]}).status_code == 302 and is_in(client)
    assert Event.objects.filter(verb="person.use-recovery-code").count() == 1
    again = half_way()
    assert again.post("/login/code/", {"code": codes[3]}).status_code == 422
    assert "9 codes are left" in client.get("/account/factors/").content.decode()
    told = " ".join(Event.objects.values_list("text", flat=True))
    assert not [code for code in codes if code in told]


def test_guesses_are_few_wherever_they_come_from(alice):
    give_app(alice)
    answers = [half_way().post("/login/code/", {"code": "000000"}, REMOTE_ADDR=f"192.0.2.{at}") for at in range(7)]
    assert [answer.status_code for answer in answers] == [422] * BY_SECOND_FACTOR.amount + [429] * 2
    assert half_way().post("/login/code/", {"code": code_of()}).status_code == 429


@pytest.mark.parametrize("then", ["deactivate", "sign-out", "set-password", "delete"])
def test_half_a_sign_in_is_not_finished_by_whom_it_was_taken_from(alice, then):
    give_app(alice)
    client = half_way()
    operation = OPERATIONS[f"person.{then}"]
    params = operation.params_type(**({"password": "another password 2"} if then == "set-password" else {}))
    run(operation, Ask(Actor(make_admin("root"), Via.WEB), alice, params))
    answer = client.post("/login/code/", {"code": code_of()})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert not is_in(client) and client.get("/login/").status_code == 200


def test_one_may_begin_anew_as_somebody_else(alice):
    give_app(alice)
    client = half_way()
    assert client.post("/login/code/", {"cancel": "1"})["Location"] == "/login/"
    assert client.get("/login/").status_code == 200
    assert client.get("/login/code/")["Location"] == "/login/"


def set_up(client):
    """Set up an app on its page; the answer."""
    page = client.get("/account/factors/app/").content.decode()
    assert "<script" not in page.partition("qr-code")[2].partition("</svg>")[0] and " style=" not in page
    secret = "".join(re.search(r'<p class="mono wrap">([A-Z2-7 ]+)</p>', page)[1].split())
    assert secret not in str(dict(client.session.items())), "it waits sealed"
    return secret, client.post("/account/factors/app/", {"code": code_of(secret)})


def test_setting_up_an_app(alice, clock):
    client, elsewhere = Client(), Client()
    for each in (client, elsewhere):
        each.post("/login/", {"login": "alice", "password": PASSWORD})
    secret, answer = set_up(client)
    assert answer["Location"] == "/account/factors/codes/"
    codes = shown_codes(client.get("/account/factors/codes/"))
    assert len(codes) == 10 == len(set(shown_codes(client.get("/account/factors/codes/"))) & set(codes))
    assert not [code for code in codes if code in str(dict(client.session.items()))], "they wait sealed"
    client.post("/account/factors/codes/", {"kept": "1"})
    assert shown_codes(client.get("/account/factors/codes/")) == []
    assert is_in(client) and not is_in(elsewhere), "sessions of the password alone end"
    row = Authenticator.objects.get(type="totp")
    assert secret not in str(row.data) and row.data["secret"].startswith("sealed1:")
    assert Authenticator.objects.get(type="recovery_codes").data["seed"].startswith("sealed1:")
    assert use_code(alice, code_of(secret)) is None, "the code that was typed is used up"
    assert list(Event.objects.filter(verb__in=["person.add-app", "person.make-recovery-codes"]).values_list("verb"))
    told = " ".join(Event.objects.values_list("text", flat=True))
    assert not [kept for kept in (secret, *codes) if kept in told]
    client.post("/account/factors/codes/")
    clock.shift(timedelta(minutes=11))
    assert shown_codes(client.get("/account/factors/codes/")) == [], "a page that was left open shows them no more"
    client.post("/account/factors/codes/")
    new = shown_codes(client.get("/account/factors/codes/"))
    assert len(new) == 10 and not set(new) & set(codes)
    assert use_code(alice, codes[0]) is None


def test_who_has_not_shown_who_they_are_changes_no_factor(alice, clock):
    give_app(alice)
    client = half_way()
    client.post("/login/code/", {"code": code_of()})
    clock.shift(16 * 60)
    row = Authenticator.objects.get(type="totp")
    before = list(Authenticator.objects.order_by("pk").values("pk", "data"))
    for name, given in {"factor-app": [], "factor-passkey": [], "factor-codes": [], "factor-remove": [row.pk]}.items():
        url = reverse(name, args=given)
        for answer in (client.get(url), client.post(url, {"code": "1", "name": "x"})):
            assert answer["Location"].startswith("/account/again/?next="), url
    assert client.get("/account/factors/passkeys/options/").status_code == 302
    assert list(Authenticator.objects.order_by("pk").values("pk", "data")) == before
    url = reverse("factor-remove", args=[row.pk])
    assert client.post("/account/again/", {"password": PASSWORD, "next": url})["Location"] == url
    assert client.post(url)["Location"] == "/account/factors/"
    assert not Authenticator.objects.exists(), "recovery codes go with the last factor"
    assert Event.objects.filter(verb="person.remove-app").count() == 1


def test_who_has_no_password_here_shows_a_code(alice, clock):
    give_app(alice)
    alice.set_unusable_password()
    alice.save()
    client = Client()
    client.force_login(alice)
    assert client.get("/account/factors/app/").status_code == 302
    wrong = client.post("/account/again/", {"code": "000000", "next": "/account/factors/app/"})
    assert wrong.status_code == 200 and "This code is wrong" in wrong.content.decode()
    right = client.post("/account/again/", {"code": code_of(), "next": "/account/factors/app/"})
    assert right["Location"] == "/account/factors/app/"
    assert client.get("/account/factors/app/").status_code == 200


def test_somebody_elses_factor_is_none_of_mine(alice):
    give_app(alice)
    bob = make_user("bob")
    client = Client()
    client.force_login(bob)
    row = Authenticator.objects.get(type="totp")
    assert client.post(reverse("factor-remove", args=[row.pk])).status_code == 404
    codes = Authenticator.objects.get(type="recovery_codes")
    client.force_login(alice)
    client.post("/account/again/", {"password": PASSWORD})
    assert client.post(reverse("factor-remove", args=[codes.pk])).status_code == 404
    assert has_factor(alice)


def test_an_administrator_takes_lost_factors_away_and_nobody_else(alice):
    root, bob = make_admin("root"), make_user("bob")
    give_app(root)
    give_app(alice)
    signed_in = Client()
    signed_in.force_login(alice)
    for actor, target in ((bob, alice), (bob, root), (alice, root), (alice, alice), (root, root)):
        with pytest.raises((Refusal, Forbidden)):
            run(RESET, Ask(Actor(actor, Via.CLI), target, NoParams()))
    assert has_factor(alice) and has_factor(root)
    run(RESET, Ask(Actor(root, Via.CLI), alice, NoParams()))
    assert not Authenticator.objects.filter(user=alice).exists() and has_factor(root)
    assert not is_in(signed_in)
    assert Event.objects.get(verb="person.reset-factors", outcome="done").target_name == "alice"
    with pytest.raises(Refusal, match="no second factor"):
        run(RESET, Ask(Actor(root, Via.CLI), User.objects.get(pk=alice.pk), NoParams()))


def test_rescue_takes_a_lost_factor_away(tmp_path):
    root = make_admin("root")
    give_app(root)
    (tmp_path / "password").write_text("another password 2\n")
    said = StringIO()
    call_command("rescue_admin", "root", "--password-file", str(tmp_path / "password"), stdout=said)
    assert "Second factors are removed" in said.getvalue()
    assert Client().post("/login/", {"login": "root", "password": "another password 2"})["Location"] == "/"


DEMANDED = [("administrators", True, True), ("administrators", False, False), ("everybody", False, True)]


@pytest.mark.parametrize(("whom", "is_admin", "is_stopped"), [*DEMANDED, ("nobody", True, False)])
def test_of_whom_a_factor_is_demanded(settings, whom, is_admin, is_stopped):
    settings.GWM_DEMAND_SECOND_FACTOR = whom
    client = Client()
    client.force_login(make_admin("root") if is_admin else make_user("bob"))
    answer = client.get("/vms/?q=web")
    assert answer.status_code == (302 if is_stopped else 200)
    if is_stopped:
        assert answer["Location"] == "/account/factors/?next=%2Fvms%2F%3Fq%3Dweb"
        assert client.get("/vms/", headers={"HX-Request": "true"}).status_code == 403
        assert client.post("/account/", {"first_name": "x"}).status_code == 403


def test_who_must_set_one_up_can_do_so_and_then_everything(settings):
    settings.GWM_DEMAND_SECOND_FACTOR = "administrators"
    root = make_admin("root")
    root.set_password(PASSWORD)
    root.save()
    client = Client()
    client.post("/login/", {"login": "root", "password": PASSWORD})
    page = client.get("/account/factors/").content.decode()
    assert "This service demands" in page and 'id="nav"' not in page
    _secret, answer = set_up(client)
    assert answer.status_code == 302 and client.get("/vms/").status_code == 200
    row = Authenticator.objects.get(type="totp")
    assert client.post(reverse("factor-remove", args=[row.pk])).status_code == 409, "the last one stays"
    add_passkey(root, "key", {})
    assert client.post(reverse("factor-remove", args=[row.pk])).status_code == 302


def test_who_looks_as_somebody_touches_no_factor_of_theirs(alice):
    give_app(alice)
    client = Client()
    client.force_login(make_admin("root"))
    client.post("/view-as/", {"who": "alice"})
    page = client.get("/account/factors/")
    assert page.status_code == 200 and "/remove/" not in page.content.decode()
    row = Authenticator.objects.get(type="totp")
    names = ("factor-app", "factor-passkey", "factor-passkey-options", "factor-codes", "factor-remove")
    for name in names:
        url = reverse(name, args=[row.pk] if name == "factor-remove" else [])
        assert {client.get(url).status_code, client.post(url).status_code} == {403}, url


def test_a_new_key_reaches_what_is_sealed(settings, alice):
    old, new = "old-" + "o" * 40, "new-" + "n" * 40
    settings.GWM_FIELD_KEYS = [old]
    codes = give_app(alice)
    settings.GWM_FIELD_KEYS = [new, old]
    said = StringIO()
    call_command("rotate_field_keys", stdout=said)
    assert said.getvalue().startswith("2 encrypted anew")
    settings.GWM_FIELD_KEYS = [new]
    assert use_code(alice, code_of()) and use_code(alice, codes[0])


def test_a_lost_key_is_said_and_lets_nobody_in(settings, alice):
    give_app(alice)
    client = half_way()
    settings.GWM_FIELD_KEYS = ["new-" + "n" * 40]
    answer = client.post("/login/code/", {"code": code_of()})
    assert answer.status_code == 422 and "can&#x27;t be read" in answer.content.decode()


NONSENSE = ["", "{", "[]", "1", "[" * 15_000, '{"response": 1}', '{"response": {"userHandle": "AAA"}}', "x" * 30_000]
MADE_UP = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {%s}, "clientExtensionResults": {}}'
FIELDS = [
    '"clientDataJSON": "e30", "attestationObject": "oA"',
    '"clientDataJSON": "e30", "attestationObject": "gYGBgYGBgYE"',
    '"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "MQ"',
]


@pytest.mark.parametrize(
    "posted",
    some_in_fast([*NONSENSE, *(MADE_UP % fields for fields in FIELDS)], 3),
    ids=lambda each: each[:40],
)
def test_what_no_passkey_made_is_refused_and_breaks_nothing(alice, posted):
    give_app(alice)
    stranger = Client()
    assert stranger.get("/login/passkey/options/").status_code == 200
    answer = stranger.post("/login/passkey/", {"credential": posted})
    assert (answer.status_code, answer["Location"]) == (302, "/login/?passkey=refused&next=")
    assert "gwm_session" not in stranger.cookies, "a stranger leaves no session"
    client = half_way()
    client.get("/login/passkey/options/")
    assert client.post("/login/code/", {"credential": posted}).status_code == 422
    client.post("/login/code/", {"code": code_of()})
    client.get("/account/factors/passkeys/options/")
    assert client.post("/account/factors/passkeys/add/", {"name": "x", "credential": posted}).status_code == 422
    client.get("/account/again/passkey/")
    assert client.post("/account/again/", {"credential": posted}).status_code == 422
    assert not Authenticator.objects.filter(type="webauthn").exists()


def without_password(alice):
    alice.set_unusable_password()
    alice.save()
    client = Client()
    client.force_login(alice)
    return client


def test_codes_are_not_guessed_in_a_session_that_was_found_open(alice, clock):
    """Those of who has no password count like those to sign in, and stand in the journal."""
    codes = give_app(alice)
    client = without_password(alice)
    answers = [client.post("/account/again/", {"code": "000000"}).status_code for _each in range(7)]
    assert answers == [200] * BY_SECOND_FACTOR.amount + [429] * 2
    assert Event.objects.filter(verb="person.sign-in", outcome="failed").count() == BY_SECOND_FACTOR.amount
    clock.shift(BY_SECOND_FACTOR.within_s + 1)
    assert client.post("/account/again/", {"code": codes[0]}).status_code == 302
    assert Event.objects.filter(verb="person.use-recovery-code").count() == 1


def test_who_guesses_from_elsewhere_keeps_nobody_out_of_their_session(alice):
    give_app(alice)
    guesser = half_way()
    for _each in range(BY_SECOND_FACTOR.amount + 1):
        answer = guesser.post("/login/code/", {"code": "000000"})
    assert answer.status_code == 429
    assert without_password(alice).post("/account/again/", {"code": code_of()}).status_code == 302
