"""A machine: start, shut down, reboot; its state follows by itself; its jobs with their logs."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.messages import hear
from tests.browser.waiting import reload_until

LOG = "Log of the job"


@pytest.fixture
def mark(page):
    """Puts a mark into the page; `mark()` says whether it is still the same page, not a new one."""

    def is_there():
        return page.evaluate("window.markOfTheTest === true")

    def put():
        page.evaluate("window.markOfTheTest = true")
        return is_there

    return put


def path_of(machine):
    return f"/clusters/lab/vms/{machine}/"


def state(page):
    return page.locator("#vm-head .state")


def confirm(page, label):
    """Press a button of the machine's, and the same word in the dialog that asks."""
    page.locator("#vm-head").get_by_role("link", name=label, exact=True).click()
    dialog = page.locator("dialog#dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name=label, exact=True).click()


@pytest.mark.feature("F142", "F144", "F145", "F127", "F073", "F077", "F231", "F234")
def test_shut_down_start_and_reboot_without_a_reload(page, lab, machine, mark):
    page.goto(path_of(machine))
    expect(state(page)).to_have_text("running")
    lab.hold_jobs()
    try:
        confirm(page, "Shut down")
        expect(state(page)).to_have_text("shutting down")
        hear(page, r"Shut down .*: job \d+ is in progress")
        reboot = page.locator("#vm-head").get_by_role("button", name="Reboot")
        expect(reboot).to_have_attribute("aria-disabled", "true")
        expect(page.locator("#vm-work")).to_contain_text("Shut down")
        is_same_page = mark()
    finally:
        lab.release_jobs()
    expect(state(page)).to_have_text("stopped")
    expect(page.locator("#vm-head").get_by_role("link", name="Start", exact=True)).to_be_visible()
    expect(page.locator("#vm-work .state")).to_have_text("succeeded")
    assert is_same_page()

    confirm(page, "Start")
    is_same_page = mark()
    expect(state(page)).to_have_text("running")
    assert is_same_page()

    confirm(page, "Reboot")
    is_same_page = mark()
    hear(page, "Reboot")
    expect(state(page)).to_have_text("running")
    jobs = [job.summary for job in lab.queue.jobs.values() if any(o.get("instance_name") == machine for o in job.ops)]
    assert len(jobs) == 3


@pytest.mark.feature("F144")
def test_no_is_no(page, lab, machine):
    page.goto(path_of(machine))
    before = len(lab.queue.jobs)
    page.locator("#vm-head").get_by_role("link", name="Shut down", exact=True).click()
    dialog = page.locator("dialog#dialog")
    expect(dialog).to_contain_text(f"Shut down {machine}?")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).not_to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(path_of(machine)) + "$"))
    assert len(lab.queue.jobs) == before


@pytest.mark.feature("F198")
@pytest.mark.parametrize("tab", ["", "console/"])
def test_an_open_page_says_when_its_machine_was_deleted_and_by_whom(page, demo, lab, machine, mark, watch, tab):
    watch.allow(410, "Connection closed")
    page.goto(path_of(machine) + tab)
    is_same_page = mark()
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    demo.manage("operate", "vm.delete", f"lab/{machine}", "--as=admin")
    expect(page.locator("#work")).to_contain_text(f"{machine} was deleted by admin")
    expect(page.locator("#work .head .state")).to_have_text("deleted")
    expect(page.locator("#work .tabs")).to_have_count(0)
    assert is_same_page()


@pytest.mark.feature("F144", "F143")
def test_a_wait_that_is_too_long_is_not_sent(page, lab, machine):
    page.goto(path_of(machine))
    page.locator("#vm-head").get_by_role("link", name="Shut down", exact=True).click()
    dialog = page.locator("dialog#dialog")
    wait = dialog.get_by_label("Shutdown timeout, in seconds")
    expect(wait).to_be_focused()
    wait.fill("9999")
    before = len(lab.queue.jobs)
    dialog.get_by_role("button", name="Shut down", exact=True).click()
    expect(dialog).to_be_visible()
    assert wait.evaluate("field => field.validity.rangeOverflow")
    assert len(lab.queue.jobs) == before


@pytest.mark.feature("F235", "F242", "F143")
def test_the_clusters_refusal_is_shown_in_its_words(page, lab, machine, watch):
    watch.allow(409)
    page.goto(path_of(machine))
    fault = lab.faults.queue_full(path=rf"/2/instances/{machine}/shutdown")
    try:
        confirm(page, "Shut down")
        expect(page.get_by_text("It was not done.")).to_be_visible()
        expect(page.get_by_text("Queue drained")).to_be_visible()
    finally:
        lab.faults.remove(fault)
    page.goto(path_of(machine))
    expect(state(page)).to_have_text("running")


@pytest.mark.feature("F232", "G001", "F233", "F237")
def test_a_jobs_log_is_live_and_goes_on_after_a_reload(page, lab, machine, mark):
    lab.hold_jobs()
    try:
        job = lab.outside.submit("INSTANCE_MIGRATE", instance_name=_migratable(lab, machine))
        page.goto(f"/clusters/lab/jobs/?sort=-id&q={job.id}")
        found = page.locator("main tbody").get_by_role("link", name=re.compile("igrat")).first
        reload_until(page, found)
        found.click()
        log = page.get_by_role("log", name=LOG)
        expect(page.locator("#job-live .state").first).to_have_text(re.compile("queued|waiting|running"))
        is_same_page = mark()
        lab.advance(4)
        expect(log).to_contain_text("checking disk consistency")
        assert is_same_page()
        page.reload()
        expect(log).to_contain_text("checking disk consistency")
        is_same_page = mark()
    finally:
        lab.release_jobs()
    expect(log).to_contain_text("* done")
    expect(page.locator("#job-live .state").first).to_have_text("succeeded")
    expect(page.locator("#work .state").filter(has_text="running")).to_have_count(0)
    expect(page.locator("#work .actions").get_by_text("Cancel job")).to_have_count(0)
    assert is_same_page()
    assert log.inner_text().count("checking disk consistency") == 1


