"""What stands around every page: navigation, dock, health, and how values are worded."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Job
from gwm import VERSION
from gwm.context import is_below
from permissions.models import User
from permissions.services import grant
from tests.factories import make_job, make_user
from tests.pages.conftest import Site
from tests.up.running import ROOT
from ui.templatetags.units import as_words
from virtualmachines.selectors import count_all_by_state, count_there
from virtualmachines.templatetags.machines import os_name

SignIn = Callable[[User], Client]


def places(client: Client) -> dict[str, int | None]:
    """The places of the navigation and what they count."""
    return {item.label: item.count for section in client.get("/about/").context["nav"] for item in section.items}


def test_navigation_counts_what_one_sees(site: Site, sign_in: SignIn) -> None:
    assert places(sign_in(site.admin)) == {
        "Overview": None,
        "Virtual machines": 3,
        "Templates": None,
        "Clusters": 2,
        "Nodes": 2,
        "Reconciliation": None,
        "Teams": None,
        "Jobs": 1,
        "Journal": None,
        "People": None,
    }
    assert places(sign_in(site.alice)) == {
        "Overview": None,
        "Virtual machines": 2,
        "Teams": None,
        "Jobs": 1,
        "Journal": None,
    }
    creator = make_user("creator")
    grant(["create_vm"], creator, site.prod)
    assert places(sign_in(creator)) == {
        "Overview": None,
        "Virtual machines": 0,
        "Templates": None,
        "Clusters": 1,
        "Teams": None,
        "Jobs": 0,
        "Journal": None,
    }


def test_links_lead_only_where_one_may_go(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.alice).get("/clusters/prod/vms/web1.example.org/").content.decode()
    assert 'href="/clusters/prod/"' not in page
    assert "/nodes/" not in page
    mover = make_user("mover")
    grant(["export"], mover, site.prod)
    page = sign_in(mover).get("/clusters/prod/vms/web1.example.org/").content.decode()
    assert 'href="/clusters/prod/"' in page
    assert "/nodes/node1" not in page


@pytest.mark.feature("F089")
def test_who_administers_a_cluster_is_offered_what_may_be_done_to_it(site: Site, sign_in: SignIn) -> None:
    manager = make_user("manager")
    grant(["admin"], manager, site.prod)
    assert {"Clusters", "Nodes", "Reconciliation"} <= set(places(sign_in(manager)))
    page = sign_in(manager).get("/clusters/prod/").content.decode()
    offered = ("edit/", "rights/", "quotas/", "reconciliation/", "do/remove/")
    assert [each for each in offered if f'"/clusters/prod/{each}"' not in page] == []
    viewer = make_user("viewer")
    grant(["migrate"], viewer, site.prod)
    page = sign_in(viewer).get("/clusters/prod/").content.decode()
    assert [each for each in offered if f'"/clusters/prod/{each}"' in page] == []


@pytest.mark.feature("F008")
def test_what_this_is_and_which_version_is_told(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.alice).get("/about/").content.decode()
    assert f"<strong>Ganeti Web Manager</strong> {VERSION}:" in page
    assert "Open Source Lab of Oregon State University" in page and "GNU General Public License" in page
    assert 'href="/about/"' in sign_in(site.alice).get("/vms/").content.decode(), "it can be found"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "/"),
        ("/vms/", "/vms/"),
        ("/clusters/prod/vms/web1/jobs/", "/vms/"),
        ("/clusters/prod/vms/", "/clusters/"),
        ("/clusters/prod/", "/clusters/"),
        ("/clusters/prod/nodes/", "/clusters/"),
        ("/clusters/prod/nodes/node1/primary/", "/nodes/"),
        ("/clusters/prod/jobs/7/", "/jobs/"),
        ("/jobs/", "/jobs/"),
    ],
)
def test_place_of_a_page(path: str, place: str) -> None:
    assert [url for url in ("/", "/vms/", "/clusters/", "/nodes/", "/jobs/", "/journal/") if is_below(path, url)] == [
        place
    ]


@pytest.mark.feature("F233", "G045")
def test_the_frame_comes_by_itself_as_it_is_around_a_page(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.alice)
    frame = client.get("/dock/?path=/vms/").content.decode()
    assert "1 job in progress" in frame
    assert 'id="nav-jobs">1</span>' in frame
    assert re.search(r'href="/vms/"\s+aria-current="page"', frame)
    assert client.get("/about/").content.decode().count('id="nav-jobs"') == 1
    Job.objects.update(status="error", ended_at=timezone.now(), error="no")
    assert "1 failed in the last hour" in client.get("/dock/").content.decode()
    make_job(site.edge)
    assert "No job in progress" in client.get("/dock/").content.decode()


def test_health_tells_what_is_wrong_and_what_to_do(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.admin).get("/health/").content.decode()
    for text in ("Worker and beat", "never seen", "Start both", "Console proxy", "up to date", "enough room", "prod"):
        assert text in page


@pytest.mark.feature("F128")
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("debian+12", "Debian 12"),
        ("debootstrap+default", "Debootstrap"),
        ("image+ubuntu-noble", "Ubuntu Noble"),
        ("snf-image", "Snf Image"),
        ("", ""),
    ],
)
def test_names_of_systems(given: str, shown: str) -> None:
    assert os_name(given) == shown


def test_values_of_parameters() -> None:
    assert [as_words(value) for value in (True, False, None, 0, "x", ["a", 1, None])] == [
        "yes",
        "no",
        "none",
        "0",
        "x",
        "a, 1, none",
    ]
    assert as_words({"mode": "bridged", "link": None, "vlan": False}) == "mode=bridged, link=none, vlan=no"
    assert as_words([{"size": 1024}, {"size": 2048, "vg": ["a", "b"]}]) == "size=1024; size=2048, vg=a, b"
    assert as_words([[0, {"size": 1}], ["add", {}]]) == "0; size=1; add; "


def test_what_a_page_has_counted_anyway_is_not_counted_again_for_its_frame(site: Site, sign_in: SignIn) -> None:
    for user in (site.admin, site.alice):
        with CaptureQueriesContext(connection) as queries:
            page = sign_in(user).get("/vms/")
        counted = [each["sql"] for each in queries if "sum_machines" in each["sql"]]
        assert len(counted) == 1
        machines = {item.label: item.count for item in page.context["nav"][0].items}["Virtual machines"]
        assert machines == count_there(count_all_by_state(user)) > 0


HOLDS = re.compile(r'^const \w+ = document\.getElementById\("([\w-]+)"\)', re.MULTILINE)


@pytest.mark.parametrize("url", ["/vms/", "/clusters/prod/vms/", "/clusters/prod/nodes/node1.example.org/primary/"])
def test_what_a_script_keeps_hold_of_is_not_renewed(site: Site, sign_in: SignIn, url: str) -> None:
    """The work area is read anew, and an element within it may be another one afterwards."""
    held = {name for script in (ROOT / "static/js").glob("*.js") for name in HOLDS.findall(script.read_text())}
    html = sign_in(site.admin).get(url).content.decode()
    before, _, rest = html.partition("<main ")
    within, _, after = rest.partition("</main>")
    assert {name for name in held if f'id="{name}"' in within} == set()
    assert 'id="screen-peek"' in after and "screen-peek" in held
    assert {"nav", "connection"} <= {name for name in held if f'id="{name}"' in before}
