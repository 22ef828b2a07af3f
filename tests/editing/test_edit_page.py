"""The page on which a machine is changed: what one sees is what is asked, and what is asked is what was shown."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from clusters.models import Job
from objectlog.models import Entry, Event, Outcome
from operations.contract import Refusal
from operations.lanes import work_lane
from operations.models import Batch, BatchItem
from operations.planning import Step, plan_steps
from operations.table import OPERATIONS
from permissions.services import grant, persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
from tests.editing.conftest import Desk
from virtualmachines.models import VMUserGrant

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F190")]


class Browser:
    """Sends forms as a browser without a script does: all of their fields, as they stand there."""

    def __init__(self, desk: Desk, client: Client) -> None:
        self.desk, self.client = desk, client
        self.url = reverse("vm-modify", args=["lab", desk.vm.name])
        self.page: Any = None
        client.force_login(desk.alice.user)

    @property
    def text(self) -> str:
        """The page as it came."""
        return str(self.page.content.decode())

    def open(self, url: str = "") -> "Browser":
        """Go there."""
        self.page = self.client.get(url or self.url)
        return self

    @property
    def fields(self) -> dict[str, str]:
        """What the form would send."""
        form = self.page.context["form"]
        values = {name: form[name].value() or "" for name in form.fields}
        return {**values, "opened": self.page.context["opened"]}

    def send(self, **typed: str) -> "Browser":
        """The form with these fields typed over."""
        self.page = self.client.post(self.url, {**self.fields, **typed}, follow=True)
        return self

    def confirm(self, **typed: str) -> "Browser":
        """The page that says what would be other."""
        where = re.search(r'id="confirm" method="post" action="([^"]+)"', self.text)
        assert where is not None
        self.page = self.client.post(where[1].replace("&amp;", "&"), typed, follow=True)
        return self


@pytest.fixture
def browser(desk: Desk, client: Client) -> Browser:
    return Browser(desk, client)


@pytest.mark.feature("F184")
def test_from_the_form_by_the_confirmation_to_ganeti(desk: Desk, browser: Browser) -> None:
    browser.open().send(**{"beparams.vcpus": "4", "beparams.maxmem": "2 GiB"})
    assert browser.page.redirect_chain and desk.scene.submissions() == 0, "nothing is sent before it is confirmed"
    assert "Virtual CPUs" in browser.text and "<ins>4</ins>" in browser.text
    browser.confirm()
    desk.settle(Entry.objects.get())
    assert (desk.vm.vcpus, desk.vm.memory_mib) == (4, 2048)


@pytest.mark.alike
@pytest.mark.feature("G031")
def test_the_confirmation_shows_command_and_call(desk: Desk, browser: Browser) -> None:
    browser.open().send(**{"beparams.vcpus": "4"})
    assert "gnt-instance modify" in browser.text and "vcpus=4" in browser.text and desk.scene.submissions() == 0


@pytest.mark.alike
def test_what_is_sent_is_what_was_shown(desk: Desk, browser: Browser) -> None:
    """Whatever a confirmation is sent with: what it means was kept on the server."""
    browser.open().send(**{"beparams.vcpus": "4"})
    browser.confirm(**{"beparams.vcpus": "8", "wanted": '{"os": "noop"}', "opened": "x"})
    assert Entry.objects.get().params["wanted"] == {"beparams": {"vcpus": 4}}


@pytest.mark.alike
def test_nothing_typed_is_nothing_changed(browser: Browser) -> None:
    assert "Nothing was changed" in browser.open().send().text and browser.page.status_code == 422


@pytest.mark.alike
def test_what_is_wrong_stands_at_its_field(desk: Desk, browser: Browser) -> None:
    browser.open().send(**{"beparams.vcpus": "0", "hvparams.boot_order": "cdrom"})
    assert browser.page.status_code == 422
    assert {"beparams.vcpus"} <= set(browser.page.context["form"].errors)
    browser.send(**{"beparams.vcpus": "2"})
    assert set(browser.page.context["form"].errors) == {"hvparams.boot_order"}
    assert desk.scene.submissions() == 0


@pytest.mark.alike
@pytest.mark.feature("F186", "F195")
def test_parts_come_and_go_without_a_script(desk: Desk, browser: Browser) -> None:
    desk.stop()
    browser.open().send(add="nics")
    browser.send(**{"nics.1.link": "br9"})
    browser.confirm()
    desk.settle(Entry.objects.get())
    assert desk.there.nics[1].params["link"] == "br9"
    Entry.objects.all().delete()
    gone = desk.there.nics[0]
    browser.open()
    browser.page = browser.client.post(browser.url, {**browser.fields, "remove": "nics.0"})
    browser.send().confirm()
    desk.settle(Entry.objects.get())
    assert len(desk.there.nics) == 1 and gone not in desk.there.nics


@pytest.mark.feature("F195")
def test_a_disk_is_removed_by_who_types_the_name(desk: Desk, browser: Browser) -> None:
    desk.stop()
    desk.edit(wanted={"disks_added": [{"size_mib": 1024}]})
    Entry.objects.all().delete()
    browser.open()
    browser.page = browser.client.post(browser.url, {**browser.fields, "remove": "disks.1"})
    browser.send()
    assert "Type vm1.example.org to confirm" in " ".join(browser.text.split())
    browser.confirm(typed_name="vm2.example.org")
    assert browser.page.status_code == 422 and not Entry.objects.exists()
    browser.confirm(typed_name=desk.vm.name)
    desk.settle(Entry.objects.get())
    assert len(desk.there.disks) == 1


def test_the_second_of_two_is_told_what_the_first_changed(desk: Desk, browser: Browser) -> None:
    browser.open()
    desk.edit(desk.root, wanted={"beparams": {"maxmem": 4096}})
    Entry.objects.all().delete()
    browser.send(**{"beparams.vcpus": "4"})
    assert browser.page.status_code == 409 and "changed this machine since" in browser.text
    assert "<ins>4 GiB</ins>" in browser.text
    assert (browser.fields["beparams.maxmem"], browser.fields["beparams.vcpus"]) == ("4 GiB", "4")
    browser.send().confirm()
    desk.settle(Entry.objects.get())
    assert (desk.vm.vcpus, desk.vm.memory_mib) == (4, 4096), "the change of the first stays"


def test_a_change_between_confirmation_and_saving_is_seen(desk: Desk, browser: Browser) -> None:
    browser.open().send(**{"beparams.vcpus": "4"})
    desk.edit(desk.root, wanted={"beparams": {"maxmem": 4096}})
    Entry.objects.all().delete()
    browser.confirm()
    assert browser.page.status_code == 422 and not Entry.objects.exists()


@pytest.mark.alike
def test_ganetis_refusal_reopens_the_form_with_its_words_at_the_field(desk: Desk, browser: Browser) -> None:
    browser.open().send(osparams_private="key=whisper", **{"beparams.vcpus": "4"})
    words = "Parameter 'be/vcpus' fails validation"
    desk.simulator.faults.refuse(400, words, method="PUT", path="/2/instances/.*/modify")
    browser.confirm()
    assert browser.page.status_code == 422
    assert words in str(browser.page.context["form"].errors["beparams.vcpus"].as_data())
    assert browser.fields["beparams.vcpus"] == "4" and "Type these once more" in browser.text


@pytest.mark.alike
def test_it_is_checked_by_ganeti_first(desk: Desk, browser: Browser) -> None:
    browser.open().send(**{"beparams.vcpus": "4"}).confirm(check="1")
    assert Entry.objects.get().verb == "vm.modify.check" and 'id="check"' in browser.text
    desk.read()
    assert desk.vm.vcpus == 1


def test_what_was_saved_is_saved_once_however_often_it_is_sent(desk: Desk, browser: Browser) -> None:
    """Twice on the button without a script, or Back in the browser."""
    confirmation = browser.open().send(**{"beparams.vcpus": "4"}).page.redirect_chain[-1][0]
    for _time in range(2):
        browser.page = browser.client.post(confirmation, follow=True)
    assert "sent already" in browser.text and browser.page.redirect_chain
    assert "sent already" in str(browser.client.get(confirmation, follow=True).content)
    draft = confirmation.partition("draft=")[2]
    assert browser.open(f"{browser.url}?draft={draft}").page.status_code == 200
    assert desk.scene.submissions() == 1


@pytest.mark.feature("F184")
@pytest.mark.alike
def test_who_only_resizes_memory_changes_both_of_its_sizes(desk: Desk, browser: Browser) -> None:
    """As it was the same before; where a minimum of its own is typed, or was there, it stays."""

    def resized(**typed: str) -> tuple[Any, Any]:
        browser.open().send(**typed).confirm()
        desk.settle(Entry.objects.latest("pk"))
        desk.read()
        return desk.vm.beparams["maxmem"], desk.vm.beparams["minmem"]

    assert resized(**{"beparams.maxmem": "2 GiB", "beparams.minmem": "2 GiB"}) == (2048, 2048)
    assert resized(**{"beparams.maxmem": "1 GiB"}) == (1024, 1024), "smaller than the minimum was"
    assert resized(**{"beparams.maxmem": "3 GiB"}) == (3072, 3072)
    assert resized(**{"beparams.minmem": "1 GiB"}) == (3072, 1024)
    assert resized(**{"beparams.maxmem": "2 GiB"}) == (2048, 1024)


@pytest.mark.feature("F191")
def test_save_and_restart_is_a_batch(desk: Desk, browser: Browser) -> None:
    VMUserGrant.objects.filter(permission__codename="power").delete()
    assert "Save and restart" not in browser.open().send(**{"beparams.vcpus": "4"}).text, "Alice may not restart it"
    grant(["power"], desk.alice.user, desk.vm)
    browser.open().send(**{"beparams.vcpus": "4"})
    browser.confirm(restart="1")
    items = BatchItem.objects.filter(batch=Batch.objects.get()).order_by("position")
    assert [item.key for item in items] == ["vm.modify", "vm.reboot"]
    assert items[1].after == items[0] and not Entry.objects.exclude(outcome=Outcome.SUBMITTING).exists()


@pytest.mark.alike
def test_a_forged_form_is_none(desk: Desk, browser: Browser) -> None:
    browser.open().send(**{"beparams.vcpus": "4", "opened": "forged"})
    assert browser.page.status_code == 409 and desk.scene.submissions() == 0


@pytest.mark.alike
def test_a_change_that_failed_is_opened_again_as_it_was_asked_for(desk: Desk, browser: Browser) -> None:
    browser.open().send(**{"beparams.vcpus": "4", "hvparams.kernel_args": "ro quiet"}).confirm()
    gone = desk.simulator.cluster.instances.pop(desk.vm.name)
    desk.simulator.run_jobs()
    desk.simulator.cluster.instances[desk.vm.name] = gone
    entry = desk.settle(Entry.objects.get())
    assert entry.outcome == Outcome.FAILED
    browser.open(reverse("vm", args=["lab", desk.vm.name]))
    again = re.search(r'href="([^"]+\?again=[^"]+)"', browser.text)
    assert again is not None
    browser.open(again[1])
    assert "Ganeti says" in str(browser.page.context["form"].errors)
    assert (browser.fields["beparams.vcpus"], browser.fields["hvparams.kernel_args"]) == ("4", "ro quiet")
    browser.send().confirm()
    desk.read()
    assert desk.vm.vcpus == 4
    for nobody in ("x", "0" * 32):
        assert browser.open(f"{browser.url}?again={nobody}").fields["beparams.vcpus"] == "4"
    assert desk.root.user.pk != entry.actor_id
    browser.client.force_login(desk.root.user)
    page = browser.open(reverse("vm", args=["lab", desk.vm.name])).text
    assert "?again=" not in page, "what somebody else has typed is theirs"


def test_private_parameters_are_sent_and_nowhere_else(desk: Desk, browser: Browser, settings: Any) -> None:
    """They are set by who types them, and neither shown again nor kept: not in pages, sessions, rows or the journal."""
    browser.open().send(osparams_private="root_password=hush-hush\nkey=whisper")
    assert "root_password" in browser.text and "key" in browser.text and "not told" in browser.text
    pages = [browser.text]
    stored = str(browser.client.session["edits"])
    pages.append(browser.open(re.findall(r'href="([^"]+draft=[^"]+)"', browser.text)[0]).text)
    browser.send(osparams_private="root_password=hush-hush", **{"beparams.vcpus": "many"})
    assert "Type these once more" in browser.text
    pages.append(browser.text)
    browser.open().send(osparams_private="root_password=hush-hush").confirm()
    entry = Entry.objects.get()
    sent = desk.simulator.queue.jobs[max(desk.simulator.queue.jobs)].ops[0]
    assert sent["osparams_private"] == {"root_password": "hush-hush"} and entry.outcome == Outcome.SUBMITTED
    desk.settle(entry)
    grant(["power"], desk.alice.user, desk.vm)
    browser.open().send(osparams_private="root_password=hush-hush").confirm(restart="1")
    [step] = BatchItem.objects.filter(position=0)
    new = "new" * 16
    settings.GWM_FIELD_KEYS = [new, *settings.GWM_FIELD_KEYS]
    call_command("rotate_field_keys", stdout=StringIO())
    settings.GWM_FIELD_KEYS = [new]
    work_lane(step.lane)
    again = desk.simulator.queue.jobs[max(desk.simulator.queue.jobs)].ops[0]
    assert again["osparams_private"] == sent["osparams_private"]
    items = BatchItem.objects.order_by("position").values()
    assert [item["operation"] for item in items] == ["vm.modify", "vm.reboot"]
    rows = [*Entry.objects.values(), *Event.objects.values(), *Job.objects.values(), *Batch.objects.values(), *items]
    assert items[0]["params"]["private"], "until it has succeeded: it may be tried again"
    desk.settle(Entry.objects.latest("pk"))
    work_lane(step.lane)
    step.refresh_from_db()
    assert step.state == "done" and "private" not in step.params
    for text in (*pages, browser.text, browser.open().text, stored, str(rows)):
        assert "hush" not in text and "whisper" not in text
    assert "root_password" in str(list(Event.objects.values())), "that it was set is told"


def test_private_parameters_are_asked_for_again_wherever_a_change_is_opened_anew(desk: Desk, browser: Browser) -> None:
    browser.open().send(osparams_private="key=whisper")
    way_back = re.findall(r'href="([^"]+draft=[^"]+)"', browser.text)[0]
    browser.confirm()
    entry = desk.settle(Entry.objects.get())
    assert "Type these once more" in browser.open(f"{browser.url}?again={entry.uuid}").text
    assert "Type these once more" not in browser.open(way_back).text, "what was sent is kept no longer"
    browser.open().send(osparams_private="key=whisper")
    way_back = re.findall(r'href="([^"]+draft=[^"]+)"', browser.text)[0]
    assert "Type these once more" in browser.open(way_back).text
    assert "Type these once more" not in browser.open().text


def test_private_parameters_of_another_key_are_asked_for_again(desk: Desk, browser: Browser, settings: Any) -> None:
    browser.open().send(osparams_private="key=whisper")
    settings.GWM_FIELD_KEYS = ["another" * 8]
    browser.confirm()
    assert "type them again" in browser.text and not Entry.objects.exists()


def test_no_batch_keeps_private_parameters_as_they_are(desk: Desk) -> None:
    steps = [Step(OPERATIONS["vm.modify"], {"wanted": {"osparams_private": {"key": "hush"}}})]
    with pytest.raises(Refusal, match="Secrets are not kept"):
        plan_steps(desk.alice, desk.vm, steps)
    assert not Batch.objects.exists()


@pytest.mark.feature("F118", "F121", "F146")
@pytest.mark.parametrize("is_root", [True, False])
def test_what_exceeds_a_quota_is_ticked_or_asked_for(desk: Desk, client: Client, is_root: bool) -> None:
    desk.read()
    browser = Browser(desk, client)
    type(desk.vm).objects.update(owner=persona_of(desk.alice.user))
    set_quota(persona_of(desk.alice.user), desk.vm.cluster, Limits(vcpus=desk.vm.vcpus))
    if is_root:
        client.force_login(desk.root.user)
    browser.open().send(**{"beparams.vcpus": str(desk.vm.vcpus + 1)})
    if not is_root:
        assert "/requests/quota/?cluster=lab" in browser.text and 'name="over_quota"' not in browser.text
        return
    assert 'name="over_quota"' not in browser.text, "it is not refused yet"
    assert 'name="over_quota"' in browser.confirm().text
    browser.confirm(over_quota="1")
    assert Entry.objects.get(verb="vm.modify").outcome == Outcome.SUBMITTED
