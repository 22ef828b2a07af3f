"""A team of three at work on a real Ganeti: let go within a quota, left by somebody, and told of afterwards."""

import re
from functools import partial

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import expect_signed_out, run_product
from tests.browser.messages import SENT, hear
from tests.browser.product import PASSWORD
from tests.up.running import eventually

pytestmark = pytest.mark.ganeti
ANNS, BENS = "vm51.lab.test", "vm52.lab.test"
TEAM = "@web"


@pytest.fixture(scope="module")
def product(tmp_path_factory, ganeti):
    """With the lab's cluster, and four people who may do nothing yet."""
    for product in run_product(tmp_path_factory.mktemp("team"), "--no-demo"):
        product.add_cluster("real", ganeti)
        for name in ("ann", "ben", "cleo", "aud"):
            product.add_person(name, PASSWORD)
        product.manage("sync_clusters", "real")  # the second update reads which OS there are
        eventually(partial(product.read, "Cluster.objects.get().operating_systems"), what="the list of OS")
        yield product
        ganeti.remove_instances()


def do(page, url, **given):
    """What an operation's own page asks for, and its button."""
    page.goto(url)
    form = page.locator("main form.confirm")
    for name, value in given.items():
        box = form.locator(f'input[type=checkbox][name="{name}"][value="{value}"]')
        if box.count():
            box.check()
        else:
            form.locator(f'[name="{name}"]').fill(value)
    form.locator("button[type=submit]").first.click()
    expect(page).not_to_have_url(re.compile("/do/"))


def act_for_the_team(page):
    page.goto("/acting/")
    page.locator("main").get_by_role("button", name=re.compile("web")).click()
    expect(page.locator(".persona").first).to_contain_text("web")


def fill_in(page, name):
    """The five fields of a machine."""
    page.goto("/vms/create/?cluster=real")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_label("Operating system").select_option("gwm-keyboard")
    page.get_by_label("Virtual CPUs").fill("1")
    page.get_by_label("Memory", exact=True).fill("128 MiB")
    page.get_by_label("Disk", exact=True).fill("128 MiB")
    page.get_by_role("button", name="Create", exact=True).click()


def create(page, name):
    fill_in(page, name)
    expect(page.locator("#vm-head h1")).to_have_text(name)
    expect(page.locator("#vm-head .state")).to_have_text("running")


def press(page, machine, label, ends):
    """A button of a machine's page, up to the end of its job."""
    page.goto(f"/clusters/real/vms/{machine}/")
    page.locator("#vm-head").get_by_role("link", name=label, exact=True).click()
    page.locator("dialog#dialog").get_by_role("button", name=label, exact=True).click()
    hear(page, SENT)
    expect(page.locator("#vm-work .state").first).to_have_text("succeeded")
    expect(page.locator("#vm-head .state")).to_have_text(ends)


@pytest.mark.feature("G015", "G016", "G018", "F147", "F142", "F120")
def test_it_is_set_up_works_loses_somebody_and_is_accounted_for(person, product, ganeti, watch):
    watch.allow(422, 403)
    admin = person(product)
    do(admin, "/teams/do/create/", name="web")
    for name in ("ann", "ben", "cleo"):
        do(admin, "/teams/web/do/add-member/", who=name)
    do(admin, "/clusters/real/do/grant/", who=TEAM, verbs="create_vm")
    do(admin, "/clusters/real/do/set-quota/", who=TEAM, machines="2")

    # Each does a day's work, as the team and within its quota.
    ann, ben, cleo = (person(product, name, PASSWORD) for name in ("ann", "ben", "cleo"))
    for each in (ann, ben, cleo):
        act_for_the_team(each)
    create(ann, ANNS)
    create(ben, BENS)
    fill_in(cleo, "vm53.lab.test")
    expect(cleo.get_by_role("alert").first).to_contain_text("quota")
    press(cleo, ANNS, "Reboot", "running")
    assert sorted(ganeti.instance_names()) == [ANNS, BENS]

    # Somebody leaves: at once, and nothing of the team's is lost.
    do(admin, "/person/ben/do/deactivate/")
    expect_signed_out(ben)
    ben.goto(f"/clusters/real/vms/{BENS}/")
    expect(ben).to_have_url(re.compile(f"/login/.*{BENS}"))
    press(ann, BENS, "Shut down", "stopped")
    assert ganeti.instance(BENS, "status") == ["ADMIN_down"]

    # An auditor reads who did what and why they could, and may do nothing.
    product.manage("grant", "aud", "--role=auditor", "--on=everything", "--as=admin")
    aud = person(product, "aud", PASSWORD)
    aud.goto("/journal/?q=actor:ben")
    expect(aud.locator("main tbody")).to_contain_text(BENS)
    aud.goto(f"/journal/?q=what:{BENS}")
    for who in ("ann", "ben"):
        expect(aud.locator("main tbody")).to_contain_text(who)
    aud.goto(f"/explain/?who=cleo&on=real/{ANNS}&verb=power")
    expect(aud.locator("main tbody")).to_contain_text("through team @web")
    aud.goto(f"/explain/?who=ben&on=real/{BENS}&verb=power")
    expect(aud.locator("main tbody")).to_contain_text(re.compile(r"\bno\b"))
    assert aud.goto(f"/clusters/real/vms/{BENS}/do/start/").status == 403
