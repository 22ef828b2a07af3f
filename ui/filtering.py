"""One language to filter lists in: `status:down mem>4G -name:test "two words" word`; all terms must match.

`parse` knows the grammar alone. What a list can be asked for is its `Language`: its keys, each of which makes a term
into a condition, and what a word without a key is searched in. Knows no model.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import Q
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from ui.moments import as_utc, begin_of

LONGEST = 200
_TERM = re.compile(
    r"""(?P<minus>-?)
    (?:(?P<key>[a-z][a-z_-]{1,19})(?P<operator>[<>]=|[:=<>]))?
    (?:"(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\\?\Z)|(?P<plain>\S+))""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
# The first part of an IPv6 or a MAC address looks like a key, and is none.
_OF_ADDRESS = re.compile(r"[0-9a-f]{1,4}")
_LOOKUPS = {":": "exact", "=": "exact", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_SIZE = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?([MGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)
_COMPARED = re.compile(r"([<>]=?)(.+)", re.DOTALL)
_AGE = re.compile(r"(\d{1,4})([mhdw])", re.IGNORECASE | re.ASCII)
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
_UNITS = {"": 1, "M": 1, "G": 1024, "T": 1024 * 1024}


@dataclass(frozen=True)
class Term:
    """One thing asked for. A word has neither key nor operator."""

    key: str
    operator: str
    value: str
    negated: bool = False

    def __str__(self) -> str:
        """As one types it."""
        before = f"{'-' if self.negated else ''}{self.key}{self.operator}"
        plain = f"{before}{self.value}"
        if parse(plain) == (self,):
            return plain
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{before}"{quoted}"'


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a text; every text has some meaning. A quotation that is not closed goes to the end."""
    terms = []
    for found in _TERM.finditer(text):
        quoted = found["quoted"]
        value = found["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        if value or found["key"]:
            key, operator = (found["key"] or "").lower(), found["operator"] or ""
            terms.append(Term(key, operator, value, bool(found["minus"])))
    return tuple(terms)


class Unreadable(ValueError):
    """A value that a key does not take; says what it takes."""


@dataclass(frozen=True)
class Key:
    """What may stand before an operator: how it becomes a condition (or `Unreadable`), and words and a sample of it.

    `choices` are the values that it takes, if these are few. `near` is true wherever the condition is, and quickly
    found by an index; where one asks for the opposite, it is of no use.
    """

    label: str | Promise
    sample: str
    condition: Callable[[Term], Q]
    choices: tuple[str, ...] = ()
    near: Callable[[str], Q] | None = None

    def ask(self, term: Term) -> Q:
        """The condition, or its opposite."""
        condition = self.condition(term)
        if term.negated:
            return ~condition
        return condition if self.near is None else self.near(term.value) & condition


def of_text(
    label: str | Promise,
    sample: str,
    has: Callable[[str], Q],
    *,
    equals: Callable[[str], Q] | None = None,
    near: Callable[[str], Q] | None = None,
) -> Key:
    """A key for words; `equals` is what = means where that differs from a colon."""

    def condition(term: Term) -> Q:
        if term.operator not in (":", "="):
            raise Unreadable(_("it can only be compared by : or ="))
        return equals(term.value) if equals is not None and term.operator == "=" else has(term.value)

    return Key(label, sample, condition, near=near)


def of_choices(
    label: str | Promise, sample: str, choices: Mapping[str, Q], other: Callable[[str], Q] | None = None
) -> Key:
    """A key for one of some words; what any other word means says `other`, if there is any."""

    def has(value: str) -> Q:
        if value.lower() in choices:
            return choices[value.lower()]
        if other is not None:
            return other(value)
        raise Unreadable(_("it is one of %s") % ", ".join(choices))

    return replace(of_text(label, sample, has), choices=tuple(choices))


def of_number(label: str | Promise, sample: str, field: str) -> Key:
    """A key for a whole number."""

    def condition(term: Term) -> Q:
        if not re.fullmatch("[0-9]{1,9}", term.value):
            raise Unreadable(_("it is compared to a whole number, as in %s") % sample)
        return Q(**{f"{field}__{_LOOKUPS[term.operator]}": int(term.value)})

    return Key(label, sample, condition)


def of_size(label: str | Promise, sample: str, field: str) -> Key:
    """A key for a size, with a field in MiB; a number without unit is MiB."""

    def condition(term: Term) -> Q:
        found = _SIZE.fullmatch(term.value)
        if found is None:
            raise Unreadable(_("it is compared to a size in M, G or T, as in %s") % sample)
        size = float(f"{found[1]}.{found[2] or 0}") * _UNITS[found[3].upper()]
        return Q(**{f"{field}__{_LOOKUPS[term.operator]}": round(size)})

    return Key(label, sample, condition)


def of_moment(label: str | Promise, sample: str, field: str) -> Key:
    """A key for a time: a day (also "today" and "yesterday"), a minute, or an age such as 7d: since so long ago."""
    return _of_span(label, sample, lambda lookup, when: Q(**{f"{field}__{lookup}": when}))


def of_timestamp(label: str | Promise, sample: str, field: str) -> Key:
    """The same for a field of seconds since 1970."""
    return _of_span(label, sample, lambda lookup, when: Q(**{f"{field}__{lookup}": when.timestamp()}))


def _of_span(label: str | Promise, sample: str, compare: Callable[[str, datetime], Q]) -> Key:
    def condition(term: Term) -> Q:
        operator, value = _split(term)
        if (age := _AGE.fullmatch(value)) is not None:
            # The moment so long ago: what is later than that is younger.
            return compare("lt" if operator in ("<", "<=") else "gte", _since(age))
        begin, end = _span_of(value, sample)
        if operator in (":", "="):
            return compare("gte", begin) & compare("lt", end)
        lookup, when = {
            ">": ("gte", end),
            ">=": ("gte", begin),
            "<": ("lt", begin),
            "<=": ("lt", end),
        }[operator]
        return compare(lookup, when)

    return Key(label, sample, condition)


def _split(term: Term) -> tuple[str, str]:
    """Operator and value; what is compared may stand behind a colon, as in changed:>2026-11-01."""
    found = _COMPARED.fullmatch(term.value) if term.operator == ":" else None
    return (found[1], found[2]) if found is not None else (term.operator, term.value)


def _since(age: re.Match[str]) -> datetime:
    """Minutes, hours, days or weeks ago; no earlier than databases tell time."""
    return timezone.now() - timedelta(minutes=int(age[1]) * _MINUTES[age[2].lower()])


def _span_of(value: str, sample: str) -> tuple[datetime, datetime]:
    """Begin and end of a day or of a minute. Unreadable."""
    today = timezone.localdate()
    days = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        day = days.get(value.lower()) or date.fromisoformat(value)
        return begin_of(day), begin_of(day + timedelta(days=1))
    except (ValueError, OverflowError):
        pass
    try:
        begin = as_utc(datetime.fromisoformat(value))
        return begin, begin + timedelta(minutes=1)
    except (ValueError, OverflowError) as error:
        raise Unreadable(_("it is compared to a day or a time, as in %s") % sample) from error


@dataclass(frozen=True)
class Asked:
    """What a text means for a list: a condition; `problem` says what can't be read, and then nothing matches."""

    condition: Q
    problem: str = ""
    unknown: tuple[str, ...] = ()  # what stands before a colon and means nothing here

    def explain(self, language: "Language", otherwise: str) -> str:
        """Why nothing may have matched, and what to do; `otherwise` if each word was understood."""
        return self.complain(language) or otherwise

    def complain(self, language: "Language") -> str:
        """What was not understood, with what there is; empty if each word was."""
        if self.problem:
            return f"{self.problem} {language.describe()}"
        if not self.unknown:
            return ""
        said = _("There is no filter “%(key)s:”, so it was searched as text.") % {"key": self.unknown[0]}
        return f"{said} {language.describe()}"


@dataclass(frozen=True)
class Language:
    """What a list can be asked for: its keys, and what a word is searched in.

    `says` tells the box what words may be; `aliases` are other names of keys.
    """

    keys: Mapping[str, Key]
    word: Callable[[str], Q]
    says: str | Promise = ""
    aliases: Mapping[str, str] = field(default_factory=dict)

    def key_of(self, name: str) -> str:
        """A key by its name or another name of it."""
        return self.aliases.get(name, name)

    def read(self, terms: tuple[Term, ...], read: dict[Term, Q] | None = None) -> Asked:
        """The condition that all `terms` make. A key that is not known here is part of a word.

        What is `read` of each is kept there: conditions remember what they found.
        """
        read = {} if read is None else read
        condition, problem, unknown = Q(), "", []
        for term in terms:
            key = self.keys.get(self.key_of(term.key))
            try:
                if term not in read:
                    read[term] = self._ask_word(term) if key is None else key.ask(term)
                condition &= read[term]
            except Unreadable as error:
                problem = problem or _("“%(term)s” can't be read: %(reason)s.") % {"term": term, "reason": error}
                continue
            if key is None and term.key and not _OF_ADDRESS.fullmatch(term.key):
                unknown.append(term.key)
        return Asked(Q(pk__in=()) if problem else condition, problem, tuple(unknown))

    def _ask_word(self, term: Term) -> Q:
        condition = self.word(f"{term.key}{term.operator}{term.value}")
        return ~condition if term.negated else condition

    def describe(self) -> str:
        """Its keys, in a sentence."""
        return _("Filters are %s.") % ", ".join(f"{key}:" for key in self.keys)

    def help(self) -> list[tuple[str, Key]]:
        """Every key with its name, for who asks for help."""
        return list(self.keys.items())


@dataclass(frozen=True)
class Wanted:
    """What was asked of a list: all `terms`; of them `text` was typed, and `chosen` are parameters of the URL."""

    language: Language
    terms: tuple[Term, ...] = ()
    text: str = ""
    chosen: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    read: dict[Term, Q] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(cls, language: Language, given: MultiValueDict[str, str]) -> "Wanted":
        """From the parameters of a URL: `q`, and every key of the language; other parameters are left alone."""
        text = given.get("q", "").strip()[:LONGEST]
        chosen = tuple(
            (name, value.strip()[:255])
            for name in (*language.keys, *language.aliases)
            for value in given.getlist(name)
            if value.strip()
        )
        terms = (*(Term(language.key_of(name), ":", value) for name, value in chosen), *parse(text))
        return cls(language, terms, text, chosen)

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything pass."""
        return not self.terms

    @cached_property
    def asked(self) -> Asked:
        """What it means."""
        return self.language.read(self.terms, self.read)

    @property
    def complaint(self) -> str:
        """What was not understood of it, with what there is."""
        return self.asked.complain(self.language)

    def values_of(self, key: str) -> list[str]:
        """What a key was asked to be; what it was asked not to be is no part of it."""
        return [term.value for term in self.terms if self._asks(term, key)]

    def without(self, key: str) -> "Wanted":
        """The same whatever the key is: what the numbers beside the values of the key count."""
        return replace(self, terms=tuple(term for term in self.terms if not self._asks(term, key)))

    def explain(self, otherwise: str) -> str:
        """Why nothing may have matched; see `Asked.explain`."""
        return self.asked.explain(self.language, otherwise)

    def _asks(self, term: Term, key: str) -> bool:
        return self.language.key_of(term.key) == key and term.operator in (":", "=") and not term.negated
