"""What machines can be asked for, in the language of `ui.filtering`."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Concat
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster, Node
from operations.triggers import are_there
from permissions.models import Persona
from rapi.shapes.instance import FORTHCOMING, INSTANCE_STATUSES
from ui.filtering import Language, Wanted, of_choices, of_number, of_size, of_text, of_timestamp
from ui.listed import Listed, OfKnown
from virtualmachines.drifting import PARTS
from virtualmachines.search import Says

STOPPED = ("ADMIN_down", "ADMIN_offline", "USER_down", "forthcoming")
TROUBLE = ("ERROR_down", "ERROR_nodedown", "ERROR_nodeoffline", "ERROR_up", "ERROR_wrongnode")

# In the order in which a machine's state is judged; see virtualmachines.states.state_of.
GROUPS: dict[str, tuple[Any, Q]] = {
    "busy": (_("In progress"), Q(busy_entry__isnull=False)),
    "missing": (_("Missing"), Q(missing_since__isnull=False)),
    "running": (_("Running"), Q(status__listed="running")),
    "stopped": (_("Stopped"), Q(status__listed__in=STOPPED)),
    "trouble": (_("In trouble"), Q(status__listed__in=TROUBLE)),
}
OTHER = "other"


# In the order in which a page shows them.
SHOWN = ("running", "stopped", "trouble", "busy", "missing")


def group_of(status: str, *, is_missing: bool, is_busy: bool) -> str:
    """The group of a machine: the same as `GROUPS` says to the database."""
    if is_busy:
        return "busy"
    if is_missing:
        return "missing"
    if status == "running":
        return "running"
    if status in STOPPED:
        return "stopped"
    return "trouble" if status in TROUBLE else OTHER


def _conditions() -> dict[str, Q]:
    """Of each group those machines that no earlier group has."""
    conditions, earlier = {}, Q()
    for name, (__, condition) in GROUPS.items():
        conditions[name] = condition & earlier
        earlier &= ~condition
    return conditions


# Of what machines belong to there are few: they are looked up by themselves, and not joined with every machine. Without
# a node neither to be on it nor the opposite would hold.
def _on_cluster(slug: str) -> Q:
    return Q(OfKnown(F("cluster"), Cluster.objects.filter(slug=slug.lower()).values("pk")))


def _owned_by(name: str) -> Q:
    """Of a person or a team; with @ of a team alone."""
    of_team = Q(group__name__iexact=name.removeprefix("@"))
    owners = Persona.objects.filter(of_team if name.startswith("@") else of_team | Q(user__username__iexact=name))
    return Q(OfKnown(F("owner"), owners.values("pk")), owner__isnull=False)


def _on_node(name: str) -> Q:
    nodes, found = Node.objects.filter(name__istartswith=name).values("pk"), dict[str, list[int]]()
    primary = Q(OfKnown(Listed(F("primary_node")), nodes, found), primary_node__isnull=False)
    return primary | Q(OfKnown(Listed(F("secondary_node")), nodes, found), secondary_node__isnull=False)


def _in_group(name: str) -> Q:
    nodes = Node.objects.filter(group__name__iexact=name).values("pk")
    return Q(OfKnown(F("primary_node"), nodes), primary_node__isnull=False)


_WORDS = {word.lower(): word for word in (*INSTANCE_STATUSES, FORTHCOMING)}


def _in_state(word: str) -> Q:
    """Ganeti's word in whatever case; one that it has only since is taken as it stands."""
    return Q(status__listed=_WORDS.get(word.lower(), word))


# Before anything: what compares with it is found by an index, and what has no time is left out.
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_IN_GANETI = Q(missing_since__isnull=True)
_CHANGED = Q(drift_since__isnull=False) & _IN_GANETI


def _changed(part: str) -> Q:
    return _CHANGED & Q(drift__has_any_keys=PARTS[part])


# Ganeti's tag names somebody else than who is the owner here: the condition of an index. Where no triggers keep the
# owner's name, owners are looked up; of the two kinds of them the other has no name.
_TOLD = Q(owner__isnull=False) & _IN_GANETI & ~Q(owner_tag="")
_PERSON = Coalesce(F("owner__user__username"), Value(""))
_TEAM = Concat(Value("@"), F("owner__group__name"))
_SAME_OWNER = Q(owner_tag=F("owner_name")) if are_there(connection) else Q(owner_tag=_PERSON) | Q(owner_tag=_TEAM)
_OTHER_OWNER = _TOLD & ~_SAME_OWNER
# What is otherwise in Ganeti than here, or belongs to nobody.
RECONCILE = {
    "unowned": Q(owner__isnull=True) & _IN_GANETI & ~Q(uuid=""),
    "changed": _CHANGED,
    "missing": Q(missing_since__gt=_EVER) & ~Q(uuid=""),
    **{part: _changed(part) for part in PARTS},
    "owner-tag": _OTHER_OWNER,
}
_WAITS = Q(waiting_since__isnull=False)
_RESTART = {"needed": _WAITS, "no": ~_WAITS}

MACHINES = Language(
    keys={
        "cluster": of_text(_("cluster"), "cluster:prod", _on_cluster),
        "status": of_choices(_("state"), "status:stopped", _conditions(), other=_in_state),
        "owner": of_text(_("owner"), "owner:alice", _owned_by),
        "node": of_text(_("node"), "node:node1", _on_node),
        "os": of_text(_("operating system"), "os:debian", lambda value: Q(os__icontains=value)),
        "hypervisor": of_text(_("hypervisor"), "hypervisor:kvm", lambda value: Q(hypervisor=value.lower())),
        "tag": of_text(_("tag"), "tag:web", lambda value: Q(Says(value))),
        # The index of texts, which have the names, leaves few of them to look at.
        "name": of_text(
            _("name"),
            "name:web",
            lambda value: Q(name__icontains=value),
            equals=lambda value: Q(name__iexact=value),
            near=lambda value: Q(Says(value)),
        ),
        "restart": of_choices(_("whether a restart is needed"), "restart:needed", _RESTART),
        "reconcile": of_choices(_("what is otherwise in Ganeti than here"), "reconcile:unowned", RECONCILE),
        "mem": of_size(_("memory"), "mem>4G", "memory_mib__listed"),
        "vcpus": of_number(_("vCPUs"), "vcpus>=2", "vcpus__listed"),
        "disk": of_size(_("disk"), "disk<50G", "disk_mib__listed"),
        "group": of_text(_("node group"), "group:default", _in_group),
        "template": of_text(_("disk template"), "template:drbd", lambda value: Q(disk_template=value.lower())),
        "uuid": of_text(_("beginning of the uuid"), "uuid:3f2a", lambda value: Q(uuid__istartswith=value)),
        "created": of_timestamp(_("when it was created"), "created>2026-11-01", "ctime"),
        "changed": of_timestamp(_("when its configuration was changed"), "changed:7d", "mtime__listed"),
    },
    word=lambda value: Q(Says(value)),
    says=_("name, address, tag, or cluster: owner: node: tag:"),
)


def parse_vm_filter(given: MultiValueDict[str, str]) -> Wanted:
    """What the parameters of a URL ask for."""
    return Wanted.parse(MACHINES, given)


def only_cluster(wanted: Wanted) -> str | None:
    """The one cluster asked for where nothing else is, whatever the state; "" for none; None where there is more."""
    others = wanted.without("status").terms
    if not others:
        return ""
    [first, *more] = others
    is_plain = first.key == "cluster" and first.operator in (":", "=") and not first.negated
    return first.value.lower() if is_plain and not more else None
