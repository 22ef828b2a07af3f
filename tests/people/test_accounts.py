"""What administrators do to accounts, by whatever way; and that there is always one left."""

import re
import threading

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from objectlog.models import Entry, Event, Via
from operations.contract import SITE, Actor, Ask, Forbidden, Invalid, Refusal
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from people.explaining import explain
from people.tokens import find_token
from permissions.models import Persona, User
from permissions.services import grant, persona_of
from tests.factories import make_admin, make_cluster, make_token, make_user, make_vm

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD, NEW = "long enough 1", "another password 2"
SECRET = "gwm_a-secret-of-more-than-thirty-two-characters"


@pytest.fixture
def root():
    return make_admin("root")


@pytest.fixture
def alice():
    alice = make_user("alice")
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def do(verb, actor, target=SITE, **given):
    actor, operation = Actor(actor, Via.CLI), OPERATIONS[f"person.{verb}"]
    return run(operation, Ask(actor, target, params_from(operation, actor, target, given)))


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def is_in(client):
    return client.get("/").status_code == 200


@pytest.mark.feature("F010")
def test_an_account_is_added_and_signs_in(root):
    entry = do("add", root, username="bob", email="bob@example.org", password=PASSWORD)
    bob = User.objects.get(username="bob")
    assert (bob.email, bob.is_superuser, bob.is_staff, bob.is_active) == ("bob@example.org", False, False, True)
    assert Client().post("/login/", {"login": "bob", "password": PASSWORD}).status_code == 302
    assert (entry.verb, entry.target_name, entry.target_pk) == ("person.add", "bob", bob.pk)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"username": "root"}, "username"),
        ({"username": "ROOT"}, "username"),
        ({"username": "\uff32oot"}, "username"),
        ({"username": "r\u043eot"}, "username"),
        ({"username": "r00t"}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "a\0b"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": ""}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password"}, "password"),
        ({"password": "bobbobbob"}, "password"),
        ({"is_superuser": "1"}, ""),
    ],
)
def test_what_is_wrong_with_a_new_account(root, given, field):
    with pytest.raises(Invalid) as wrong:
        do("add", root, **{"username": "bobbobbob", "password": PASSWORD, **given})
    assert set(wrong.value.errors) == {field}
    assert User.objects.count() == 1 and not Entry.objects.exists()


def test_what_is_not_said_stays_as_it_is(root, alice):
    do("edit", root, alice, email="alice@example.org", first_name="Alice")
    entry = do("edit", root, alice, last_name="Liddell")
    alice.refresh_from_db()
    assert (alice.email, alice.first_name, alice.last_name) == ("alice@example.org", "Alice", "Liddell")
    assert [(change["field"], change["after"]) for change in entry.changes] == [("last_name", "Liddell")]


@pytest.mark.feature("F011")
@pytest.mark.parametrize(
    ("verb", "given"), [("set-password", {"password": NEW}), ("sign-out", {}), ("deactivate", {}), ("delete", {})]
)
def test_all_sessions_end_and_stay_ended(root, alice, verb, given):
    sessions = [signed_in(alice), signed_in(alice)]
    other = signed_in(make_user("bob"))
    assert all(map(is_in, sessions))
    do(verb, root, alice, **given)
    assert not any(map(is_in, sessions)) and is_in(other)
    if verb == "deactivate":
        assert Client().post("/login/", {"login": "alice", "password": PASSWORD}).status_code == 200
        do("activate", root, alice)
        assert not any(map(is_in, sessions)), "what ended does not begin again"
    if verb != "delete":
        word = given.get("password", PASSWORD)
        assert Client().post("/login/", {"login": "alice", "password": word}).status_code == 302


def test_a_token_ends_with_its_account_for_good(root, alice):
    make_token(alice, secret=SECRET)
    entry = do("deactivate", root, alice)
    do("activate", root, alice)
    assert find_token(SECRET) is None
    assert entry.message == "1 token was withdrawn."


@pytest.mark.parametrize("verb", ["deactivate", "demote"])
def test_what_nobody_does_to_themselves_says_so_before_it_is_tried(root, verb):
    page = signed_in(root)
    asked = re.sub(r"\s+", " ", page.get(f"/person/root/do/{verb}/").content.decode())
    assert "You cannot do this to your own account." in asked and 'type="submit" disabled' in asked
    button = re.search(rf"<[^>]*do/{verb}/[^>]*>", page.get("/person/root/").content.decode())
    assert button is None, "its button leads nowhere, and says why"


def test_no_password_is_in_journal_or_log(root, alice, caplog):
    secrets = ("marker-secret-1", "marker-secret-2")
    do("add", root, username="bob", password=secrets[0])
    do("set-password", root, alice, password=secrets[1])
    rows = [*Entry.objects.values(), *Event.objects.values()]
    assert rows and not [word for word in secrets if word in f"{rows}{caplog.text}"]


