"""Second factors in a browser: an authenticator app, and passkeys of Chromium's virtual authenticator."""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.product import PASSWORD, Product

pytestmark = pytest.mark.feature("G028")


def named(product: Product) -> str:
    """Passkeys belong to a host name."""
    return product.address.replace("127.0.0.1", "localhost")


def add_authenticator(page: Page) -> None:
    """One that is part of the browser's device and knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    has = {"protocol": "ctap2", "transport": "internal"}
    can = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**has, **can, "automaticPresenceSimulation": True}})


def type_password(page: Page, name: str) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).not_to_have_url(re.compile("/login/$"))  # going on at once would take the click back


def sign_out(page: Page, name: str) -> None:
    page.goto("/account/")
    page.locator(".top-tools details.menu summary", has_text=name).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login/"))


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_an_app_is_set_up_and_its_code_signs_in_once(person, bare, watch):
    watch.allow(422)
    bare.add_person("appy", PASSWORD)
    page = person.stranger(bare)
    type_password(page, "appy")
    page.goto("/account/")
    page.get_by_role("link", name="Set up").click()
    assert axe.check(page) == []
    page.get_by_role("link", name="Set up app").click()
    expect(page.get_by_role("img", name="QR code of the secret")).to_be_visible()
    assert axe.check(page) == []
    secret = "".join(page.locator("p.mono").inner_text().split())
    used = code_now(secret)
    page.get_by_label("Code that the app shows").fill(used)
    page.get_by_role("button", name="Set up app").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator("pre").inner_text().split()
    assert len(codes) == 10 and axe.check(page) == []
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("10 codes are left.")).to_be_visible()
    sign_out(page, "appy")
    type_password(page, "appy")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert axe.check(page) == []
    page.get_by_label("Code").fill(used)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("was used already")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_attached()


def test_a_passkey_is_a_second_factor_and_signs_in_by_itself(person, bare, watch):
    watch.allow(422)
    bare.add_person("keyed", PASSWORD)
    page = person.stranger(bare, base_url=named(bare))
    add_authenticator(page)
    type_password(page, "keyed")
    page.goto("/account/factors/passkeys/add/")
    assert axe.check(page) == []
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_role("row", name="laptop")).to_be_visible()
    assert axe.check(page) == []

    sign_out(page, "keyed")
    type_password(page, "keyed")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_attached()

    sign_out(page, "keyed")
    page.goto("/login/?next=/jobs/")
    assert axe.check(page) == []
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile(r":\d+/jobs/$"))

    # It also shows who one is, before something is removed.
    page.goto("/account/again/?next=/account/factors/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile(r":\d+/account/factors/$"))
    page.get_by_role("link", name="Remove laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Second factor removed.")).to_be_visible()

    # What is kept in the browser for an account that has forgotten it lets nobody in.
    sign_out(page, "keyed")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No account here has this passkey")
