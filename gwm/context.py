"""What the frame of every page needs: navigation, theme, the job dock. Asked for only by templates that draw it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clusters.disclosure import JobLine
from clusters.models import Cluster
from clusters.states import NodeTally, state_of_cluster
from gwm.live.carried import live_note
from gwm.selectors import (
    DOCK_JOBS,
    ClusterInFrame,
    ClusterInLine,
    list_clusters_for_frame,
    list_dock_jobs,
)
from people.languages import zone_of
from permissions.acting import acting_as
from permissions.models import Persona, User
from permissions.policy import can, can_somewhere
from permissions.selectors import name_of_persona
from permissions.viewing import viewer_of
from ui.framed import handed
from ui.places import page_of, pages_of
from ui.said import voice
from virtualmachines.reconciling import may_reconcile
from virtualmachines.selectors import count_all_by_state, count_there

THEMES = ("light", "dark")


@dataclass(frozen=True)
class NavItem:
    """One place in the navigation; `key` goes there after g."""

    label: str
    url: str
    icon: str
    key: str = ""
    count: int | None = None
    is_current: bool = False
    is_warning: bool = False
    query: str = ""


@dataclass(frozen=True)
class NavSection:
    """Places under one heading; the first section has none."""

    items: list[NavItem]
    label: str = ""


@dataclass(frozen=True)
class Place:
    """A place before it is known where the person is and what it counts."""

    label: Any
    url: str
    icon: str
    key: str
    counted: str = ""
    needs: str = ""


PLACES = (
    Place(gettext_lazy("Overview"), "/", "overview", "o"),
    Place(gettext_lazy("Virtual machines"), "/vms/", "machine", "v", "machines"),
    Place(gettext_lazy("Templates"), "/templates/", "template", "t", needs="clusters"),
    Place(gettext_lazy("Clusters"), "/clusters/", "cluster", "c", "clusters", needs="clusters"),
    Place(gettext_lazy("Nodes"), "/nodes/", "node", "n", "nodes", needs="nodes"),
    Place(gettext_lazy("Reconciliation"), "/reconciliation/", "refresh", "r", needs="reconciles"),
    Place(gettext_lazy("Jobs"), "/jobs/", "job", "j", "jobs"),
    Place(gettext_lazy("Journal"), "/journal/", "journal", "l"),
    Place(gettext_lazy("Teams"), "/teams/", "people", "e"),
    Place(gettext_lazy("People"), "/people/", "person", "p", needs="people"),
)


# Pages that belong to a place whose URL is not the beginning of theirs.
_ELSEWHERE = {"/batches/": "/jobs/", "/person/": "/people/", "/rights/": "/people/"}
_OWNED = "machines"  # what those count that belong to somebody
_ON_CLUSTER = re.compile(r"/clusters/[^/]+/(vms|nodes|jobs)/[^/]+/")


def is_below(path: str, url: str) -> bool:
    """Whether the page at `path` belongs to the place at `url`, both as from the root of the product. A machine's page
    belongs to the machines, not to its cluster; a node's and a job's likewise. Batches are a tab beside the jobs."""
    found = _ON_CLUSTER.match(path)
    if found is not None:
        return url == f"/{found[1]}/"
    for pages, place in _ELSEWHERE.items():
        if path.startswith(pages):
            return url == place
    return path == url if url == "/" else path.startswith(url)


def navigation(path: str, counts: Mapping[str, int], *, is_admin: bool = True, owner: str = "") -> list[NavSection]:
    """The places, with what they count (by `Place.counted`) and the one marked to which `path` belongs.

    Who acts for `owner` is led to the machines of theirs; all are one click away from there. Clusters and nodes are no
    places for who can see none and can add none, nor templates for who sees no cluster on which a machine could be
    created, nor reconciliation for who administers none, nor people for who does not see accounts.
    """
    root = get_script_prefix()
    path = f"/{path.removeprefix(root)}"
    return [
        NavSection(
            [
                NavItem(
                    str(place.label),
                    root + place.url[1:],
                    place.icon,
                    place.key,
                    None if owner and place.counted == _OWNED else counts.get(place.counted),
                    is_below(path, place.url),
                    query=f"?{urlencode({'owner': owner})}" if owner and place.counted == _OWNED else "",
                )
                for place in PLACES
                if is_admin or not place.needs or counts.get(place.needs)
            ]
        )
    ]


@dataclass(frozen=True)
class DockJob:
    """A job as the dock shows it; `done` is a percentage, None when it cannot be told."""

    title: str
    url: str
    status: str
    cluster: str
    by: str
    started_at: Any
    is_final: bool
    done: int | None = None

    @classmethod
    def of(cls, job: JobLine) -> "DockJob":
        """From a row."""
        done = [status for status in job.opcode_statuses if status in ("success", "error")]
        return cls(
            job.title or _("Job %d") % job.ganeti_id,
            page_of("job", job.cluster, job.ganeti_id),
            job.status,
            job.cluster,
            job.by or "",
            job.started_at or job.received_at,
            job.is_final,
            round(100 * len(done) / len(job.opcode_statuses)) if len(job.opcode_statuses) > 1 else None,
        )


@dataclass(frozen=True)
class Dock:
    """The job dock: what is in progress and what failed in the last hour."""

    jobs: list[Any] = field(default_factory=list)
    running: int = 0
    failed: int = 0

    @classmethod
    def of(cls, jobs: list[JobLine]) -> "Dock":
        """From rows."""
        drawn = [DockJob.of(job) for job in jobs]
        running = [job for job in drawn if not job.is_final]
        return cls(running + [job for job in drawn if job.is_final], len(running), len(drawn) - len(running))

    @property
    def line(self) -> list[Any]:
        """The jobs that fit on the line itself."""
        return [job for job in self.jobs if not getattr(job, "is_final", False)][:2]

    @property
    def running_text(self) -> str:
        """ "2 jobs in progress" """
        if self.running == DOCK_JOBS:
            return _("%d+ jobs in progress") % self.running
        return ngettext("%d job in progress", "%d jobs in progress", self.running) % self.running

    @property
    def failed_text(self) -> str:
        """ "1 failed in the last hour" """
        return ngettext("%d failed in the last hour", "%d failed in the last hour", self.failed) % self.failed


@dataclass(frozen=True)
class NavCluster:
    """A cluster in the navigation."""

    label: str
    url: str
    kind: str
    word: str
    count: int | None = None


class Frame:
    """The frame for one person at one place; each part is read when it is drawn, and once.

    A page that has read a part anyway sets it (see `frame_of`, and `ui.framed` for apps below).
    """

    def __init__(self, user: User, path: str, persona: Persona | None = None) -> None:
        self.user = user
        self.path = path
        self.persona = persona

    @cached_property
    def clusters(self) -> Sequence[Cluster | ClusterInFrame | ClusterInLine]:
        return self._lines[0]

    @cached_property
    def nav(self) -> list[NavSection]:
        counts = {
            "machines": self.machines,
            "clusters": len(self.clusters),
            "nodes": sum(tally.nodes for tally in self.node_tallies.values()),
            "jobs": self.dock.running,
            "reconciles": int(may_reconcile(self.user)),
            "people": int(bool(can(self.user, "see_people"))),
        }
        owner = name_of_persona(self.persona) if self.persona is not None else ""
        return navigation(self.path, counts, is_admin=bool(can(self.user, "add_cluster")), owner=owner)

    @cached_property
    def machines(self) -> int:
        """How many machines are there for the person to see."""
        return count_there(count_all_by_state(self.user))

    @cached_property
    def node_tallies(self) -> dict[int, NodeTally]:
        """By cluster. Nodes are seen by who sees their cluster, never by others."""
        return self._lines[1]

    @cached_property
    def _lines(self) -> tuple[list[ClusterInFrame], dict[int, NodeTally]]:
        return list_clusters_for_frame(self.user)

    @cached_property
    def dock(self) -> Dock:
        return Dock.of(list_dock_jobs(self.user))

    @cached_property
    def nav_clusters(self) -> list[NavCluster]:
        states = self.cluster_states
        urls = pages_of("cluster", [cluster.slug for cluster in self.clusters])
        return [
            NavCluster(cluster.slug, url, *states[cluster.pk]) for cluster, url in zip(self.clusters, urls, strict=True)
        ]

    @cached_property
    def cluster_states(self) -> dict[int, tuple[str, str]]:
        """How the clusters are, by their keys: kind and word; their nodes count as far as one sees them."""
        tallies, here = self.node_tallies, voice()
        return {cluster.pk: state_of_cluster(cluster, tallies.get(cluster.pk), here) for cluster in self.clusters}

    @cached_property
    def linked_clusters(self) -> frozenset[int]:
        """The clusters whose page the person may open."""
        return frozenset(cluster.pk for cluster in self.clusters)

    @cached_property
    def may_create(self) -> bool:
        """Whether there is a cluster on which the person may create machines."""
        return can_somewhere(self.user, "create_vm", Cluster, self.linked_clusters)

    @cached_property
    def linked_nodes(self) -> frozenset[int]:
        """The clusters whose nodes the person may open."""
        return frozenset(self.node_tallies)


# Where the frame leads, whoever shows it; by the names that templates know.
LINKS = {
    "home": "overview",
    "search": "vms",
    "jobs": "jobs",
    "about": "about",
    "health": "health",
    "styleguide": "styleguide",
    "profile": "profile",
    "password": "change-password",
    "lists": "lists",
    "acting": "acting",
    "usage": "usage",
    "ask_machine": "ask-machine",
    "ask_quota": "ask-quota",
    "requests": "requests",
    "view_as": "view-as",
    "stop_viewing": "view-as-stop",
    "sign_in": "login",
    "sign_out": "logout",
}


def links() -> dict[str, str]:
    """The URLs of LINKS."""
    return _links(get_script_prefix())


@lru_cache(maxsize=8)
def _links(prefix: str) -> dict[str, str]:
    del prefix  # the path below which the product lives, which Django puts before each
    return {name: reverse(url_name) for name, url_name in LINKS.items()}


def theme_of(request: HttpRequest) -> str:
    """The chosen theme, "light" or "dark"; empty: as the system is."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else ""


_KEPT = "_frame"
_DRAWN = (
    *("nav", "dock", "nav_clusters", "cluster_states", "linked_clusters", "linked_nodes", "may_create"),
    "persona",
)


def frame_of(request: HttpRequest, user: User) -> Frame:
    """The frame of the page that answers `request`."""
    kept = getattr(request, _KEPT, None)
    if not isinstance(kept, Frame):
        kept = Frame(user, request.path, acting_as(request))
        kept.__dict__.update(handed(request))
        setattr(request, _KEPT, kept)
    return kept


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of every page."""
    shared: dict[str, Any] = {
        "theme": theme_of(request),
        "links": links(),
        "date_format": settings.GWM_DATE_FORMAT,
        "say_in_head": live_note,
    }
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return shared
    shared["time_zone"] = zone_of(viewer_of(request) or user)
    drawn = frame_of(request, user)
    shared |= {
        name: SimpleLazyObject(lambda name=name: getattr(drawn, name))  # type: ignore[misc]
        for name in _DRAWN
    }
    shared["viewed_by"] = viewer_of(request)
    shared["can_see_health"] = SimpleLazyObject(lambda: bool(can(drawn.user, "see_health")))
    return shared