@pytest.mark.feature("F017", "F263")
def test_what_becomes_of_what_somebody_had(root, alice):
    vm = make_vm(make_cluster("lab"), "web1.example.org", owner=persona_of(alice))
    grant(["power"], make_user("bob"), vm, by=alice)
    do("edit", alice_as_admin(alice), alice, first_name="Alice")
    entry = do("delete", root, alice)
    vm.refresh_from_db()
    assert vm.owner is None
    assert entry.message == "1 machine has no owner now."
    assert not User.objects.filter(username="alice").exists()
    assert User.objects.get(username="bob").vmusergrant_set.count() == 1, "what they granted stays"
    for there in ("/clusters/lab/vms/web1.example.org/rights/", "/person/bob/rights/"):
        rows = signed_in(root).get(there).content.decode()
        assert re.search(r'data-label="By">alice\s', rows), "and says by whom"
    assert any("granted by alice" in line for line in explain(User.objects.get(username="bob"), "power", vm))
    assert set(Entry.objects.values_list("actor_name", flat=True)) == {"alice", "root"}, "the journal stays"


@pytest.mark.feature("F016")
def test_a_persona_is_called_as_its_person_is_called_now(root, alice):
    vm = make_vm(make_cluster("lab"), "web1.example.org", owner=persona_of(alice))
    before = persona_of(alice).pk
    User.objects.filter(pk=alice.pk).update(username="alicia")
    alicia = User.objects.get(username="alicia")
    assert persona_of(alicia).pk == before and str(persona_of(alicia)) == "alicia"
    vm.refresh_from_db()
    assert str(vm.owner) == "alicia"
    assert Persona.objects.filter(user=alicia).count() == 1


def alice_as_admin(alice):
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    alice.refresh_from_db()
    return alice


TAKING_AWAY = sorted(op.verb for op in OPERATIONS.values() if op.kind == "person" and getattr(op, "takes_away", False))


def test_what_takes_an_administrator_away_is_known():
    assert TAKING_AWAY == ["deactivate", "delete", "demote"]


@pytest.mark.parametrize("verb", TAKING_AWAY)
def test_the_last_administrator_stays(root, alice, verb):
    """Whoever asks, even if they are none any more, and whatever accounts are switched off."""
    make_user("off", is_superuser=True, is_active=False)
    other = make_admin("other")
    stale = User.objects.get(pk=other.pk)
    with pytest.raises(Refusal, match="your own account"):
        do(verb, root, root)
    do("demote", root, other)
    with pytest.raises(Refusal, match="last administrator"):
        do(verb, stale, root)
    do("promote", root, alice)
    alice.refresh_from_db()
    do(verb, alice, root)
    assert User.objects.filter(is_superuser=True, is_active=True).get() == alice


@pytest.mark.parametrize("verb", TAKING_AWAY)
def test_two_who_take_each_other_away_at_once(root, verb):
    """Whatever the order in which they come, one stays."""
    people = [root, make_admin("other")]
    at_once, told = threading.Barrier(2), []

    def take(me, other):
        try:
            at_once.wait(timeout=120)
            do(verb, me, other)
            told.append("done")
        except Refusal as refusal:
            told.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=pair) for pair in (people, people[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(told) == 2
    assert User.objects.filter(is_superuser=True, is_active=True).exists()


@pytest.mark.parametrize("verb", sorted(op.verb for op in OPERATIONS.values() if op.kind == "person"))
def test_nobody_else_touches_accounts(alice, verb):
    """Whatever rights they hold on things; also staff."""
    cluster = make_cluster("lab")
    grant(["admin"], alice, cluster)
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    alice.refresh_from_db()
    operation = OPERATIONS[f"person.{verb}"]
    target = SITE if operation.is_on_site else make_user("bob")
    before = list(User.objects.order_by("pk").values())
    with pytest.raises(Forbidden, match=r"Only administrators|your own account only"):
        run(operation, Ask(Actor(alice, Via.WEB), target, operation.params_type()))
    assert list(User.objects.order_by("pk").values()) == before
    assert Event.objects.get().outcome == "denied"


def rescue(name, tmp_path, password=NEW):
    (tmp_path / "password").write_text(f"{password}\n")
    call_command("rescue_admin", name, password_file=str(tmp_path / "password"))


@pytest.mark.parametrize("state", ["new", "off", "ordinary"])
def test_a_rescue_when_nobody_can_sign_in(tmp_path, alice, state, capsys):
    if state == "off":
        User.objects.update(is_active=False)
    name = "carol" if state == "new" else "alice"
    rescue(name, tmp_path)
    person = User.objects.get(username=name)
    assert (person.is_active, person.is_superuser, person.check_password(NEW)) == (True, True, True)
    assert Client().post("/login/", {"login": name, "password": NEW}).status_code == 302
    event = Event.objects.get(verb="person.rescue")
    assert (event.target_name, event.actor_name, NEW in event.text) == (name, "", False)


@pytest.mark.parametrize(("name", "password"), [("two words", NEW), ("alice", "short"), ("Alice", NEW), ("..", NEW)])
def test_a_rescue_that_is_refused(tmp_path, alice, name, password):
    with pytest.raises(CommandError):
        rescue(name, tmp_path, password)
    assert not User.objects.filter(is_superuser=True).exists()
