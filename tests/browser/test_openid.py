"""Signing in with an OpenID Connect provider, in a browser: our policy of content lets the way there and back."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.conftest import run_product, sign_in
from tests.browser.product import ADMIN, PASSWORD
from tests.people.openid import running_provider, tell

_FILE = """
[corp]
name = "Corporate sign-in"
issuer = "{issuer}"
client_id = "gwm"
client_secret = "marker-secret-of-the-client"
adds_accounts = true
"""


@pytest.fixture(scope="module")
def issuer():
    with running_provider() as there:
        yield there


@pytest.fixture(scope="module")
def product(tmp_path_factory, issuer):
    directory = tmp_path_factory.mktemp("openid")
    (directory / "openid.toml").write_text(_FILE.format(issuer=issuer))
    yield from run_product(
        directory,
        "--no-demo",
        GWM_OPENID_FILE=str(directory / "openid.toml"),
    )


def go_there_as(page, watch, issuer, subject):
    """What happens at the provider, whose style comes from elsewhere and may not be had."""
    watch.allow("cdn.jsdelivr.net", "favicon.ico")
    expect(page).to_have_url(re.compile(re.escape(issuer)))
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


@pytest.mark.feature("G028")
def test_there_and_back(product, person, watch, issuer):
    tell(issuer, "s-1", preferred_username="ann", given_name="Ann")
    page = person.stranger(product)
    page.goto("/login/?next=/journal/")
    assert axe.check(page) == []
    page.get_by_role("button", name="Sign in with Corporate sign-in").click()
    go_there_as(page, watch, issuer, "s-1")
    expect(page).to_have_url(re.compile("/journal/$"))
    expect(page.locator(".top-tools details.menu summary", has_text="ann")).to_be_visible()


@pytest.mark.feature("G028")
def test_connecting_an_account(product, person, watch, issuer):
    page = person.stranger(product)
    sign_in(page, ADMIN, PASSWORD, "/login/?next=/account/sign-in/")
    assert axe.check(page) == []
    page.get_by_role("button", name="Connect Corporate sign-in").click()
    go_there_as(page, watch, issuer, "the-admin")
    expect(page).to_have_url(re.compile("/account/sign-in/$"))
    expect(page.get_by_role("button", name="Disconnect Corporate sign-in")).to_be_visible()
    expect(page.get_by_text("You can sign in with Corporate sign-in now.")).to_be_visible()
