"""The columns of lists of nodes and of jobs."""

from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.db.models.functions import NullIf
from django.template import Context
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clusters.disclosure import TOLD_TITLE
from clusters.filters import JOBS, NODES
from clusters.templatetags.clusters import node_state
from ui.columns import Column, ago, code, number, size, text, timestamp, words, yes
from ui.tables import Table, declare
from ui.templatetags.parts import draw, hostname, job_state, linked, meter
from ui.templatetags.places import page
from ui.templatetags.times import since, took
from ui.templatetags.units import DASH, count


def _node_name(node: Any, _context: Context) -> SafeString:
    return linked(page("node", node.cluster.slug, node.address), hostname(node.name))


def _cluster_of_node(node: Any, _context: Context) -> SafeString:
    return linked(page("cluster", node.cluster.slug), node.cluster.slug)


def _machines(node: Any, _context: Context) -> SafeString:
    return draw('{} <span class="dim">+ {}</span>', count(node.primary_count), count(node.secondary_count))


def _memory(node: Any, _context: Context) -> object:
    said = gettext("Memory of %(name)s") % {"name": node.name}
    return meter(node.memory_used_mib, node.memory_total_mib, say=said) if node.memory_total_mib else DASH


def _disk(node: Any, _context: Context) -> object:
    said = gettext("Disk of %(name)s") % {"name": node.name}
    return meter(node.disk_used_mib, node.disk_total_mib, say=said) if node.disk_total_mib else DASH


def _share(total: str, free: str) -> Any:
    """So many thousandths of it are in use."""
    return (F(total) - F(free)) * 1000 / NullIf(F(total), Value(0))


