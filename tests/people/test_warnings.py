"""Whoever's account is changed gets a mail of it, at the address of before, in their language."""

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from objectlog.models import Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from operations.table import OPERATIONS
from people.confirming import make_confirmation
from people.factors import add_app
from people.mailing import link_for_password, send_due_letters
from people.models import Letter
from permissions.models import User
from tests.factories import make_admin, make_user
from tests.people.test_factors import PASSWORD, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G028")]
HOME = "alice@example.org"
NEW = "another password 2"


@pytest.fixture(autouse=True)
def mailed(settings):
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", "https://gwm.example.org"
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice():
    person = make_user("alice", email=HOME)
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def browser(alice):
    client = Client()
    client.post("/login/", {"login": "alice", "password": PASSWORD})
    return client


def do(verb, **given):
    operation = OPERATIONS[f"person.{verb}"]
    root = User.objects.filter(username="root").first() or make_admin("root")
    ask = Ask(Actor(root, Via.WEB), User.objects.get(username="alice"), operation.params_type(**given))
    run(operation, ask)


def change_password(browser):
    browser.post("/account/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})


def reset_password(browser):
    link = link_for_password(User.objects.get(username="alice")).partition("example.org")[2]
    there = browser.get(link)["Location"]
    browser.post(there, {"password1": NEW, "password2": NEW})


def remove_app(browser):
    row = add_app(User.objects.get(username="alice"), "A" * 32, 0)
    assert browser.post(reverse("factor-remove", args=[row.pk])).status_code == 302


def make_codes(browser):
    add_app(User.objects.get(username="alice"), "A" * 32, 0)
    assert browser.post("/account/factors/codes/").status_code == 302


def reset_factors(browser):
    add_app(User.objects.get(username="alice"), "A" * 32, 0)
    do("reset-factors")


PASSWORDS = {"changed": change_password, "by a link": reset_password, "set": lambda _: do("set-password", password=NEW)}
FACTORS = {"set up": set_up, "removed": remove_app, "codes": make_codes, "reset": reset_factors}


CHANGES = {
    **{f"password {name}": (change, "The password of the account") for name, change in PASSWORDS.items()},
    **{f"factor {name}": (change, "A second factor of the account") for name, change in FACTORS.items()},
}


@pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=CHANGES)
def test_who_did_not_do_it_is_warned(browser, change, says):
    change(browser)
    User.objects.filter(username="alice").update(email="thief@example.org")
    assert send_due_letters() == 1
    (letter,) = mail.outbox
    assert letter.to == [HOME] and letter.subject == "Your account on gwm.example.org"
    assert says in letter.body and '"alice"' in letter.body
    assert NEW not in letter.body and "http" not in letter.body.replace("https://gwm.example.org", "")


def test_the_address_of_before_is_told_of_the_new_one_whoever_changed_it(alice):
    do("edit", email="new@example.org")
    use = OPERATIONS["person.use-email"]
    alice.refresh_from_db()
    run(use, Ask(Actor(alice, Via.WEB), alice, use.params_type(make_confirmation(alice, "newer@example.org"))))
    do("edit", first_name="A")
    assert send_due_letters() == 2
    assert [letter.to for letter in mail.outbox] == [[HOME], ["new@example.org"]]
    assert all("has another email address now" in letter.body for letter in mail.outbox)


def test_it_is_said_in_the_language_of_the_person(browser):
    User.objects.update(language="es")
    change_password(browser)
    send_due_letters()
    assert "administrador" in mail.outbox[0].body


@pytest.mark.parametrize("lacks", ["mail", "address"])
def test_where_no_mail_goes_nothing_waits(browser, settings, lacks):
    if lacks == "mail":
        settings.GWM_MAIL_URL = ""
    else:
        User.objects.update(email="")
    change_password(browser)
    assert User.objects.get().check_password(NEW) and not Letter.objects.exists()
