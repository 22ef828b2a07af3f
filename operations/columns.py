"""The list of batches: its columns, and what it can be asked for."""

from typing import Any

from django.db.models import Q
from django.template import Context
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from operations.models import BatchItem
from operations.table import OPERATIONS
from operations.templatetags.batches import batch_state
from ui.columns import Column, ago, code, number, text
from ui.filtering import Language, of_choices, of_moment, of_text
from ui.tables import Table, declare
from ui.templatetags.parts import draw, meter
from ui.templatetags.times import since

BATCH_GROUPS: dict[str, tuple[Any, Q]] = {
    "running": (_("In progress"), Q(state="running")),
    "stopped": (pgettext_lazy("batch", "Stopped"), Q(state="stopped")),
    "ended": (pgettext_lazy("items", "Ended"), Q(state="done")),
}


def _with_target(name: str) -> Q:
    return Q(pk__in=BatchItem.objects.filter(target_name__icontains=name).order_by().values("batch"))


BATCHES = Language(
    keys={
        "status": of_choices(
            _("state"), "status:running", {name: condition for name, (__, condition) in BATCH_GROUPS.items()}
        ),
        "verb": of_text(_("what is done"), "verb:shutdown", lambda value: Q(operation__icontains=value)),
        "by": of_text(_("person"), "by:alice", lambda value: Q(actor_name__iexact=value)),
        "target": of_text(_("name of a machine in it"), "target:web1", _with_target),
        "since": of_moment(_("when it was planned"), "since>=2026-11-01", "created_at"),
        "ended": of_moment(_("when it ended"), "ended:today", "ended_at"),
    },
    word=lambda value: Q(operation__icontains=value) | Q(actor_name__icontains=value),
    says=_("operation, person, or status: target: since:"),
    aliases={"actor": "by"},
)


def label_of(key: str) -> Any:
    """What an operation is called; one of another release by its key."""
    operation = OPERATIONS.get(key)
    return operation.label if operation is not None else key


def title_of(batch: Any, machines: int) -> str:
    """What a batch is called: the operation, and on what."""
    if batch.target_name:
        return str(_("%(do)s %(target)s")) % {"do": label_of(batch.operation), "target": batch.target_name}
    words = ngettext("%(do)s: %(number)d machine", "%(do)s: %(number)d machines", machines)
    return words % {"do": label_of(batch.operation), "number": machines}


def button_of_plan(batch: Any, machines: int) -> str:
    """What is done to so many, as its button says it."""
    operation = OPERATIONS.get(batch.operation)
    of_many: Any = operation.label_of_many if operation is not None else ""
    if batch.target_name:
        return title_of(batch, machines)
    if of_many:
        return str(of_many % machines)
    words = ngettext("%(do)s %(number)d machine", "%(do)s %(number)d machines", machines)
    return words % {"do": label_of(batch.operation), "number": machines}


def _machines(batch: Any) -> int:
    return int(batch.n_targets or batch.n_will)


def _what(batch: Any, _context: Context) -> SafeString:
    return draw('<a href="{}">{}</a>', reverse("batch", args=[batch.uuid]), title_of(batch, _machines(batch)))


def _progress(batch: Any, _context: Context) -> SafeString:
    return meter(batch.n_ended, batch.n_will, unit="count", calm=True)


BATCH_TABLE = declare(
    Table(
        name="batches",
        title=_("Batches"),
        kind="batch",
        language=BATCHES,
        order="-when",
        fields=("uuid", "state", "operation", "target_name"),
        columns=(
            Column(
                name="state",
                label=_("State"),
                cell=lambda batch, _context: batch_state(batch, batch.n_failed),
                values={"state": lambda batch: batch.state},
                sort=("state", "-created_at"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="what",
                label=_("What"),
                cell=_what,
                values={"operation": lambda batch: batch.operation, "machines": _machines},
                sort=("operation", "-created_at"),
                stands="name",
                width=280,
                is_fixed=True,
            ),
            Column(
                name="progress",
                label=pgettext_lazy("items", "Ended"),
                about=_("How many of its machines it is done with"),
                cell=_progress,
                values={"machines_ended": lambda batch: batch.n_ended},
                sort=("n_ended", "-created_at"),
                biggest_first=True,
                width=180,
            ),
            Column(
                name="failed",
                label=_("Failed"),
                cell=lambda batch, _context: batch.n_failed,
                values={"machines_failed": lambda batch: batch.n_failed},
                sort=("n_failed", "-created_at"),
                biggest_first=True,
                css="num",
                width=80,
            ),
            text(
                "actor_name",
                name="who",
                label=_("By"),
                values={"by": lambda batch: batch.actor_name},
                sort=("actor_name", "-created_at"),
                css="p2",
            ),
            ago(
                "created_at",
                name="when",
                label=_("Planned"),
                cell=lambda batch, _context: since(batch.created_at),
                values={"planned_at": lambda batch: batch.created_at},
                sort=("created_at",),
            ),
            ago(
                "began_at",
                name="began",
                label=_("Started"),
                values={"began_at": lambda batch: batch.began_at},
                is_extra=True,
            ),
            ago(
                "ended_at",
                name="ended",
                label=_("Finished"),
                values={"ended_at": lambda batch: batch.ended_at},
                is_extra=True,
            ),
            text(
                "via",
                name="via",
                label=_("Via"),
                cell=lambda batch, _context: batch.get_via_display(),
                is_extra=True,
            ),
            number(
                "pk",
                name="denied",
                label=_("Not allowed"),
                cell=lambda batch, _context: batch.n_denied,
                values={"machines_denied": lambda batch: batch.n_denied},
                sort=("n_denied", "-created_at"),
                fields=(),
                is_extra=True,
            ),
            code("uuid", name="uuid", label=_("UUID"), sort=("uuid",), is_extra=True),
        ),
    )
)
