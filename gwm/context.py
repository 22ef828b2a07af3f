"""What the frame of every page needs: navigation, theme, the job dock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

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


@dataclass(frozen=True)
class NavSection:
    """Places under one heading; the first section has none."""

    items: list[NavItem]
    label: str = ""


@dataclass(frozen=True)
class Place:
    """A place before it is known where the person is and what it counts."""

    label: str
    url: str
    icon: str
    key: str
    counted: str = ""


PLACES = (
    Place("Overview", "/", "overview", "o"),
    Place("Virtual machines", "/vms/", "machine", "v", "machines"),
    Place("Clusters", "/clusters/", "cluster", "c", "clusters"),
    Place("Nodes", "/nodes/", "node", "n", "nodes"),
    Place("Jobs", "/jobs/", "job", "j", "jobs"),
    Place("Journal", "/journal/", "journal", "l"),
)


def is_below(path: str, url: str) -> bool:
    """Whether the page at `path` belongs to the place at `url`."""
    return path == url if url == "/" else path.startswith(url)


def navigation(path: str, counts: Mapping[str, int]) -> list[NavSection]:
    """The places, with what they count (by `Place.counted`) and the one marked to which `path` belongs."""
    return [
        NavSection(
            [
                NavItem(
                    place.label,
                    place.url,
                    place.icon,
                    place.key,
                    counts.get(place.counted),
                    is_below(path, place.url),
                )
                for place in PLACES
            ]
        )
    ]


@dataclass(frozen=True)
class Dock:
    """The job dock: what is under way and what failed in the last hour."""

    jobs: list[Any] = field(default_factory=list)
    running: int = 0
    failed: int = 0

    @property
    def line(self) -> list[Any]:
        """The jobs that fit on the line itself."""
        return [job for job in self.jobs if not getattr(job, "is_final", False)][:2]

    @property
    def running_text(self) -> str:
        """ "2 jobs under way" """
        return f"{self.running} job{'' if self.running == 1 else 's'} under way"

    @property
    def failed_text(self) -> str:
        """ "1 failed in the last hour" """
        return f"{self.failed} failed in the last hour"


def theme_of(request: HttpRequest) -> str:
    """The chosen theme, "light" or "dark"; empty: as the system is."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else ""


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of every page."""
    return {"theme": theme_of(request), "nav": navigation(request.path, {}), "dock": Dock()}
