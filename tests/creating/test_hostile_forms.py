"""Forms of machines under values that no page sends: an answer in words, nothing sent to Ganeti, and no crash."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from objectlog.models import Entry
from permissions.services import grant
from tests.creating.conftest import NEW, Maker
from tests.creating.test_page import LIVE, TYPED, URL, text_of
from virtualmachines.models import MachineTemplate, VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.feature("F147")]
# Longer than what Python turns into a number, digits that are none to Ganeti, ends of other languages, and too much.
VALUES = {
    "a number of 5,000 digits": "9" * 5000,
    "less than nothing": "-1",
    "no number": "NaN",
    "a power": "1e999",
    "digits of another script": "\N{ARABIC-INDIC DIGIT ONE}\N{FULLWIDTH DIGIT TWO}",
    "a digit that is above": "\N{SUPERSCRIPT TWO}",
    "markup": "\"><script>alert('x')</script>",
    "a template": "{{ 7|add:7 }}{% now 'Y' %}%s%(name)s{0}",
    "several": "{1..400}{1..400}",
    "the other way round": "\N{RIGHT-TO-LEFT OVERRIDE}gro.elpmaxe",
    "half a character": "\\ud800",
    "lines": "a=1\nb\n=\n",
    "spaces": " \t ",
    "too much": "x" * 200_000,
}
#: Of which one database may take what another does not.
OF_DATABASE = ("a number of 5,000 digits", "less than nothing", "half a character")
# What says which parts there are, and what buttons say.
STRUCTURES: dict[str, dict[str, str]] = {
    "a disk with a huge number": {f"disks.{'9' * 30}.size_mib": "1 GiB"},
    "a disk with a number below zero": {"disks.-1.size_mib": "1 GiB"},
    "a disk with a digit of another script": {"disks.\N{ARABIC-INDIC DIGIT ONE}.size_mib": "1 GiB"},
    "a field of a field": {"disks.0.size_mib.x": "1"},
    "a part of nothing more": {"more": "nothing"},
    "a part of a machine more": {"more": "beparams"},
    "a part less that is not there": {"less": "disks.77"},
    "a part less that is none": {"less": "name"},
    "two parts less": {"less": "disks.0.nics.0"},
    "a section that is none": {"renew": "<b>"},
    "a template that is none": {"template": "nowhere/\N{RIGHT-TO-LEFT OVERRIDE}"},
    "an owner that is nobody's": {"owner": "@nobody"},
    "more disks than may be": {f"disks.{number}.size_mib": "1 GiB" for number in range(300)},
}


@pytest.fixture
def alice(maker: Maker) -> Client:
    """With a machine of her own, who administers the cluster, so that all fields are there."""
    grant(["admin"], maker.alice.user, maker.cluster)
    client = Client()
    client.force_login(maker.alice.user)
    return client


def _names(page: str) -> set[str]:
    fields = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))
    return fields - {"csrfmiddlewaretoken", "opened", "q", "like", "hotplug"}


def _edit_url() -> str:
    vm = VirtualMachine.objects.exclude(uuid="").order_by("name")[0]
    return f"/clusters/lab/vms/{vm.name}/edit/"


def _judge(answer: Any, maker: Maker, what: str) -> None:
    assert answer.status_code in (200, 302, 400, 403, 404, 409, 422), what
    assert "<script>alert" not in text_of(answer), what
    assert maker.simulator.count("POST") + maker.simulator.count("PUT") == 0, what
    assert not Entry.objects.exists() and not MachineTemplate.objects.exists(), what


def alike_but(*names: str) -> list[Any]:
    """All values; one database may look for those named as another does not, the others never come as far as there."""
    return [
        pytest.param(value, marks=[] if name in names else [pytest.mark.alike], id=name)
        for name, value in VALUES.items()
    ]


@pytest.mark.parametrize("value", alike_but(*OF_DATABASE))
def test_each_field_says_what_it_can_t_take(maker: Maker, alice: Client, value: str) -> None:
    for url in (URL, "/templates/create/", _edit_url()):
        fields = _names(text_of(alice.get(url)))
        assert len(fields) > 20
        _judge(alice.post(url, {**dict.fromkeys(fields, value), "cluster": "lab"}), maker, url)
        _judge(alice.post(url, dict.fromkeys(fields, value)), maker, url)
    _judge(alice.post(LIVE, {**dict.fromkeys(fields, value), "cluster": "lab"}), maker, LIVE)
    names = ("like", "template", "check", "cluster", "again", "draft", "name")
    for name in names:
        _judge(alice.get(URL, {name: value[:2000]}), maker, f"{URL} {name}")
    for url in ("/templates/create/", _edit_url()):
        _judge(alice.get(url, dict.fromkeys(names, value[:2000])), maker, url)


@pytest.mark.alike  # looked for among the parts of the form
@pytest.mark.parametrize("given", STRUCTURES.values(), ids=STRUCTURES)
def test_parts_and_buttons_that_are_none_change_nothing(maker: Maker, alice: Client, given: dict[str, str]) -> None:
    typed = {**TYPED, "name": NEW}
    # A press of a button that is not there must not create the machine; what is no button must not be taken for more.
    for url in ("/templates/create/", _edit_url(), LIVE):
        answer = alice.post(url, {**typed, **given, "name": "a/b"})
        _judge(answer, maker, url)
    answer = alice.post(URL, {**typed, **given, "os": "no-such-os"})
    _judge(answer, maker, URL)
    assert text_of(answer).count('name="disks.') < 32 * 20
