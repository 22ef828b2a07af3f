"""Signing in and out, and what people without rights see."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.conftest import expect_signed_out, sign_in
from tests.browser.product import ADMIN, PASSWORD
from tests.browser.screens import wait_connected
from tests.browser.waiting import PATIENCE_MS


@pytest.mark.feature("F001")
def test_one_comes_to_where_one_wanted_to_go(person, demo):
    page = person.stranger(demo)
    page.goto("/vms/?status=running&q=web")
    expect(page).to_have_url(re.compile("/login/"))
    expect(page.get_by_text("to continue to /vms/?status=running&q=web")).to_be_visible()
    page.get_by_label("User name").fill(ADMIN)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password")
    expect(page.get_by_label("User name")).to_have_value(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page).to_have_url(re.compile(r"/vms/\?status=running&q=web$"))
    expect(page.get_by_role("link", name="web1.example.org", exact=True)).to_be_visible()


@pytest.mark.feature("F001")
def test_signing_out_ends_it(person, demo):
    page = person.stranger(demo)
    sign_in(page, ADMIN, PASSWORD)
    page.locator(".top-tools details.menu summary", has_text=ADMIN).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()  # going on at once would take the click back
    page.goto("/vms/")
    expect(page).to_have_url(re.compile("/login/"))


@pytest.mark.feature("F001")
def test_guessing_is_stopped_and_says_how_long(person, demo, watch):
    demo.add_person("guessed", "some-password-1")
    page = person.stranger(demo)
    watch.allow(429)
    for number in range(6):
        page.goto("/login/?next=/vms/")
        page.get_by_label("User name").fill("guessed")
        page.get_by_label("Password").fill(f"guess {number}")
        page.get_by_role("button", name="Sign in").click()
        if number < 5:  # going on at once would take the click back
            expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password")
    expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()
    expect(page.get_by_text("Wait 5 minutes, then try again.")).to_be_visible()
    assert axe.check(page) == []


@pytest.mark.feature("F001")
def test_changing_the_password_signs_out_everywhere_else(person, demo):
    demo.add_person("careful", "some-password-1")
    page, elsewhere = person.stranger(demo), person.stranger(demo)
    for each in (page, elsewhere):
        sign_in(each, "careful", "some-password-1")
    page.locator(".top-tools details.menu summary", has_text="careful").click()
    page.get_by_role("link", name="Change password").click()
    assert axe.check(page) == []
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password again").fill("short")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong password")
    expect(page.get_by_role("alert")).to_contain_text("too short")
    page.get_by_label("Current password").fill("some-password-1")
    page.get_by_label("New password", exact=True).fill("another-password-2")
    page.get_by_label("New password again").fill("another-password-2")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("You are signed out everywhere else.")).to_be_visible()
    expect_signed_out(elsewhere)
    elsewhere.goto("/vms/")
    expect(elsewhere).to_have_url(re.compile(r"/login/\?next=%2Fvms%2F|/login/\?next=/vms/"))


@pytest.mark.feature("F001")
def test_signing_out_closes_the_consoles(person, demo):
    page = person.stranger(demo)
    sign_in(page, ADMIN, PASSWORD, "/login/?next=/clusters/demo/vms/web1.example.org/console/")
    wait_connected(page)
    other = page.context.new_page()
    other.goto("/")
    other.locator(".top-tools details.menu summary", has_text=ADMIN).click()
    other.get_by_role("button", name="Sign out").click()
    expect(page.locator("[data-console][data-state=on]")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile(r"/login/\?next=.*console"))  # the page hears of it, too


@pytest.mark.feature("F001")
def test_a_page_left_open_says_that_one_is_signed_out(person, demo):
    page = person.stranger(demo)
    sign_in(page, ADMIN, PASSWORD, "/login/?next=/jobs/")
    page.wait_for_load_state()  # its scripts are there
    page.context.clear_cookies(name="gwm_session")
    page.evaluate("htmx.trigger(document.body, 'jobs-changed')")
    expect(page).to_have_url(re.compile(r"/login/\?next=%2Fjobs%2F"))


@pytest.mark.feature("F007", "F055")
def test_a_stranger_sees_what_to_do(person, demo, watch):
    demo.add_person("stranger", "some-password")
    page = person(demo, "stranger", "some-password")
    page.goto("/")
    expect(page.get_by_role("heading", name="You have no access to any machine yet")).to_be_visible()
    expect(page.get_by_text("Your user name is stranger")).to_be_visible()
    page.goto("/vms/")
    expect(page.get_by_role("heading", name="You have no access to any machine yet")).to_be_visible()
    watch.allow(403, 404)
    page.goto("/clusters/add/")
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    page.goto("/clusters/demo/")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


@pytest.mark.feature("F007")
def test_errors_look_like_the_rest(page, watch):
    watch.allow(404, 405, 403)
    page.goto("/no/such/page/")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.goto("/logout/")
    expect(page.get_by_role("heading", name="This URL can't be used that way")).to_be_visible()
    page.goto("/")
    page.evaluate(
        """() => { const form = document.createElement("form"); form.method = "post"; form.action = "/logout/";
                   document.body.append(form); form.submit(); }"""
    )
    expect(page.get_by_role("heading", name="This form is too old")).to_be_visible()


@pytest.mark.feature("F026")
def test_nothing_yet_says_what_comes_first(person, bare):
    page = person(bare)
    page.goto("/")
    expect(page.get_by_role("heading", name="No cluster yet")).to_be_visible()
    page.locator("main").get_by_role("link", name="Add a cluster").click()
    expect(page.get_by_role("heading", name="Add a cluster")).to_be_visible()
