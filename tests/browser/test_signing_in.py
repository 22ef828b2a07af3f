"""Signing in and out, and what people without rights see."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in
from tests.browser.product import ADMIN, PASSWORD


@pytest.mark.feature("F001")
def test_one_comes_to_where_one_wanted_to_go(person, demo):
    page = person.stranger(demo)
    page.goto("/vms/?status=running&q=web")
    expect(page).to_have_url(re.compile("/login/"))
    expect(page.get_by_text("to go on to /vms/?status=running&q=web")).to_be_visible()
    page.get_by_label("User name").fill(ADMIN)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("User name")).to_have_value(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page).to_have_url(re.compile(r"/vms/\?status=running&q=web$"))
    expect(page.get_by_role("link", name="web1.example.org")).to_be_visible()


@pytest.mark.feature("F001")
def test_signing_out_ends_it(person, demo):
    page = person.stranger(demo)
    sign_in(page, ADMIN, PASSWORD)
    page.locator(".top-tools details.menu summary", has_text=ADMIN).click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/vms/")
    expect(page).to_have_url(re.compile("/login/"))


@pytest.mark.feature("F001")
def test_a_page_left_open_says_that_one_is_signed_out(person, demo):
    page = person.stranger(demo)
    sign_in(page, ADMIN, PASSWORD, "/login/?next=/jobs/")
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
    expect(page.get_by_role("heading", name="This address does not take that")).to_be_visible()
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
