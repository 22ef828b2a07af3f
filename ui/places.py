"""Where the pages of an object are. Each app puts its own in when it is loaded.

So a lower app's page links to what an upper app shows, and has a tab of it, without naming it.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language


@dataclass(frozen=True)
class Part:
    """A page of an object, and its tab. Tabs stand by `position`; the first is the object's page itself.

    `needs`: verbs of which one is needed to have such a tab; none, who sees the object has it.
    """

    name: str
    label: Any
    url_name: str
    position: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tab:
    """A part as ui/templatetags/places.py draws it."""

    name: str
    label: str
    url: str
    is_current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class OwnPage:
    """Where something that has a page of its own is asked for once more, as an entry of the journal has it.

    `parameter` is what the URL calls that entry; `is_of_target`: it is the URL of the target, which must be there.
    """

    url_name: str
    parameter: str = "again"
    is_of_target: bool = True


_OWN_PAGES: dict[str, OwnPage] = {}
_PARTS: dict[str, list[Part]] = {}
_LISTS: dict[str, tuple[str, Any]] = {}


def add_parts(kind: str, *parts: Part) -> None:
    """Add pages to objects of a kind. ValueError if there is one of that name or at that position already."""
    known = _PARTS.setdefault(kind, [])
    for part in parts:
        if any(each.name == part.name or each.position == part.position for each in known):
            raise ValueError(f"There are two parts “{part.name}” of {kind}, or two at {part.position}.")
        known.append(part)
        known.sort(key=lambda each: each.position)


def add_list(kind: str, url_name: str, label: Any) -> None:
    """Say where all objects of a kind are listed, under which heading. ValueError if that was said already."""
    if kind in _LISTS:
        raise ValueError(f"There are two lists of {kind}.")
    _LISTS[kind] = (url_name, label)


def add_own_page(key: str, page: OwnPage) -> None:
    """Say where the operation with this key is asked for once more. ValueError if that was said already."""
    if key in _OWN_PAGES:
        raise ValueError(f"There are two pages of {key}.")
    _OWN_PAGES[key] = page


def find_own_page(key: str) -> OwnPage | None:
    """Where it is asked for once more, if it has a page of its own that can be filled in."""
    return _OWN_PAGES.get(key)


def tabs_of(kind: str, where: Sequence[Any], current: str, held: Container[str] = ()) -> list[Tab]:
    """The tabs of the object at `where` for who holds the verbs `held` on it, the current one marked."""
    return [
        Tab(part.name, _label(get_language(), part), url_of(kind, where, part.url_name), part.name == current)
        for part in _PARTS.get(kind, [])
        if not part.needs or any(verb in held for verb in part.needs)
    ]


@lru_cache(maxsize=256)
def _label(language: str | None, part: Part) -> str:
    del language  # what is active
    return str(part.label)


def has_pages(kind: str) -> bool:
    """Whether objects of a kind have pages."""
    return kind in _PARTS


def page_of(kind: str, *where: Any) -> str:
    """The URL of an object's page. NoReverseMatch if `where` can't be one's."""
    return _url(get_script_prefix(), _PARTS[kind][0].url_name, where)


def pages_of(kind: str, keys: Iterable[Any]) -> list[str]:
    """The same of many that a single key tells."""
    prefix, name = get_script_prefix(), _PARTS[kind][0].url_name
    return [_url(prefix, name, (key,)) for key in keys]


def url_of(kind: str, where: Sequence[Any], url_name: str, *more: Any) -> str:
    """The URL of what the object at `where` has: a part, or something that can be done to it. NoReverseMatch.

    Most of it lies below the object's page. What comes behind is found once for all objects of a kind: to have Django
    reverse forty URLs took a fifteenth of the time of a machine's page.
    """
    page = _PARTS[kind][0].url_name
    behind = _behind(page, url_name, len(where), more)
    if behind is None:
        return reverse(url_name, args=[*where, *more])
    return _url(get_script_prefix(), page, tuple(where)) + behind


@lru_cache(maxsize=512)
def _behind(page: str, url_name: str, count: int, more: tuple[Any, ...]) -> str | None:
    """What comes behind the URL of an object's page, whichever object that is; None for what does not lie below it."""
    example = ["0"] * count
    above, there = reverse(page, args=example), reverse(url_name, args=[*example, *more])
    return there.removeprefix(above) if there.startswith(above) else None


def list_of(kind: str) -> str:
    """The URL of the list of all objects of a kind."""
    return _url(get_script_prefix(), _LISTS[kind][0], ())


@lru_cache(maxsize=4096)
def _url(prefix: str, name: str, where: tuple[Any, ...]) -> str:
    """Kept, for lists and the navigation ask for the same ones on every page."""
    del prefix  # the path below which the product lives, which Django puts before it
    return reverse(name, args=where)


def label_of_list(kind: str) -> str:
    """The heading of that list."""
    return str(_LISTS[kind][1])
