"""What would be refused of a plan is said before it is confirmed, as it is of one machine."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from django.test import Client

from operations.models import Batch
from permissions.models import User
from permissions.services import grant, persona_of
from quotas.amounts import Limits
from quotas.services import set_quota
from tests.factories import make_vm
from tests.pages.conftest import Site
from tests.pages.test_batches import do, select, text_of
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G050")]
SignIn = Callable[[User], Client]


@pytest.fixture
def site(kept_site: Site, db: None) -> Site:
    return deepcopy(kept_site)


def verdicts(batch: Batch) -> list[str]:
    return list(batch.items.order_by("position").values_list("verdict", flat=True))


def page_of(client: Client, batch: Batch) -> str:
    return text_of(client.get(f"/batches/{batch.uuid}/"))


@pytest.fixture
def stopped(site: Site) -> list[VirtualMachine]:
    """Three machines of Alice, whose quota has room for two that run beside the one that does."""
    alice = persona_of(site.alice)
    set_quota(alice, site.prod, Limits(vcpus=6))
    found = [
        make_vm(site.prod, f"idle{number}.example.org", owner=alice, admin_state="down", status="ADMIN_down")
        for number in (1, 2, 3)
    ]
    for vm in found:
        grant(["power", "tags"], site.alice, vm)
    return found


@pytest.mark.feature("F121")
def test_as_many_are_started_as_a_quota_has_room_for(
    site: Site, sign_in: SignIn, stopped: list[VirtualMachine]
) -> None:
    client = sign_in(site.alice)
    batch = select(client, "start", *stopped)
    assert verdicts(batch) == ["will", "will", "refused"]
    page = page_of(client, batch)
    assert "would be refused 1" in page and "exceeds the quota of alice on prod" in page
    assert do(client, batch, "begin") == 302
    assert list(batch.items.order_by("position").values_list("state", flat=True)) == ["waiting", "waiting", "skipped"]


@pytest.mark.feature("F121")
def test_who_may_exceed_quotas_says_so_in_the_plan(site: Site, sign_in: SignIn, stopped: list[VirtualMachine]) -> None:
    client = sign_in(site.admin)
    batch = select(client, "start", *stopped)
    assert do(client, batch, "begin", over_quota="1") == 409, "it says that more will be done, and is confirmed anew"
    assert verdicts(batch) == ["will"] * 3
    assert do(client, batch, "begin", over_quota="1") == 302
    assert Batch.objects.get().state == "running"


@pytest.mark.feature("F121")
def test_what_became_of_a_quota_is_seen_as_a_plan_is_confirmed(
    site: Site, sign_in: SignIn, stopped: list[VirtualMachine]
) -> None:
    client = sign_in(site.alice)
    batch = select(client, "start", *stopped)
    set_quota(persona_of(site.alice), site.prod, Limits(vcpus=2))
    assert do(client, batch, "begin") == 409
    assert verdicts(batch) == ["refused"] * 3
    assert do(client, batch, "begin") == 409, "there is nothing left to confirm"
    assert Batch.objects.get().state == "planned"


def test_a_tag_that_one_may_not_set_is_refused_before_anything_is_begun(
    site: Site, sign_in: SignIn, stopped: list[VirtualMachine]
) -> None:
    client = sign_in(site.alice)
    batch = select(client, "add-tags", site.web, *stopped[:2])
    for tags in ("htools:iextags", "gwm:owner:alice"):
        assert do(client, batch, "begin", tags=tags) == 409
        assert set(verdicts(batch)) == {"refused"}
    page = page_of(client, batch)
    assert "Tags that begin with gwm: are kept by this program." in page
    stopped[0].tags = ["web"]
    stopped[0].save()
    assert do(client, batch, "begin", tags="web") == 409
    assert sorted(verdicts(batch)) == ["refused", "will", "will"]
    assert do(client, batch, "begin", tags="web") == 302
