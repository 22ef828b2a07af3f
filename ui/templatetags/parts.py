"""Parts of a page that are too small for a template of their own: icons, states, meters, names, ages, sort links.

They run once per table cell, so they build their markup directly; everything that comes from outside is escaped.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.template import Context
from django.templatetags.static import static
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from ui.said import Voice, said, voice
from ui.tags import look_of_tag
from ui.templatetags.units import Number, tell_counts, tell_sizes

register = template.Library()

_SPECIAL = re.compile("[&<>\"']")
WARN_FROM = 0.80
BAD_FROM = 0.90


@dataclass(frozen=True)
class Look:
    """How a state is drawn: ok, off, busy, warn, bad or unknown, and the word beside the shape."""

    kind: str
    word: str


_WORDS: dict[str, tuple[str, ...]] = {
    "ok": (
        gettext_noop("running"),
        gettext_noop("healthy"),
        gettext_noop("online"),
        "success",
        gettext_noop("succeeded"),
        "done",
        gettext_noop("connected"),
        gettext_noop("yes"),
        gettext_noop("verified"),
    ),
    "off": (
        gettext_noop("stopped"),
        gettext_noop("offline by choice"),
        "canceled",
        gettext_noop("cancelled"),
        gettext_noop("read-only"),
        gettext_noop("regular"),
        gettext_noop("disconnected"),
        gettext_noop("archived"),
    ),
    "busy": (
        gettext_noop("queued"),
        gettext_noop("waiting"),
        "canceling",
        gettext_noop("starting"),
        gettext_noop("stopping"),
        gettext_noop("rebooting"),
        gettext_noop("creating"),
        gettext_noop("migrating"),
        gettext_noop("removing"),
        gettext_noop("updating"),
        "submitting",
        "submitted",
        gettext_noop("connecting"),
    ),
    "warn": (
        gettext_noop("drained"),
        gettext_noop("offline"),
        gettext_noop("missing"),
        gettext_noop("node offline"),
        gettext_noop("node down"),
        gettext_noop("wrong node"),
        gettext_noop("stale"),
        gettext_noop("refused"),
        "unknown",
    ),
    "bad": (
        gettext_noop("crashed"),
        "error",
        gettext_noop("failed"),
        gettext_noop("not reachable"),
        gettext_noop("down"),
        "not_submitted",
        "lost",
    ),
    "unknown": (gettext_noop("not known"), gettext_noop("never updated")),
}
_LOOKS = {word: Look(kind, word) for kind, words in _WORDS.items() for word in words} | {
    # Ganeti's own words for a machine's state.
    "ADMIN_down": Look("off", gettext_noop("stopped")),
    "ADMIN_offline": Look("off", gettext_noop("offline")),
    "USER_down": Look("off", gettext_noop("shut down inside")),
    "ERROR_down": Look("bad", gettext_noop("crashed")),
    "ERROR_up": Look("warn", gettext_noop("runs, should not")),
    "ERROR_wrongnode": Look("bad", gettext_noop("on wrong node")),
    "ERROR_nodedown": Look("warn", gettext_noop("node down")),
    "ERROR_nodeoffline": Look("warn", gettext_noop("node offline")),
    # One word a state, whatever Ganeti's word or ours is behind it: those of the models' choices.
    "success": Look("ok", gettext_noop("succeeded")),
    "done": Look("ok", gettext_noop("succeeded")),
    "canceled": Look("off", gettext_noop("cancelled")),
    "canceling": Look("busy", gettext_noop("being cancelled")),
    "error": Look("bad", gettext_noop("failed")),
    "submitting": Look("busy", gettext_noop("being sent")),
    "submitted": Look("busy", gettext_noop("in progress")),
    "unknown": Look("warn", gettext_noop("no answer")),
    "not_submitted": Look("bad", gettext_noop("never reached the cluster")),
    "lost": Look("warn", gettext_noop("lost")),
    "denied": Look("warn", gettext_noop("not allowed")),
    "turned_away": Look("warn", gettext_noop("turned away")),
}
_KINDS_OF_LOOKS = {"run": "ok", "off": "off", "err": "bad", "busy": "busy", "warn": "warn"}
_SHAPES = {"ok": "s-ok", "off": "s-off", "busy": "s-busy", "warn": "s-warn", "bad": "s-bad", "unknown": "s-unknown"}


def draw(template: str, *values: object) -> SafeString:
    """`template` with the values put in, escaped unless they are markup of ours: Django's `format_html`, but quick."""
    # Not by `mark_safe`, which first looks whether it is given a text that is made later.
    return SafeString(
        template.format(*[value if isinstance(value, SafeString) else _escape(str(value)) for value in values])
    )


_NOTHING = SafeString()


def _escape(text: str) -> str:
    """Most of what is drawn has nothing to escape, and to see that is quicker than to try."""
    return html.escape(text) if _SPECIAL.search(text) else text


