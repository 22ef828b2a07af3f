"""Events as the product writes them."""

from collections.abc import Callable

import pytest

from objectlog.models import Entry, Event, Outcome, Via
from objectlog.services import Target, begin

WEB = Target("vm", 7, "web1", "lab", 1, "20000000-0000-4000-8000-000000000007")


def write(verb: str = "vm.reboot", outcome: Outcome = Outcome.DONE, target: Target = WEB, **params: object) -> Entry:
    """An entry with its first event."""
    return begin(
        actor_id=None,
        actor_name="alice",
        persona_name="web team",
        via=Via.WEB,
        verb=verb,
        target=target,
        params=params,
        outcome=outcome,
    )


@pytest.fixture
def events(db: None) -> Callable[[], list[str]]:
    """What was said, oldest first."""
    return lambda: list(Event.objects.order_by("pk").values_list("said", flat=True))
