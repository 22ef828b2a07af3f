"""The tests in a browser come to every page; a page without an address there stops all of them, so it is seen here."""

from tests.browser.addresses import list_pages


def test_every_page_has_an_address_for_the_tests_in_a_browser() -> None:
    names = [page.name for page in list_pages()]
    assert len(names) == len(set(names)) > 100
