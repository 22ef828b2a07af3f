"""Reading requests: who sees which, and on which clusters somebody may ask for more."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from clusters.models import Cluster
from objectlog.models import Entry, Outcome
from operations.models import OPEN_ITEMS, BatchItem, BatchState, ItemState
from permissions.models import Persona, User
from permissions.policy import can, may_act_for, read_visible, teams_to_act_for, visible
from quotas.models import Request
from quotas.selectors import list_own_quotas
from ui.kept import Kept
from virtualmachines.models import VirtualMachine
from virtualmachines.selectors import list_vms

# Of machines that were planned together, the last is made so long after the first at most, as far as they are looked
# for; so many are named.
MADE_WITHIN = timedelta(days=7)
MOST_MADE = 50


def list_requests(user: User) -> QuerySet[Request]:
    """What they asked for, for themselves or a team they act for, and all on which they decide, or which they audit."""
    theirs = Q(asked_by=user) | Q(persona__user=user) | Q(persona__group__in=teams_to_act_for(user).values("pk"))
    seen = visible(user, "view", Request.objects.order_by()).values("pk")
    rows = Request.objects.select_related("cluster", "persona__user", "persona__group", "asked_by", "decided_by")
    # Of what is asked for anywhere auditors of everything are told as well, though they hold nothing on it.
    return rows if can(user, "see_journal_of_all") else rows.filter(theirs | Q(pk__in=seen))


def pick_request(requests: QuerySet[Request], number: str | int) -> Request:
    """The one of `requests` with this number. Http404."""
    found = requests.filter(pk=int(number)).first() if int(number) < 2**63 else None
    if found is None:
        raise Http404(_("There is no request %s that you may see.") % number)
    return found


def count_to_decide(user: User) -> int:
    """How many open ones wait for this person."""
    return sum(number for (number,) in read_visible(user, "decide", _OPEN))


_OPEN = Kept(
    Request,
    lambda requests: (
        requests.filter(state=Request.State.OPEN)
        .order_by()
        .values("state")
        .annotate(number=Count("*"))
        .values_list("number")
    ),
)


def list_clusters_to_ask_for(user: User, persona: Persona) -> QuerySet[Cluster]:
    """The clusters of which somebody knows: they hold a right there or on a machine there, or have a quota there."""
    machines = visible(user, "view", VirtualMachine.objects.order_by()).values("cluster")
    owned = VirtualMachine.objects.filter(owner=persona, missing_since__isnull=True).order_by().values("cluster")
    there = Q(pk__in=visible(user, "view", Cluster.objects.order_by()).values("pk"))
    there |= Q(pk__in=machines) | Q(pk__in=owned) | Q(pk__in=list_own_quotas(persona).values("cluster"))
    return Cluster.objects.filter(there).order_by("slug")


def has_open_request(kind: str, persona: Persona, cluster: Cluster | None) -> bool:
    """Whether one of this kind waits to be decided."""
    return Request.objects.filter(kind=kind, persona=persona, cluster=cluster, state=Request.State.OPEN).exists()


def count_asked_since(user: User, moment: datetime) -> int:
    """How often somebody has asked since then."""
    return Request.objects.filter(asked_by=user, asked_at__gt=moment).count()


def list_made(user: User, asked: Request) -> list[tuple[str, VirtualMachine | None]]:
    """The machines that were made for a request, by their names then; with those that `user` may see.

    The request names the first. Where several were planned the journal has the others, made by who decided.
    """
    slug, _slash, name = asked.machine.partition("/")
    if not name:
        return []
    first = list_vms(user).filter(cluster__slug=slug, name=name).first()
    found: dict[str, VirtualMachine | None] = {asked.machine: first}
    if asked.decided_at is not None and asked.decider:
        entries = Entry.objects.filter(
            **_made_by_decider(asked),
            verb="vm.create",
            outcome=Outcome.SUCCEEDED,
            created_at__range=(asked.asked_at, asked.decided_at + MADE_WITHIN),
            params__asked=str(asked.pk),
        )
        rows = list(entries.order_by("pk").values_list("cluster_name", "target_name", "target_pk")[:MOST_MADE])
        seen = list_vms(user).in_bulk([pk for _cluster, _name, pk in rows if pk is not None])
        found |= {f"{slug}/{name}": seen.get(pk or 0) for slug, name, pk in rows}
    return list(found.items())


def list_promised(asked: Request) -> list[str]:
    """The names of the machines that were made for a request, and of those that were planned with them and have not
    failed: when it is answered only the first of several is there."""
    if not asked.machine or asked.decided_at is None or not asked.decider:
        return [asked.machine] if asked.machine else []
    slug = asked.machine.partition("/")[0]
    planned = BatchItem.objects.filter(
        **{f"batch__{name}": value for name, value in _made_by_decider(asked).items()},
        batch__operation="vm.create",
        batch__created_at__range=(asked.asked_at, asked.decided_at),
        batch__state__in=(BatchState.RUNNING, BatchState.DONE),
        state__in=(*OPEN_ITEMS, ItemState.DONE),
        params__asked=str(asked.pk),
    )
    names = planned.order_by("pk").values_list("target_name", "entry__target_name")
    return list(dict.fromkeys([asked.machine, *(f"{slug}/{made or wanted}" for wanted, made in names)]))


def _made_by_decider(asked: Request) -> dict[str, Any]:
    """What is said of who acted, where that was who decided: an account that is deleted left its name."""
    if asked.decided_by is not None:
        return {"actor": asked.decided_by}
    return {"actor": None, "actor_name": asked.former_decider}


def may_withdraw(user: User, asked: Request) -> bool:
    """Whether it is theirs: they asked, or may act for whom it is."""
    return user.is_active and (asked.asked_by_id == user.pk or bool(may_act_for(user, asked.persona)))


def may_decide(user: User, asked: Request) -> bool:
    """Whether they approve or decline it."""
    return bool(can(user, "decide", asked))
