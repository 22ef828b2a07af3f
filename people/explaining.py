"""Why somebody may do something, or why not: for the command line in lines of text, for the page verb by verb."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from permissions.models import Granted, User
from permissions.policy import (
    SITE_VERBS,
    Denied,
    GrantKey,
    Source,
    Verdict,
    access_of,
    can,
    find_grants,
    find_holdings,
    held,
    list_people,
    who_may,
)
from ui.moments import tell

_MOST = 20
# So many ways of one verb are told on the page; the others are counted.
_MOST_WAYS = 5


@dataclass(frozen=True)
class Answer:
    """Whether somebody may do one thing: `ways` it is held by, what `ended`; at a no the reason and `giving` it."""

    verb: str
    says: str
    may: bool
    ways: Sequence[str] = ()
    more_ways: int = 0
    ended: Sequence[str] = ()
    reason: str = ""
    giving: str = ""


def explain(user: User, verb: str, obj: Model | None) -> Iterator[str]:
    """Yes or no first, then each source; at a no what would give it, what has ended, and who could grant it."""
    verdict = can(user, verb, obj)
    if obj is None:
        known = "" if verb in SITE_VERBS else _(" (not a verb of the site)")
        yield f"{_says(user, verb, verdict)}{known}: {verdict.reason}"
        return
    access = access_of(type(obj))
    yield _("%(says)s on %(kind)s %(object)s.") % {
        "says": _says(user, verb, verdict),
        "kind": access.noun,
        "object": obj,
    }
    if verb not in access.every:
        words = _("Nobody can hold “%(verb)s” on a %(kind)s; known: %(verbs)s.")
        yield words % {"verb": verb, "kind": access.noun, "verbs": ", ".join(sorted(access.every))}
        return
    now = timezone.now()
    sources = [source for source in held(user, obj, with_ended=True) if source.verb == verb]
    rows = find_grants(sources)
    for source in sources:
        told = describe(source, rows)
        yield f"  {_('ended: %s') % told if source.has_ended(now) else told}"
    if isinstance(verdict, Denied):
        if not user.is_active:
            yield f"  {_('The account is deactivated.')}"
        yield f"  {_('It comes with %s.') % _list_giving(obj, verb)}"
    admins = [person.username for person in who_may("admin", obj)] if "admin" in access.every else []
    if admins:
        more = _(" and %d more") % (len(admins) - _MOST) if len(admins) > _MOST else ""
        yield _("Rights on it can be granted by: %s.") % f"{', '.join(admins[:_MOST])}{more}"


def _says(user: User, verb: str, verdict: Verdict) -> str:
    words = _("%(who)s may %(verb)s") if verdict else _("%(who)s may not %(verb)s")
    return words % {"who": user, "verb": verb}


def answer_all(user: User, obj: Model, is_asking: bool) -> list[Answer]:
    """For each verb of an object: one query for what is held, and one for each table of what is told of.

    A refusal speaks to whom it refuses: of somebody else than who asks it is said only that their account is off.
    """
    access, now = access_of(type(obj)), timezone.now()
    by_verb: dict[str, list[Source]] = defaultdict(list)
    for source in held(user, obj, with_ended=True):
        by_verb[source.verb].append(source)
    told: list[Source] = []
    parted: dict[str, tuple[list[Source], list[Source]]] = {}
    for verb in access.every:
        live = [source for source in by_verb[verb] if not source.has_ended(now)]
        ended = [source for source in by_verb[verb] if source.has_ended(now)]
        parted[verb] = live, ended
        told += [*live[:_MOST_WAYS], *ended[:_MOST_WAYS]]
    rows = find_grants(told)
    off = "" if user.is_active else _("The account is deactivated.")
    answers = []
    for verb in [*access.verbs, *sorted(access.every - access.verbs.keys())]:
        live, ended = parted[verb]
        answers.append(
            Answer(
                verb,
                access.says(verb),
                bool(live),
                [describe(source, rows) for source in live[:_MOST_WAYS]],
                max(0, len(live) - _MOST_WAYS),
                [describe(source, rows) for source in ended[:_MOST_WAYS]],
                "" if live else access.refuse(verb) if is_asking else off,
                "" if live else _list_giving(obj, verb),
            )
        )
    return answers


def answer_for_site(user: User) -> list[Answer]:
    """The same for what is done to no object."""
    answers = []
    for verb, about in SITE_VERBS.items():
        verdict = can(user, verb)
        if verdict:
            ways = {"staff": _("as staff"), "role": _("by a role on everything")}
            answers.append(Answer(verb, str(about.says), True, [ways.get(verdict.reason) or _("as a superuser")]))
        else:
            answers.append(Answer(verb, str(about.says), False, reason=verdict.reason))
    return answers


def list_granting(obj: Model) -> tuple[list[str], int]:
    """The names of some who may grant rights on an object, and how many more there are."""
    if "admin" not in access_of(type(obj)).every:
        return [], 0
    names = [person.username for person in list_people(find_holdings(obj), "admin")]
    return names[:_MOST], max(0, len(names) - _MOST)


def describe(source: Source, rows: Mapping[GrantKey, Granted]) -> str:
    """Where a verb comes from, in one line; `rows` are those behind the sources."""
    if source.grant is None:
        return _("as a member of @%s") % source.via_team if source.via_team else _("as a superuser")
    found = rows.get(source.grant)
    names = {"granted": source.granted, "verb": source.verb, "parent": source.via_parent}
    granted = _("%(granted)s (gives %(verb)s)") % names if source.granted != source.verb else source.granted
    where = _("%(granted)s on its %(parent)s") if source.via_parent else _("%(granted)s on it")
    words = [where % {**names, "granted": granted}]
    if source.via_role:
        words.append(_("by role %s") % source.via_role)
    if source.via_team:
        words.append(_("through team @%s") % source.via_team)
    if found is not None and found.giver:
        words.append(_("granted by %s") % found.giver)
    if found is not None and found.granted_at is not None:
        words.append(_("at %s") % tell(found.granted_at))
    if source.until is not None:
        words.append(_("until %s") % tell(source.until))
    return ", ".join(words)


def _list_giving(obj: Model, verb: str) -> str:
    access = access_of(type(obj))
    own = sorted(access.granting(verb) & access.verbs.keys())
    either = _(" or ")
    words = [_("%(verbs)s on the %(kind)s") % {"verbs": either.join(own), "kind": access.noun}] if own else []
    above = sorted(access.granting_from_parent(verb))
    if above:
        parent = access_of(type(getattr(obj, access.parent))).noun
        words.append(_("%(verbs)s on its %(kind)s") % {"verbs": either.join(above), "kind": parent})
    if len(words) == 2:
        return _("%(one)s; %(other)s") % {"one": words[0], "other": words[1]}
    return words[0] if words else _("what it touches")
