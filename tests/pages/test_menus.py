"""Everything that can be done to a machine, in groups: on its page, and from its row in a list."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import get_script_prefix, reverse, set_script_prefix

from operations.groups import Group
from operations.offers import find_obstacle
from operations.table import OPERATIONS
from permissions.models import User
from permissions.policy import verbs_on
from tests.pages.conftest import Site
from ui.places import _PARTS, tabs_of, url_of
from virtualmachines.elsewhere import list_elsewhere
from virtualmachines.operations import VM_OPERATIONS

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
PAGE = "/clusters/prod/vms/web1.example.org/"


def read(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def offered(html: str, prefix: str = "") -> list[str]:
    """The verbs for which there is a button or an entry of a menu, in their order."""
    return re.findall(rf'\bid="{prefix}do-([a-z_-]+)"', html)


def test_the_page_and_the_row_offer_the_same_in_the_order_of_the_groups(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    there = {each.verb: each.group for each in VM_OPERATIONS if each.suits(site.web)}
    there |= {each.name: each.group for each in list_elsewhere(site.web, verbs_on(site.admin, site.web))}
    there |= dict.fromkeys(("create-like", "save-as-template"), Group.SETTINGS)  # pages that are filled in with it
    on_page, on_row = offered(read(client, PAGE)), offered(read(client, f"{PAGE}actions/"), "row-")
    assert sorted(on_page) == sorted(on_row) == sorted(there)
    order = [there[verb] for verb in on_row]
    assert order == sorted(order, key=list(Group).index)
    row = next(line for line in read(client, "/vms/").split("<tr ") if f'id="vm-{site.web.pk}"' in line)
    (link,) = re.findall(r'class="row-menu" href="([^"]+)" aria-label="Actions on web1\.example\.org"', row)
    assert offered(read(client, link), "row-") == on_row


def test_what_cannot_be_done_says_why_in_the_menu(site: Site, sign_in: SignIn) -> None:
    html = read(sign_in(site.admin), f"{PAGE}actions/")
    refused = [each for each in VM_OPERATIONS if each.suits(site.web) and not each.detour(site.web)]
    refused = [each for each in refused if find_obstacle(each, site.web)]
    assert "start" in [each.verb for each in refused]
    for operation in refused:
        item = html.split(f'id="row-do-{operation.verb}"')[1].split("</button>")[0]
        assert 'aria-disabled="true"' in item and 'class="reason"' in item


def test_a_group_has_a_heading_only_where_there_are_several(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    titles = re.findall(r'class="menu-title" id[^>]*>([^<]+)<', read(client, f"{PAGE}actions/"))
    assert titles[:2] == ["Power", "Settings"]
    head = read(client, "/clusters/prod/").split('class="actions"')[1].split("</div></details>")[0]
    assert "menu-section" in head and "menu-title" not in head


# The first has to be quoted.
@pytest.mark.parametrize("name", ["web 1%ä", "0"])
@pytest.mark.parametrize("kind", ["vm", "cluster", "node", "job", "team", "person", "template"])
def test_urls_of_what_an_object_has_are_those_that_django_gives(kind: str, name: str) -> None:
    where = {"job": ["prod", "7"], "cluster": ["prod"], "team": [name], "person": [name]}.get(kind, ["prod", name])
    for prefix in ("/", "/gwm/"):
        set_script_prefix(prefix)
        for tab, part in zip(tabs_of(kind, where, "", EVERYTHING), _PARTS[kind], strict=True):
            assert tab.url == reverse(part.url_name, args=where)
        for operation in (each for each in OPERATIONS.values() if each.kind == kind and not each.is_on_site):
            there = reverse(f"{kind}-do", args=[*where, operation.verb])
            assert url_of(kind, where, f"{kind}-do", operation.verb) == there


def test_a_url_that_is_not_below_the_page_is_found_all_the_same() -> None:
    where = ["prod", "web1.example.org"]
    assert url_of("vm", where, "vm-key-feed") == reverse("vm-key-feed", args=where)


@pytest.fixture(autouse=True)
def script_prefix() -> Iterator[None]:
    """The same as before, whatever a test has set."""
    before = get_script_prefix()
    yield
    set_script_prefix(before)


class _Everything(frozenset[str]):
    """Every right."""

    def __contains__(self, _verb: object) -> bool:
        return True


EVERYTHING = _Everything()
