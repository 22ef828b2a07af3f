"""The theme of this installation (docs/themes.md) where it meets Django: its colours are served, and it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import TemplateSyntaxError
from django.template.loader import get_template

from gwm.env import BASE_DIR
from ui.theming.contrast import SCHEMES, Weak, find_weak, find_weak_among, with_own
from ui.theming.described import COLOURS_SHEET, OWN_SHEET, Theme
from ui.theming.sheets import MOST_CHARACTERS, looks_with

OWN_PARTS = "own"
_PARTS = {"static", "templates"}
_BLIND = "gwm.W004"
_MOST_SHOWN = 10


class ServeColours:
    """Answers for the style sheet of the theme's colours, which lies in no file; like static files, for good.

    Its address has the version of all static files, and so changes with it (gwm/static_version.py).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._sheet = settings.GWM_THEME.sheet.encode()
        self._path = f"{settings.STATIC_URL}{COLOURS_SHEET}"
        self._kept = "no-cache" if settings.DEBUG else "max-age=315360000, public, immutable"
        if not self._sheet:
            raise MiddlewareNotUsed

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """See the class."""
        if request.path != self._path or request.method not in ("GET", "HEAD"):
            return self._get_response(request)
        return HttpResponse(self._sheet, content_type="text/css; charset=utf-8", headers={"Cache-Control": self._kept})


@register(Tags.templates)
def check_theme(**_: Any) -> list[CheckMessage]:
    """Whether colours can be read, and whether own templates fit this release."""
    theme: Theme = settings.GWM_THEME
    return [*_judge_colours(theme), *_judge_directory(theme), *_judge_templates(theme)]


def _judge_colours(theme: Theme) -> Iterator[CheckMessage]:
    """One complaint for each colour of the theme's own, however many others it can't be told from."""
    if theme.colours:
        own = {scheme: frozenset(theme.colours.get(scheme, {})) for scheme in SCHEMES}
        yield from _complain((weak, f"in [{weak.scheme}]", own[weak.scheme]) for weak in find_weak(theme.colours))
    if theme.static is not None and theme.has_sheet:
        yield from _judge_sheet(theme.static / OWN_SHEET, theme)


def _judge_sheet(path: Path, theme: Theme) -> Iterator[CheckMessage]:
    """The same of the colours that its own style sheet gives, behind those of theme.toml."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            text = file.read(MOST_CHARACTERS + 1)
    except OSError as error:
        yield Warning(
            f"Theme: cannot read {path} ({error.strerror}).", hint="Let the service's user read it.", id=_BLIND
        )
        return
    if len(text) > MOST_CHARACTERS:
        words = f"Theme: {path} has more than {MOST_CHARACTERS:,} characters, so its colours are not measured."
        yield Warning(words, hint="Every page loads it: make it smaller.", id=_BLIND)
        return
    looks, unclear = looks_with(text, with_own(theme.colours))
    seen, found = set[tuple[str, str, str]](), list[tuple[Weak, str, frozenset[str]]]()
    for look in looks:
        where = f"in {OWN_SHEET}, {look.scheme}"
        if look.scheme != look.system:
            where += f" chosen where the system is {look.system}"
        for weak in find_weak_among(look.scheme, look.colours):
            pair = (weak.scheme, weak.ink_colour, weak.ground_colour)
            if look.own & {weak.ink, weak.ground} and pair not in seen:
                seen.add(pair)
                found.append((weak, where, look.own))
    yield from _complain(found)
    if unclear:
        shown = sorted(unclear.values())[:_MOST_SHOWN]
        more = f", and {len(unclear) - len(shown)} more" if len(unclear) > len(shown) else ""
        yield Warning(
            f"Theme: the contrast of these in {OWN_SHEET} can't be measured here: {'; '.join(shown)}{more}.",
            hint="Write them like #1b57c6, at :root; or look yourself whether they can be read.",
            id=_BLIND,
        )


def _complain(all_weak: Iterable[tuple[Weak, str, frozenset[str]]]) -> Iterator[CheckMessage]:
    """Each of them with where its colour was given, and which ones were given there."""
    found: dict[tuple[str, str, str, float], list[str]] = {}
    for weak, where, own in all_weak:
        ink, ground = (weak.ink, weak.ink_colour), (weak.ground, weak.ground_colour)
        (name, colour), (other, other_colour) = (ink, ground) if weak.ink in own else (ground, ink)
        with_other = f"{weak.shown} with {other} ({other_colour})"
        found.setdefault((where, name, colour, weak.needs), []).append(with_other)
    for (where, name, colour, needs), others in found.items():
        yield Warning(
            f"Theme: the contrast of {name} ({colour}) {where} is too low: {', '.join(others)}. {needs:g} is needed.",
            hint=f"Choose another colour for {name}, or for these; docs/themes.md says what each is for.",
            id="gwm.W001",
        )


def _judge_directory(theme: Theme) -> Iterator[CheckMessage]:
    if theme.directory is None:
        return
    for path in sorted(theme.directory.iterdir()):
        if path.is_dir() and path.name not in _PARTS and not path.name.startswith("."):
            yield Warning(f"Theme: nothing reads {path}.", hint="Name it static or templates.", id="gwm.W002")


def _judge_templates(theme: Theme) -> Iterator[CheckMessage]:
    """Those that no longer compile, and those in whose place nothing is looked for any more."""
    if theme.templates is None:
        return
    for path in sorted(theme.templates.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        name = path.relative_to(theme.templates).as_posix()
        try:
            get_template(name)
        except (TemplateSyntaxError, UnicodeDecodeError) as error:
            yield Error(
                f"Theme: {path} is no template of this release: {str(error).rstrip('.?')}.",
                hint="Correct it, or move it away: pages that need it fail.",
                id="gwm.E002",
            )
        if Path(name).parts[0] != OWN_PARTS and not (BASE_DIR / "templates" / name).is_file():
            yield Warning(
                f"Theme: {path} stands in for no template of this release.",
                hint=f"Take it away, or put what your own templates include below templates/{OWN_PARTS}/.",
                id="gwm.W003",
            )


def list_problems() -> tuple[list[str], list[str]]:
    """What keeps pages from working, and what should be mended, each a line."""
    found = check_theme()
    lines = [(message.is_serious(), f"{message.msg} {message.hint}") for message in found]
    return [line for is_bad, line in lines if is_bad], [line for is_bad, line in lines if not is_bad]