def draw_attributes(attributes: Mapping[str, Any]) -> SafeString:
    """Attributes of an element: those that are True stand alone, those that are False or None are left out."""
    drawn = [
        f" {name}" if value is True else f' {name}="{value if isinstance(value, SafeString) else _escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    ]
    return SafeString("".join(drawn))


@lru_cache(maxsize=1)
def _sprite() -> str:
    """Address of the icon sheet."""
    return static("img/icons.svg")


@register.simple_tag
def icon(name: str, title: str = "", css: str = "") -> SafeString:
    """One icon of the sheet; decoration unless it has a `title`, which is then read out."""
    return _draw_icon(str(name), str(title), str(css))


@lru_cache(maxsize=512)
def _draw_icon(name: str, title: str, css: str) -> SafeString:
    classes = f"i {css}".strip()
    if title:
        return draw(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}#{}"/></svg>', classes, title, _sprite(), name
        )
    return draw('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, _sprite(), name)


def look_of(value: object, kind: str = "", word: str = "") -> Look:
    """How `value` is drawn; `kind` and `word` win over the table. A value that the table lacks is drawn as unknown.

    `value` is a word of ours or Ganeti's, or an object with a `look` (run, off, err, busy, warn) and a `word`.
    """
    if kind and word:
        return Look(kind, word)
    if word and type(value) is str and value in _LOOKS:
        return Look(kind or _LOOKS[value].kind, word)
    if hasattr(value, "look") and hasattr(value, "word"):
        known = Look(_KINDS_OF_LOOKS.get(str(value.look), "unknown"), str(value.word))
    else:
        found = _LOOKS.get(str(value))
        known = Look(found.kind, said(found.word)) if found else Look("unknown", str(value) or _("not known"))
    return Look(kind or known.kind, word or known.word)


@register.simple_tag
def state(value: object = "", kind: str = "", word: str = "", title: str = "", filled: bool = False) -> SafeString:
    """A state: shape, word and colour. `title` says more on hover; `filled` gives a well state its colour too."""
    look = look_of(value, kind, word)
    title = title or getattr(value, "explanation", "")
    return _draw_state(look.kind, str(look.word), str(title), filled)


# The same few are drawn on every row of a list.
@lru_cache(maxsize=512)
def _draw_state(kind: str, word: str, title: str, filled: bool) -> SafeString:
    css = "is-off" if kind == "unknown" else f"is-{kind}"
    return draw(
        '<span class="state {}{}"{}><svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>{}</span>',
        css,
        " is-filled" if filled else "",
        draw(' title="{}"', title) if title else "",
        _sprite(),
        _SHAPES[kind],
        word,
    )


@register.simple_tag
def job_state(status: object, title: str = "") -> SafeString:
    """The state of a job: as `state`, but a running job is under way, not well."""
    if str(status) == "running":
        return state(status, kind="busy", word=pgettext("job", "running"), title=title)
    return state(status, title=title)


@register.simple_tag
def hostname(name: str) -> SafeString:
    """A host name with its first label strong and its domain faint; an address stays whole."""
    host, dot, domain = str(name).partition(".")
    if not dot or host.isdigit() or ":" in host:
        return draw('<span class="host">{}</span>', name)
    return draw('<span class="host">{}</span><span class="domain">.{}</span>', host, domain)


@register.simple_tag
def short_host(name: str, url: str = "") -> SafeString:
    """The first label of a host name, the whole name on hover: for columns in which all share a domain."""
    host, dot, _domain = str(name).partition(".")
    if not dot or host.isdigit() or ":" in host:
        return draw('<a href="{}">{}</a>', url, name) if url else draw("{}", name)
    if url:
        return draw('<a href="{}" title="{}">{}</a>', url, name, host)
    return draw('<span title="{}">{}</span>', name, host)


def linked(there: str, words: object) -> SafeString:
    """`words` as a link, or by themselves where there is no page, as for a name that no URL can have."""
    return draw('<a href="{}">{}</a>', there, words) if there else draw("{}", words)


def _share(part: Number, whole: Number) -> float:
    """`part` of `whole` between 0 and 1; 0 when either is unknown."""
    return min(1.0, max(0.0, part / whole)) if part is not None and whole else 0.0


@register.simple_tag
def bar(used: Number, total: Number, held: Number = None, label: str = "", kind: str = "") -> SafeString:
    """A bar alone: `used` and `held` (reserved, not used yet) of `total`. With a `label` it is read out as a meter."""
    share, reserved = _share(used, total), _share(held, total)
    css = kind or ("bad" if share >= BAD_FROM else "warn" if share >= WARN_FROM else "")
    width = round(100 * share, 1)
    is_meter = label and used is not None and total
    return SafeString(
        _BAR.format(
            f" is-{css}" if css else "",
            f'role="meter" aria-label="{_escape(str(label))}" aria-valuenow="{round(width)}"' if is_meter else _UNREAD,
            _HELD.format(width, round(min(100 - width, 100 * reserved), 1)) if reserved else "",
            width,
        )
    )


_UNREAD = 'aria-hidden="true"'
_HELD = '<rect class="held" x="{}" width="{}"/>'
_BAR = '<svg class="bar{}" viewBox="0 0 100 6" preserveAspectRatio="none" {}>{}<rect class="used" width="{}"/></svg>'


@register.simple_tag
def meter(
    used: Number,
    total: Number,
    label: str = "",
    held: Number = None,
    figures: str = "",
    unit: str = "mib",
    say: str = "",
    calm: bool = False,
    here: Voice | None = None,
) -> SafeString:
    """A bar with its figures. `used`, `held`, `total` are MiB, or plain numbers with `unit="count"`.

    `label` is shown on the left and read out; `say` is only read out (in a table, whose header shows it).
    `figures` replaces the text on the right. From 80 % the figures carry a warning sign, from 90 % an alarm; not if
    `calm`, for what may well be allocated several times over (CPUs). `here` is known to who draws many.
    """
    here = here or voice()
    share = _share(used, total)
    text = figures or (tell_sizes if unit == "mib" else tell_counts)(here, used, total)
    level = "" if calm else "bad" if share >= BAD_FROM else "warn" if share >= WARN_FROM else ""
    spoken = here.said(_METERED) % {"what": label or say or here.said(_IN_USE), "figures": text}
    return draw(
        _METER,
        draw("<span>{}</span>", label) if label else _NOTHING,
        SafeString(f" is-{level}") if level else _NOTHING,
        icon(f"s-{level}") if level else _NOTHING,
        text,
        bar(used, total, held, label=spoken, kind="calm" if calm else ""),
    )


_METERED, _IN_USE = gettext_noop("%(what)s: %(figures)s"), gettext_noop("in use")
_METER = '<div class="meter">{}<span class="meter-figures{}">{}{}</span>{}</div>'


@register.filter
def full_stop(text: str) -> str:
    """`text` with a full stop at its end if it lacks one: other people's words between ours."""
    words = str(text).strip()
    return words if not words or words[-1] in ".!?…" else f"{words}."


_WIDTHS = {"host": "f8", "port": "f4", "username": "f6", "password": "f6", "slug": "f6"}
_WIDTHS |= dict.fromkeys(("maxmem", "minmem", "vcpus", "auto_balance", "value_1", "value_2", "value_3"), "f4")
_WIDTHS |= {"memory_mib": "f6", "disk_mib": "f6", "machines": "f4"}
_WIDTHS |= dict.fromkeys(("boot_order", "parameter_1", "parameter_2", "parameter_3"), "f8")


@register.filter
def tag_look(tag: str) -> str:
    """The class of a tag's chip: its colour."""
    return look_of_tag(str(tag))


@register.simple_tag
def changed(value: Any) -> Any:
    """A value before or after a change: tags (objectlog.changes.Tags) as chips in their colours, else as it is."""
    tags = getattr(value, "tags", ())
    chips = [draw('<span class="chip is-tag {}">{}</span>', look_of_tag(tag), tag) for tag in tags]
    return SafeString(" ".join(chips)) if tags else value


@register.filter
def field_width(name: str) -> str:
    """How wide a field of this name stands in its row: a class of form.css."""
    return _WIDTHS.get(name, "f12")


@register.simple_tag
def initials(name: str) -> str:
    """One or two letters for an avatar: "web-team" is WT, "peter" is PE."""
    words = [word for word in str(name).replace("_", "-").replace(".", "-").split("-") if word]
    return ("".join(word[0] for word in words[:2]) if len(words) > 1 else str(name)[:2]).upper()


def query(current: QueryDict, **changes: str | None) -> str:
    """The query string of this page with some parameters set (None: taken away)."""
    asked: list[tuple[str, str | None]] = []
    for name, values in current.lists():
        asked += [(name, value) for value in ([changes.pop(name)] if name in changes else values)]
    asked += changes.items()
    # Not by a copy, which a head of a list would make thirty times.
    return f"?{urlencode([(name, value) for name, value in asked if value is not None])}"


@register.simple_tag(takes_context=True)
def sort_header(
    context: Context, key: str, label: str, css: str = "", first: str = "asc", before: str = ""
) -> SafeString:
    """A column's header that sorts by `key`: a link that keeps the filters, with `aria-sort` on the header.

    The present order is the context's `sort` ("name", "-name") or the parameter of that name.
    `first="desc"` for columns that one wants largest first. `before`: what stands before the link.
    """
    request: Any = context["request"]
    present = str(context.get("sort") or request.GET.get("sort", ""))
    active = present.lstrip("-") == key
    downwards = present.startswith("-")
    target = f"-{key}" if (active and not downwards) or (not active and first == "desc") else key
    sign = "sort" if not active else "sort-down" if downwards else "sort-up"
    return draw(
        '<th scope="col"{}{}>{}<a class="sort" href="{}">{}{}</a></th>',
        draw(' class="{}"', css) if css else "",
        draw(' aria-sort="{}"', "descending" if downwards else "ascending") if active else "",
        before,
        query(request.GET, sort=target, page=None),
        label,
        icon(sign),
    )


@register.simple_tag(takes_context=True)
def without(context: Context, name: str, value: str = "") -> str:
    """The query string of this page without a parameter (or without one value of it), back on the first page."""
    request: Any = context["request"]
    if not value:
        return query(request.GET, **{name: None, "page": None})
    left = request.GET.copy()
    left.setlist(name, [present for present in left.getlist(name) if present != value])
    return query(left, page=None)