def _migratable(lab, name):
    """The machine, with a mirror of its disk elsewhere."""
    with lab.cluster.lock:
        instance = lab.cluster.instances[name]
        instance.disk_template = "drbd"
        instance.secondary = next(node for node in lab.cluster.nodes if node != instance.primary)
    return name


@pytest.mark.feature("F242", "F241", "G001")
def test_a_job_that_waits_says_for_what_and_is_cancelled(page, lab, machine):
    lab.hold_jobs()
    try:
        first = lab.outside.submit("INSTANCE_REBOOT", instance_name=machine, reboot_type="hard")
        lab.advance(2)
        second = lab.outside.submit("INSTANCE_SHUTDOWN", instance_name=machine)
        with lab.cluster.lock:
            lab.queue.advance(second)
            lab.queue.advance(second)
        page.goto(f"/clusters/lab/vms/{machine}/jobs/")
        reload_until(page, page.get_by_role("table", name="Jobs"), rf"\b{second.id}\b")
        page.goto(f"/clusters/lab/jobs/{second.id}/")
        expect(page.locator("#job-live")).to_contain_text(f"held by job {first.id}")
        page.get_by_role("link", name="Cancel job", exact=True).click()
        page.locator("dialog#dialog").get_by_role("button", name="Cancel job").click()
        expect(page.locator("#job-live .state").first).to_have_text("cancelled")
    finally:
        lab.release_jobs()
    page.goto(path_of(machine))
    expect(state(page)).to_have_text("running")


@pytest.mark.feature("G001", "F232")
def test_the_dock_counts_what_is_under_way(page, lab, machine, mark):
    page.goto("/about/")
    dock = page.get_by_role("complementary", name="Jobs")
    is_same_page = mark()
    lab.hold_jobs()
    try:
        lab.outside.submit("INSTANCE_REBOOT", instance_name=machine, reboot_type="hard")
        page.evaluate("htmx.trigger(document.body, 'jobs-changed')")
        # One that another test has begun may be among them, and end.
        _ask_until(page, dock, re.compile(rf"in progress.*{machine}|[2-9] jobs in progress", re.DOTALL))
        expect(page.locator("#nav-jobs")).to_have_text(re.compile("^[1-9]"))
        page.keyboard.press("j")
        expect(dock.get_by_role("table")).to_contain_text(machine)
    finally:
        lab.release_jobs()
    expect(dock.get_by_role("table").get_by_text(machine)).to_have_count(0)
    assert is_same_page()


def _ask_until(page, dock, words):
    """Have the dock ask more often than it would by itself while nothing is under way."""
    page.evaluate("window.asking = setInterval(() => htmx.trigger(document.body, 'jobs-changed'), 500)")
    expect(dock).to_contain_text(words)
    page.evaluate("clearInterval(window.asking)")


@pytest.mark.feature("F076", "F074", "G002")
def test_what_others_do_is_seen_by_itself(page, lab, machine):
    page.goto(path_of(machine))
    expect(state(page)).to_have_text("running")
    lab.outside.crash(machine)
    reload_until(page, state(page), "^crashed$")
    lab.outside.start(machine)
    reload_until(page, state(page), "^running$")


@pytest.mark.feature("F143")
def test_the_dialog_focuses_the_way_of_rebooting_that_is_chosen(page, machine):
    page.goto(path_of(machine))
    page.locator("#vm-head").get_by_role("link", name="Reboot", exact=True).click()
    dialog = page.locator("dialog#dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("input[type=radio]:checked")).to_be_focused()
    expect(dialog.locator("input[type=radio]:checked")).to_have_value("hard")
    page.evaluate(
        """() => {
            const dialog = document.querySelector("#dialog");
            dialog.querySelector("input[value=soft]").checked = true;
            const event = new CustomEvent("htmx:afterSwap", { bubbles: true, detail: { target: dialog } });
            dialog.dispatchEvent(event);
        }"""
    )
    expect(dialog.locator("input[value=soft]")).to_be_focused()


@pytest.mark.feature("G048")
def test_a_machine_is_renamed_and_removed_while_its_page_is_open(page, lab, machine, watch):
    page.goto(path_of(machine))
    heading = page.locator("#vm-head h1")
    expect(heading).to_have_text(machine)
    new_name = f"renamed-{machine}"
    lab.outside.rename(machine, new_name)
    expect(heading).to_have_text(new_name)
    page.reload()
    expect(page).to_have_url(re.compile(re.escape(path_of(new_name)) + "$"))
    lab.outside.remove(new_name)
    expect(state(page)).to_have_text("missing")
    page.reload()
    expect(page).to_have_url(re.compile("/vms/[0-9a-f-]{36}/$"))
    expect(page.locator("#vm-head").get_by_role("link", name="Forget", exact=True)).to_be_visible()
    watch.allow(404)  # its page may hear that it is gone before the list is there, and asks once more
    confirm(page, "Forget")
    expect(page).to_have_url(re.compile("/vms/$"))
