"""Sizes that a cluster's admins name, chosen in place of figures."""

import pytest
from django.test import Client
from django.utils import translation

from clusters.models import Cluster
from objectlog.messages import read
from objectlog.models import Entry
from operations.contract import Ask, Invalid
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from permissions.services import grant
from tests.creating.conftest import Maker
from tests.creating.test_page import TYPED, URL, sent, text_of, value_of

pytestmark = [pytest.mark.django_db, pytest.mark.feature("F159", "F160")]
SIZES = "small = 1, 512 MiB, 2 GiB\nbig = 4, 1.5 GiB, 20 GiB"
BIG = "big = 4, 1536 MiB, 20 GiB"


def name_sizes(maker: Maker, lines: str) -> None:
    operation, cluster = OPERATIONS["cluster.sizes"], Cluster.objects.get(slug="lab")
    grant(["admin"], maker.alice.user, cluster)
    run(operation, Ask(maker.alice, cluster, params_from(operation, maker.alice, cluster, {"sizes": lines})))


def test_a_size_stands_for_the_figures_that_are_left_empty(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    assert 'name="size"' not in text_of(client.get(URL)), "none is named yet"
    name_sizes(maker, SIZES)
    assert "small = 1, 512 MiB, 2 GiB\nbig = 4, 1536 MiB, 20 GiB</textarea>" in text_of(
        client.get("/clusters/lab/do/sizes/")
    )
    chosen = {**TYPED, "size": BIG, "beparams.vcpus": "2", "disks.0.size_mib": "1 GiB"}
    renewed = text_of(client.post(URL, {**chosen, "renew": "size"}))
    assert value_of(renewed, "beparams.vcpus") == value_of(renewed, "disks.0.size_mib") == ""
    assert 'placeholder="4"' in renewed and 'placeholder="20 GiB"' in renewed
    answer = client.post(URL, {**chosen, "beparams.vcpus": "", "disks.0.size_mib": ""})
    assert answer.status_code == 302, text_of(answer)
    spec = sent()
    assert spec["beparams"]["vcpus"] == 4 and spec["beparams"]["maxmem"] == 1536
    assert [disk["size_mib"] for disk in spec["disks"]] == [20480]


def test_a_size_that_is_gone_is_not_the_standard_without_a_word(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    name_sizes(maker, SIZES)
    name_sizes(maker, "small = 1, 512 MiB, 2 GiB")
    answer = client.post(URL, {**TYPED, "size": BIG})
    assert answer.status_code == 422 and f"There is no size called {BIG} here." in text_of(answer)
    name_sizes(maker, "")
    assert f"There is no size called {BIG} here." in text_of(client.post(URL, {**TYPED, "size": BIG}))
    assert client.post(URL, {**TYPED, "size": ""}).status_code == 302
    told = Entry.objects.filter(verb="cluster.sizes").latest("pk").changes
    assert [len(told[0][name]) for name in ("before", "after")] == [1, 0]


def test_a_size_with_other_figures_than_those_that_were_seen_is_not_taken(maker: Maker, client: Client) -> None:
    client.force_login(maker.alice.user)
    name_sizes(maker, SIZES)
    name_sizes(maker, "big = 8, 1.5 GiB, 20 GiB")
    assert client.post(URL, {**TYPED, "size": BIG}).status_code == 422
    assert maker.rows() == []


@pytest.mark.alike
@pytest.mark.parametrize(
    "lines",
    [
        "small",
        "small = 1, 2 GiB",
        "small = x, 2 GiB, 2 GiB",
        "small = 0, 2 GiB, 2 GiB",
        "small = 1, much, 2 GiB",
        "= 1, 2 GiB, 2 GiB",
        "a = 1, 2 GiB, 2 GiB\na = 1, 2 GiB, 2 GiB",
        f"{'n' * 61} = 1, 2 GiB, 2 GiB",
        "\n".join(f"{number} = 1, 2 GiB, 2 GiB" for number in range(51)),
    ],
)
def test_what_is_no_size(maker: Maker, lines: str) -> None:
    with pytest.raises(Invalid) as refused:
        name_sizes(maker, lines)
    assert set(refused.value.errors) == {"sizes"} and not Cluster.objects.get().machine_sizes


def test_a_line_that_is_no_size_is_named(maker: Maker) -> None:
    with pytest.raises(Invalid) as refused:
        name_sizes(maker, f"{SIZES}\nhuge = 8, 16, 20 GiB")
    assert "“huge = 8, 16, 20 GiB” is not like small = 1, 2 GiB, 20 GiB." in refused.value.errors["sizes"]


def test_the_journal_tells_them_with_the_figures_of_who_reads_it(maker: Maker) -> None:
    with translation.override("es"):
        name_sizes(maker, "big = 4, 1.5 GiB, 20 GiB")
        [change] = Entry.objects.get(verb="cluster.sizes").changes
        assert read(change["after"]) == "big = 4, 1,5\u00a0GiB, 20,0\u00a0GiB"
    assert read(change["after"]) == "big = 4, 1.5\u00a0GiB, 20.0\u00a0GiB"