NODE_TABLE = declare(
    Table(
        name="nodes",
        title=_("Nodes"),
        kind="node",
        language=NODES,
        order="name",
        fields=(
            *("name", "uuid", "offline", "answers", "drained", "missing_since"),
            *("cluster__slug", "cluster__unreachable_since", "cluster__last_error"),
            *("cluster__schedule__synced_at", "cluster__schedule__live_at"),
        ),
        columns=(
            Column(
                name="status",
                label=_("State"),
                cell=lambda node, _context: node_state(node),
                values={
                    "offline": lambda node: node.offline,
                    "drained": lambda node: node.drained,
                    "answers": lambda node: node.answers,
                    "missing_since": lambda node: node.missing_since,
                },
                sort=("offline", "answers", "drained", "name"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="name",
                label=_("Name"),
                cell=_node_name,
                values={"name": lambda node: node.name},
                sort=("name",),
                stands="name",
                width=240,
                is_fixed=True,
            ),
            Column(
                name="cluster",
                label=_("Cluster"),
                cell=_cluster_of_node,
                values={"cluster": lambda node: node.cluster.slug},
                sort=("cluster__slug", "name"),
            ),
            text("group__name", name="group", label=_("Group"), sort=("group__name", "name"), css="p3"),
            Column(
                name="role",
                label=_("Role"),
                cell=lambda node, _context: node.role_name,
                values={"role": lambda node: node.role},
                fields=("role",),
                sort=("role", "name"),
                css="p2",
                width=140,
            ),
            Column(
                name="machines",
                label=_("Machines"),
                about=_("Primary node of so many, and secondary node of so many more"),
                cell=_machines,
                values={
                    "primary_machines": lambda node: node.primary_count,
                    "secondary_machines": lambda node: node.secondary_count,
                },
                fields=("primary_count", "secondary_count"),
                sort=("primary_count", "name"),
                biggest_first=True,
                css="num",
            ),
            number("cpu_total", name="cpus", label=_("CPUs"), sort=("cpu_total", "name"), css="num p3"),
            number("cpu_sockets", name="sockets", label=_("CPU sockets"), sort=("cpu_sockets", "name"), is_extra=True),
            number(
                "cpu_numa_nodes", name="numa", label=_("NUMA nodes"), sort=("cpu_numa_nodes", "name"), is_extra=True
            ),
            Column(
                name="memory",
                label=_("Memory in use"),
                short=_("Memory"),
                cell=_memory,
                values={
                    "memory_total_mib": lambda node: node.memory_total_mib,
                    "memory_free_mib": lambda node: node.memory_free_mib,
                },
                fields=("memory_total_mib", "memory_free_mib"),
                sort=(_share("memory_total_mib", "memory_free_mib"), "name"),
                biggest_first=True,
                width=210,
            ),
            size(
                "memory_free_mib",
                name="free_memory",
                label=_("Free memory"),
                values={"memory_free_mib": lambda node: node.memory_free_mib},
                sort=("memory_free_mib", "name"),
                is_extra=True,
            ),
            size(
                "memory_node_mib",
                name="own_memory",
                label=_("Memory of the host"),
                about=_("What the host itself uses"),
                values={"memory_node_mib": lambda node: node.memory_node_mib},
                sort=("memory_node_mib", "name"),
                is_extra=True,
            ),
            Column(
                name="disk",
                label=_("Disk in use"),
                short=_("Disk"),
                cell=_disk,
                values={
                    "disk_total_mib": lambda node: node.disk_total_mib,
                    "disk_free_mib": lambda node: node.disk_free_mib,
                },
                fields=("disk_total_mib", "disk_free_mib"),
                sort=(_share("disk_total_mib", "disk_free_mib"), "name"),
                biggest_first=True,
                width=210,
            ),
            size(
                "disk_free_mib",
                name="free_disk",
                label=_("Free disk"),
                values={"disk_free_mib": lambda node: node.disk_free_mib},
                sort=("disk_free_mib", "name"),
                is_extra=True,
            ),
            text(
                "primary_ip",
                name="ip",
                label=_("Address"),
                values={"primary_ip": lambda node: node.primary_ip},
                sort=("primary_ip", "name"),
                is_extra=True,
            ),
            text(
                "secondary_ip",
                name="second_ip",
                label=_("Secondary address"),
                about=_("Its address for mirrored disks"),
                values={"secondary_ip": lambda node: node.secondary_ip},
                sort=("secondary_ip", "name"),
                is_extra=True,
            ),
            yes(
                "vm_capable",
                name="vm_capable",
                label=_("Takes machines"),
                sort=("vm_capable", "name"),
                is_extra=True,
            ),
            yes(
                "master_capable",
                name="master_capable",
                label=_("Can be master"),
                sort=("master_capable", "name"),
                is_extra=True,
            ),
            words("tags", name="tags", label=_("Tags"), width=200, is_extra=True),
            timestamp("ctime", name="created", label=_("Added to Ganeti"), sort=("ctime", "name"), is_extra=True),
            timestamp(
                "mtime",
                name="changed",
                label=_("Changed"),
                about=_("When its configuration was last changed in Ganeti"),
                sort=("mtime", "name"),
                is_extra=True,
            ),
            code("uuid", name="uuid", label=_("UUID"), sort=("uuid",), is_extra=True),
        ),
    )
)


def _title(job: Any, _context: Context) -> SafeString:
    beside: object = ""
    if job.error:
        beside = draw('<span class="sub">{}</span>', Truncator(job.error).chars(120))
    elif job.waiting_for and not job.is_final:
        beside = draw('<span class="sub">{}</span>', _waits(job))
    there = reverse("job", args=[job.cluster.slug, job.ganeti_id])
    return draw('<a href="{}">{}</a>{}', there, job.title or gettext("Job"), beside)


def _waits(job: Any) -> str:
    lock = job.waiting_for[0]
    return gettext("waits for %(lock)s") % {"lock": lock.get("lock", "") if isinstance(lock, dict) else lock}


def _by(job: Any, _context: Context) -> object:
    return job.entry.actor_name if job.entry is not None else draw('<span class="dim">{}</span>', gettext("elsewhere"))


def _locks(job: Any) -> list[str]:
    return [str(lock.get("lock", "")) for lock in job.waiting_for if isinstance(lock, dict)]


JOB_TABLE = declare(
    Table(
        name="jobs",
        title=_("Jobs"),
        kind="job",
        language=JOBS,
        order="-received",
        # What a job is called and how much of it is told, see clusters.disclosure.
        fields=("cluster__slug", "ganeti_id", "status", "title", "opcode_statuses", "received_at"),
        columns=(
            Column(
                name="status",
                label=_("State"),
                cell=lambda job, _context: job_state(job.status),
                values={"status": lambda job: job.status},
                sort=("status", "-ganeti_id"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="title",
                label=_("Job"),
                cell=_title,
                values={"title": lambda job: job.title, "error": lambda job: job.error},
                fields=("error", "waiting_for"),
                sort=(TOLD_TITLE, "-ganeti_id"),
                stands="name",
                css="wrap",
                width=320,
                is_fixed=True,
            ),
            Column(
                name="id",
                label=_("Number"),
                cell=lambda job, _context: job.ganeti_id,
                values={"number": lambda job: job.ganeti_id},
                sort=("ganeti_id",),
                biggest_first=True,
                css="num",
            ),
            Column(
                name="cluster",
                label=_("Cluster"),
                cell=lambda job, _context: job.cluster.slug,
                values={"cluster": lambda job: job.cluster.slug},
                sort=("cluster__slug", "-ganeti_id"),
            ),
            Column(
                name="by",
                label=_("By"),
                about=_("Who did it here; what was begun with Ganeti's own commands has nobody"),
                cell=_by,
                values={"by": lambda job: job.entry.actor_name if job.entry is not None else None},
                fields=("entry__actor_name",),
                sort=("entry__actor_name", "-ganeti_id"),
                css="p2",
            ),
            ago(
                "received_at",
                name="received",
                label=_("Sent"),
                cell=lambda job, _context: since(job.received_at),
                values={"received_at": lambda job: job.received_at},
                sort=("received_at", "ganeti_id"),
            ),
            ago(
                "started_at",
                name="started",
                label=_("Started"),
                values={"started_at": lambda job: job.started_at},
                sort=("started_at", "ganeti_id"),
                is_extra=True,
            ),
            Column(
                name="duration",
                label=_("Duration"),
                cell=lambda job, _context: took(job.started_at, job.ended_at),
                values={"started_at": lambda job: job.started_at, "ended_at": lambda job: job.ended_at},
                fields=("started_at", "ended_at"),
                sort=(ExpressionWrapper(F("ended_at") - F("started_at"), DurationField()), "ganeti_id"),
                biggest_first=True,
                css="num dim p3",
            ),
            ago(
                "ended_at",
                name="ended",
                label=_("Ended"),
                values={"ended_at": lambda job: job.ended_at},
                sort=("ended_at", "ganeti_id"),
                css="num dim p2",
            ),
            number(
                "opcode_statuses",
                name="steps",
                label=_("Steps"),
                cell=lambda job, _context: count(len(job.opcode_statuses)),
                values={"steps": lambda job: len(job.opcode_statuses)},
                sort=(),
                is_extra=True,
            ),
            words(
                "waiting_for",
                name="waits",
                label=_("Waits for"),
                about=_("The locks that other jobs hold"),
                cell=lambda job, _context: DASH if job.is_final else ", ".join(_locks(job)) or DASH,
                values={"waits_for": lambda job: [] if job.is_final else _locks(job)},
                width=180,
                is_extra=True,
            ),
        ),
    )
)
