"""The journal as a list: its columns, and what it can be asked for."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Upper
from django.db.models.lookups import Exact
from django.template import Context
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, npgettext
from django.utils.translation import gettext_lazy as _

from objectlog.models import Outcome, Via
from objectlog.reading import Told, read_event
from objectlog.selectors import by_origin, by_way
from objectlog.sentences import CHECK, SENTENCES
from operations.again import again_url
from operations.table import OPERATIONS
from ui.columns import Column, ago, number, text
from ui.filtering import Language, of_choices, of_moment, of_text
from ui.listed import Known
from ui.tables import Table, declare
from ui.templatetags.parts import draw, linked, state
from ui.templatetags.places import page_at
from ui.templatetags.tables import Options
from ui.templatetags.times import moment, since
from ui.templatetags.units import DASH

OUTCOMES: dict[str, tuple[Any, list[str]]] = {
    "open": (_("In progress"), ["submitting", "submitted", "unknown"]),
    "well": (_("Succeeded"), ["done", "succeeded"]),
    "bad": (_("Failed"), ["failed", "canceled", "refused", "not_submitted", "lost", "denied", "turned_away"]),
}

# Django's own way to these makes the words of all outcomes anew for each row.
_WORDS = dict(Outcome.choices)
# What no operation does.
_OTHER_VERBS = {
    "grant": _("Grant a right"),
    "revoke": _("Revoke a right"),
    "set-rights": _("Change rights"),
    "vm.picture": _("Look at the screen"),
    "grant-role": _("Grant a role"),
    "revoke-role": _("Revoke a role"),
    "role.set": _("Set a role"),
    "person.change-password": _("Change password"),
    "person.reset-password": _("Reset password"),
    "person.send-reset": _("Mail a link for a new password"),
    "person.rescue": _("Rescue an administrator"),
    "person.sign-in": _("Sign in"),
    "person.register": _("Register"),
    "person.connect": _("Connect a sign-in provider"),
    "person.end-session": _("End sessions of one's own"),
    "person.add-app": _("Set up an authenticator app"),
    "person.remove-app": _("Remove an authenticator app"),
    "person.add-passkey": _("Add a passkey"),
    "person.remove-passkey": _("Remove a passkey"),
    "person.make-recovery-codes": _("Make recovery codes"),
    "person.use-recovery-code": _("Use a recovery code"),
    "person.view-as": _("View pages as somebody else"),
    "person.stop-viewing": _("Stop viewing as somebody else"),
    "person.begin-check": _("Begin a check of the installation"),
    "person.end-check": _("End a check of the installation"),
    "site.prune-journal": _("Prune the journal"),
}


def _label(verb: str) -> str | Promise:
    if verb in OPERATIONS:
        return OPERATIONS[verb].label
    # A verb without a kind is the same for every kind that has it.
    of_any = next((each.label for each in OPERATIONS.values() if each.verb == verb), verb)
    return _OTHER_VERBS.get(verb, of_any)


VERBS = {**{verb: _label(verb) for verb in SENTENCES}, CHECK.removeprefix("."): _("Check with Ganeti")}
CHOICES = Options(VERBS)


def _is(field: str, value: str) -> Q:
    return Q(Exact(F(field), Known(value)))


def _by(name: str) -> list[Q]:
    """In whatever case, as the indexes have them."""
    return [Q(Exact(Upper(F(field)), Upper(Known(name)))) for field in ("actor_name", "persona_name")]


def in_cluster(slug: str) -> Q:
    """What was done on a cluster, or to it."""
    return _is("cluster_name", slug.lower())


def _of_verb(verb: str) -> list[Q]:
    """What is the same for every kind stands in the table of sentences by its verb alone."""
    verb = verb.lower()
    if "." in verb:
        return [_is("verb", verb)]
    every = {*SENTENCES, *OPERATIONS}
    every |= {each + CHECK for each in every}
    return [_is("verb", each) for each in sorted({verb, *(each for each in every if each.endswith(f".{verb}"))})]


def _with_outcome(word: str) -> list[Q]:
    word = word.lower()
    return [_is("outcome", each) for each in (OUTCOMES[word][1] if word in OUTCOMES else [word])]


# Spelled so that SQLite, too, finds them by an index; for Django's own “not overtaken” it takes none.
LAST = Q(Exact(F("is_overtaken"), Value(False)))
OVERTAKEN = Q(Exact(F("is_overtaken"), Value(True)))
# The orders whose index tells them apart.
LAST_IN = ("when", "at", "outcome")

# What an index finds in the order of time: by key, conditions of which one is met.
FOUND: dict[str, Callable[[str], list[Q]]] = {
    "actor": _by,
    "verb": _of_verb,
    "cluster": lambda value: [in_cluster(value)],
    "kind": lambda value: [_is("target_kind", value.lower())],
    "outcome": _with_outcome,
}


def _any_of(key: str) -> Callable[[str], Q]:
    return lambda value: reduce(or_, FOUND[key](value))


EVENTS = Language(
    keys={
        "actor": of_text(_("person or persona"), "actor:alice", _any_of("actor")),
        "verb": of_text(_("what was done"), "verb:vm.reboot", _any_of("verb")),
        "what": of_text(
            _("name of the machine, cluster or job"),
            "what:web1",
            lambda value: Q(target_name__icontains=value) | in_cluster(value),
        ),
        "kind": of_text(_("kind of object"), "kind:node", _any_of("kind")),
        "cluster": of_text(_("cluster"), "cluster:prod", _any_of("cluster")),
        "outcome": of_choices(
            _("outcome"),
            "outcome:bad",
            {name: Q(outcome__in=outcomes) for name, (__, outcomes) in OUTCOMES.items()}
            | {name: Q(outcome=name) for name in Outcome.values},
        ),
        "via": of_choices(_("by which way"), "via:cli", {name: by_way(name) for name in Via.values}),
        "from": of_text(_("address that it came from"), "from:192.0.2.7", by_origin),
        "since": of_moment(_("when it happened"), "since>=2026-11-01", "at"),
    },
    word=lambda value: Q(said__icontains=value),
    says=_("words, or actor: what: verb: outcome: since:"),
    aliases={"who": "actor", "by": "actor"},
)


def told_of(event: Any) -> Told:
    """What an event says; read once for all of its cells."""
    if "told" not in event.__dict__:
        event.told = read_event(event)
    told: Told = event.told
    return told


def _what(event: Any, context: Context) -> SafeString:
    told = told_of(event)
    return draw(
        "{}{}{}{}{}{}",
        told.sentence,
        _jobs(event, told),
        draw('<span class="sub">{}</span>', Truncator(told.words).chars(240)) if told.words else "",
        _before_and_after(told),
        _steps(event, context),
        _again(event, context),
    )


def _jobs(event: Any, told: Told) -> object:
    if not told.job_ids:
        return ""
    label = npgettext("before their numbers", "job", "jobs", len(told.job_ids))
    return draw(' <span class="dim">{} {}</span>', label, _numbers(event, told))


def _numbers(event: Any, told: Told) -> SafeString:
    links = [linked(page_at("job", (event.cluster_slug, number)), number) for number in told.job_ids]
    return draw(", ".join(["{}"] * len(links)), *links)


def _before_and_after(told: Told) -> object:
    if not told.changes:
        return ""
    facts = [
        draw("<dt>{}</dt><dd><del>{}</del> <ins>{}</ins></dd>", label, before, after)
        if before
        else draw("<dt>{}</dt><dd>{}</dd>", label, after)
        for label, before, after in told.changes
    ]
    body = draw("{}" * len(facts), *facts)
    return draw('<details><summary>{}</summary><dl class="facts">{}</dl></details>', gettext("Before and after"), body)


def _steps(event: Any, context: Context) -> object:
    if not event.entry_uuid or event.outcome == "done" or context.get("entry"):
        return ""
    return draw(' <a class="dim" href="?entry={}">{}</a>', event.entry_uuid, gettext("steps"))


def _again(event: Any, context: Context) -> object:
    """For who asked for what failed: the way to its form, filled in as it was then."""
    there = again_url(context["user"], event, event.place)
    return draw(' <a class="dim" href="{}">{}</a>', there, gettext("try again")) if there else ""


def _who(event: Any, _context: Context) -> SafeString:
    if not event.actor_name:
        return draw('<span class="dim">{}</span>', gettext("nobody"))
    acting = event.persona_name and event.persona_name != event.actor_name
    words = gettext("for %(name)s") % {"name": event.persona_name}
    return draw(
        "<strong>{}</strong>{}", event.actor_name, draw(' <span class="dim">{}</span>', words) if acting else ""
    )


def _on(event: Any, _context: Context) -> object:
    name = event.target_name
    shown = Truncator(name).chars(_LONGEST_NAME) if len(name) > _LONGEST_NAME else name
    return linked(page_at(event.target_kind, event.place), shown or DASH)


_LONGEST_NAME = 60


def _changes(event: Any) -> list[str]:
    return [
        f"{what}: {before} → {after}" if before else f"{what}: {after}"
        for what, before, after in told_of(event).changes
    ]


def _from(event: Any) -> object:
    return told_of(event).data.get("from", "")


def _day(event: Any) -> str:
    """By the clock of the reader, else of this service, as all lists tell times where no script does."""
    return _tell_day(localtime(event.at).date(), get_language())


# Many are of the same day.
@lru_cache(maxsize=512)
def _tell_day(day: date, _language: str | None) -> str:
    # Translators: how a day is written, in the letters of Django's filter "date".
    return date_format(day, gettext("l, j F Y"), use_l10n=False)


def _via(event: Any) -> object:
    return told_of(event).data.get("via")


_TARGET = ("target_pk", "target_kind", "target_name")
JOURNAL_TABLE = declare(
    Table(
        name="journal",
        title=_("Journal"),
        kind="event",
        language=EVENTS,
        order="-when",
        part_of=_day,
        parted_by=("when", "at"),
        # What happened is told from the sealed text; where its links lead from the keys beside it.
        fields=("at", "outcome", "text", "entry_uuid", "actor", "verb", "cluster_pk", *_TARGET),
        columns=(
            Column(
                name="outcome",
                label=_("Outcome"),
                cell=lambda event, _context: state(event.outcome, word=_WORDS.get(event.outcome, event.outcome)),
                values={"outcome": lambda event: event.outcome},
                sort=("outcome", "-at", "-pk"),
                stands="state",
                is_fixed=True,
            ),
            Column(
                name="what",
                label=_("What happened"),
                cell=_what,
                values={
                    "sentence": lambda event: told_of(event).sentence,
                    "words": lambda event: told_of(event).words,
                    "changes": _changes,
                    "job_ids": lambda event: told_of(event).job_ids,
                },
                stands="name",
                css="wrap",
                width=420,
                is_fixed=True,
            ),
            Column(
                name="who",
                label=_("Who"),
                cell=_who,
                values={
                    "actor_name": lambda event: event.actor_name,
                    "persona_name": lambda event: event.persona_name,
                },
                fields=("actor_name", "persona_name"),
                sort=(Upper("actor_name"), "-at", "-pk"),
            ),
            Column(
                name="target",
                label=_("On"),
                about=_("The machine, cluster or job that it was done to"),
                cell=_on,
                values={
                    "target_kind": lambda event: event.target_kind,
                    "target_name": lambda event: event.target_name,
                    "target_pk": lambda event: event.target_pk,
                    "target_uuid": lambda event: told_of(event).target_uuid,
                },
                sort=("target_name", "-at", "-pk"),
                css="p3",
                width=180,
            ),
            text(
                "cluster_name", name="cluster", label=_("Cluster"), sort=("cluster_name", "-at", "-pk"), is_extra=True
            ),
            text("verb", name="verb", label=_("Verb"), sort=("verb", "-at", "-pk"), width=150, is_extra=True),
            Column(
                name="via",
                label=_("Via"),
                about=_("By which way: a page, a bulk action, the command line"),
                cell=lambda event, _context: told_of(event).via,
                values={"via": _via},
                css="p2 dim",
            ),
            Column(
                name="from",
                label=_("From"),
                about=_("The address from which it was asked for; of a page alone"),
                cell=lambda event, _context: _from(event) or DASH,
                values={"from": _from},
                css="dim",
                is_extra=True,
            ),
            ago(
                "at",
                name="when",
                label=_("When"),
                cell=lambda event, _context: since(event.at),
                values={"at": lambda event: event.at},
                sort=("at",),
            ),
            Column(
                name="at",
                label=_("Time"),
                about=_("The same as a date and a time"),
                cell=lambda event, _context: moment(event.at),
                values={"at": lambda event: event.at},
                sort=("at",),
                biggest_first=True,
                css="num dim",
                width=160,
                is_extra=True,
            ),
            number(
                "number",
                name="number",
                label=_("Number"),
                about=_("Its place in the sealed journal"),
                is_extra=True,
            ),
            Column(
                name="seal",
                label=_("Seal"),
                about=_("In a file: the seal and the whole sealed text"),
                cell=lambda event, _context: draw("<code>{}</code>", event.seal[:12]) if event.seal else DASH,
                values={"seal": lambda event: event.seal, "text": lambda event: event.text},
                fields=("seal",),
                width=140,
                is_extra=True,
            ),
        ),
    )
)
