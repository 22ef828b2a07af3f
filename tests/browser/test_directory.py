"""Signing in with the password that an LDAP directory keeps, in a browser."""

import pytest
from playwright.sync_api import expect

from tests.people.ldap_here import demand_ldap

demand_ldap()

from tests.browser import axe  # noqa: E402
from tests.browser.conftest import run_product, sign_in  # noqa: E402
from tests.browser.product import ADMIN  # noqa: E402
from tests.browser.product import PASSWORD as HERE  # noqa: E402
from tests.people.directory import ADMIN as BIND_DN  # noqa: E402
from tests.people.directory import PASSWORD, PEOPLE, SECRET, running_tree  # noqa: E402

pytestmark = [pytest.mark.feature("F006"), pytest.mark.program("slapd", "slapd ldap-utils")]
_FILE = """
name = "Corporate directory"
servers = ["{url}"]
ca_file = "{ca_file}"
base = "{base}"
bind_dn = "{bind_dn}"
bind_password = "{secret}"
adds_accounts = true
password_url = "https://password.example.org/"
"""


@pytest.fixture(scope="module")
def tree():
    with running_tree() as running:
        running.fill()
        yield running


@pytest.fixture(scope="module")
def product(tmp_path_factory, tree):
    place = tmp_path_factory.mktemp("ldap")
    server = tree.server
    about = {"url": server.url, "ca_file": server.ca_file, "base": PEOPLE, "bind_dn": BIND_DN, "secret": SECRET}
    (place / "ldap.toml").write_text(_FILE.format(**about))
    yield from run_product(place, "--no-demo", GWM_LDAP_FILE=str(place / "ldap.toml"))


def test_who_is_in_the_directory_signs_in_and_an_administrator_sees_how_it_is(product, person, watch, tree):
    tree.person("ann", givenName="Ann")
    page = person.stranger(product)
    page.goto("/login/")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".top-tools details.menu summary", has_text="ann")).to_be_visible()
    page.goto("/account/")
    expect(page.get_by_text("kept by Corporate directory")).to_be_visible()
    assert axe.check(page) == []
    other = person.stranger(product)
    sign_in(other, ADMIN, HERE)
    other.goto("/health/")
    expect(other.get_by_text("LDAP directory")).to_be_visible()
    other.goto("/account/sign-in/directory/")
    expect(other.get_by_label("Password there")).to_be_visible()
    assert axe.check(other) == []
