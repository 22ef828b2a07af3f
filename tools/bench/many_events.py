"""A journal of many events as rows: who, what and how it ended are spread as a site of some years has them."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from objectlog.models import Event, Via
from objectlog.services import Target, begin
from permissions.models import User
from virtualmachines.models import VirtualMachine

BATCH = 10_000
# Of two events each, the first of which is overtaken: what was done, how often of a thousand operations.
VERBS = (("vm.reboot", 500), ("vm.start", 250), ("vm.shutdown", 200), ("vm.rename", 45), ("vm.delete", 5))
ENDINGS = (("succeeded", 970), ("failed", 28), ("lost", 2))
# In so few of all, and all of them long ago: what is looked for longest.
RARE, RARELY = "unobtainium", 40
# Somebody who did nothing but that.
LEFT = "left"


def make_events(count: int) -> None:
    """So many about the machines that are there, by the people that are there."""
    people = [*User.objects.exclude(username="admin").order_by("pk").values_list("pk", "username")]
    columns = ("pk", "name", "uuid", "cluster_id", "cluster__slug")
    machines = list(VirtualMachine.objects.order_by("pk").values_list(*columns))
    text, fields = _read_pattern()
    began = timezone.now() - timedelta(seconds=count * 60)

    def make(number: int) -> Event:
        operation, step = divmod(number, 2)
        spread = operation * 7919
        pk, name, identity, cluster_pk, slug = machines[spread % len(machines)]
        actor: int | None
        actor, actor_name = people[operation * 31 % len(people)]
        verb = _pick(VERBS, spread // 7)
        outcome = _pick(ENDINGS, spread // 11) if step else "submitted"
        words = ""
        if operation < RARELY:
            actor, actor_name, words = None, LEFT, f"There is no {RARE}."
        entry = uuid.UUID(int=operation + 1)
        at = began + timedelta(seconds=number * 60)
        told: dict[str, Any] = {
            **{"target_pk": pk, "target_name": name, "target_uuid": identity},
            **{"cluster_pk": cluster_pk, "cluster_name": slug, "outcome": outcome, "verb": verb},
            **{"actor_name": actor_name, "persona_name": actor_name},
        }
        shared = {key: value for key, value in told.items() if key in fields}
        return Event(
            **{**fields, **shared},
            at=at,
            actor_id=actor,
            entry_uuid=entry,
            is_overtaken=not step,
            said=f"{verb.partition('.')[2]} {name} {words}".strip(),
            text=json.dumps({**text, **told, "words": words}),
        )

    for first in range(0, count, BATCH):
        Event.objects.bulk_create([make(number) for number in range(first, min(first + BATCH, count))])


def _read_pattern() -> tuple[dict[str, Any], dict[str, Any]]:
    """The text of an event as it is written, and its columns without those that each has of its own."""
    about = Target("vm", 1, "vm", "cluster", 1, str(uuid.uuid4()))
    begin(actor_id=None, actor_name="a", persona_name="a", via=Via.WEB, verb="vm.reboot", target=about, params={})
    one = Event.objects.latest("pk")
    own = {"id", "at", "actor", "entry_uuid", "is_overtaken", "said", "text", "number", "previous", "seal"}
    fields = {
        field.attname: getattr(one, field.attname) for field in Event._meta.concrete_fields if field.name not in own
    }
    return json.loads(one.text), fields


def _pick(choices: tuple[tuple[str, int], ...], number: int) -> str:
    number %= 1000
    for choice, times in choices:
        if number < times:
            return choice
        number -= times
    raise AssertionError("choices are of a thousand")
