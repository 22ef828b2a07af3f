"""Queries that go on when Ganeti can't answer for one field of one record.

Ganeti 3.0 answers 500 to every query of `tags` as long as one machine has the tag "für". Then the field is left out,
and the records are bisected for the one at fault, which is remembered, so that the next cycle asks little.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from rapi.client import RapiClient
from rapi.errors import Refused
from rapi.resources.query import Resource
from rapi.shapes.fields import NAME_LENGTH
from rapi.shapes.reading import Unreadable
from rapi.text import clean_text

# With the nine calls that a cycle needs anyway: at most twenty.
EXTRA_CALLS = 11
# More than these are not looked for: then it is the field that is at fault, not a record.
_MOST_CULPRITS = 20
_TRIED_AGAIN = 3

# Where people's own words stand: looked at first.
_WORDS = {"job": ("ops", "opresult", "oplog", "summary")}
_KEPT = frozenset({"uuid", "name", "id", "status"})

# Tried on a real Ganeti 3.0.2, whose own commands fail at such a tag as well.
_BY_HAND = gettext_lazy(
    "If it holds other characters than plain ASCII: on the master run /usr/lib/ganeti/daemon-util stop-master, replace "
    "them in /var/lib/ganeti/config.data, and run daemon-util start-master."
)
_OF_A_JOB = gettext_lazy("It goes when the job is archived: gnt-job archive %(key)s.")


@dataclass
class Answer:
    """The records that came, by uuid or number; the fields that each of them lacks; and those that are at fault."""

    records: list[dict[str, Any]]
    left_out: dict[str, frozenset[str]] = field(default_factory=dict)
    bad: list[Unreadable] = field(default_factory=list)


class Guard:
    """The queries of one cycle. `troubles` is what the last one remembered, by resource; it is renewed in place."""

    def __init__(self, client: RapiClient, troubles: Any = None, extra_calls: int = EXTRA_CALLS) -> None:
        self._client = client
        self._left = extra_calls
        self._lock = threading.Lock()
        self.troubles: dict[str, Any] = dict(troubles) if isinstance(troubles, dict) else {}

    def query(self, resource: Resource, fields: Sequence[str], qfilter: list[Any] | None = None) -> Answer:
        """All records that match, each with all that Ganeti can say of it. Raises RapiError."""
        try:
            records = list(self._client.query(resource, fields, qfilter).records())
        except Refused as error:
            if type(error) is not Refused or error.code != 500:
                raise
            return _Search(self, resource, fields, qfilter, error).run()
        asked_all = qfilter is None or resource == "job"
        if asked_all and set(self.troubles.get(resource, {}).get("fields", ())) <= set(fields):
            self.troubles.pop(resource, None)
        return Answer(records)

    def suspects(self, resource: Resource) -> list[str] | None:
        """The records that were at fault in the last cycle; None for all, if they were not found yet."""
        known = self.troubles.get(resource) or {}
        return None if known.get("is_open") else [each for each in known.get("keys", []) if isinstance(each, str)]

    def ask(self, resource: Resource, fields: Sequence[str], qfilter: list[Any] | None) -> list[dict[str, Any]] | None:
        """One more query; None if Ganeti refuses it as well. Raises _Exhausted."""
        with self._lock:
            if self._left <= 0:
                raise _Exhausted
            self._left -= 1
        try:
            return list(self._client.query(resource, fields, qfilter).records())
        except Refused:
            return None


class _Exhausted(Exception):
    """No more calls in this cycle."""


class _Search:
    """For one query that Ganeti refuses."""

    def __init__(
        self, guard: Guard, resource: Resource, fields: Sequence[str], qfilter: list[Any] | None, error: Refused
    ) -> None:
        self._guard, self._resource, self._fields, self._filter, self._error = guard, resource, fields, qfilter, error
        self._key = "id" if resource == "job" else "uuid"
        known = guard.troubles.get(resource)
        self._known: Mapping[str, Any] = known if isinstance(known, dict) else {}
        self._culprits: list[Any] = [each for each in self._known.get("keys", []) if isinstance(each, str | int)]
        self._bad_fields: tuple[str, ...] = ()
        self._within: list[Any] = []

    def run(self) -> Answer:
        """What can be had. Raises the first error if that is nothing."""
        rest: list[dict[str, Any]] | None = None
        try:
            rest = self._read_rest()
        except _Exhausted:
            raise self._error from None
        if rest is None:
            raise self._error
        found: dict[Any, dict[str, Any]] = {}
        with suppress(_Exhausted):  # what is not found by then is looked for in the next cycle
            self._bisect([record[self._key] for record in rest], found)
        self._remember(is_open=len(found) + len(self._culprits) < len(rest))
        answer = Answer([record | found.get(record[self._key], {}) for record in rest])
        for record in rest:
            if record[self._key] not in found:
                answer.left_out[str(record[self._key])] = frozenset(self._bad_fields)
        answer.bad = self._name_culprits(rest)
        return answer

    def _ask(self, fields: Sequence[str], *conditions: list[Any] | None) -> list[dict[str, Any]] | None:
        given = [each for each in (self._filter, *conditions) if each is not None]
        qfilter = None if not given else given[0] if len(given) == 1 else ["&", *given]
        return self._guard.ask(self._resource, fields, qfilter)

    def _read_rest(self) -> list[dict[str, Any]] | None:
        """All records without the fields that can't be read; None if it is not a matter of fields."""
        guesses = [
            tuple(each for each in guess if each in self._fields and each not in _KEPT)
            for guess in (self._known.get("fields", ()), _WORDS.get(self._resource, ("tags",)))
        ]
        for guess in dict.fromkeys(each for each in guesses if each):
            rest = self._ask([each for each in self._fields if each not in guess])
            if rest is not None:
                self._bad_fields = guess
                return rest
        kept = [each for each in self._fields if each in _KEPT]
        if self._ask(kept) is None:
            return None
        self._bad_fields = tuple(self._find_bad([each for each in self._fields if each not in _KEPT]))
        return self._ask([each for each in self._fields if each not in self._bad_fields])

    def _find_bad(self, fields: list[str]) -> list[str]:
        """Those of `fields` that can't be read, of which there is at least one."""
        if len(fields) == 1:
            return fields
        half = len(fields) // 2
        first, second = fields[:half], fields[half:]
        if self._ask([self._key, *first]) is not None:
            return self._find_bad(second)
        found = self._find_bad(first)
        return found if self._ask([self._key, *second]) is not None else found + self._find_bad(second)

    def _bisect(self, given: list[Any], found: dict[Any, dict[str, Any]]) -> None:
        """Read the bad fields of all records but those at fault. Raises _Exhausted."""
        keys = sorted(key for key in given if isinstance(key, str | int))
        self._try_again(keys, found)
        while len(self._culprits) < _MOST_CULPRITS:
            left = [key for key in keys if key not in self._culprits and key not in found]
            if not left or self._try(left, found, all_of_them=True):
                return
            before = self._known.get("within") or self._within
            low, high = 0, len(left)
            if len(before) == 2 and before[0] in left and before[1] in left:
                low, high = left.index(before[0]), left.index(before[1]) + 1
            self._within = []
            while high - low > 1:
                middle = (low + high) // 2
                self._within = [left[low], left[high - 1]]
                if self._try(left[low:middle], found):
                    low = middle
                else:
                    high = middle
            self._culprits.append(left[low])
            self._within = []

    def _try_again(self, keys: list[Any], found: dict[Any, dict[str, Any]]) -> None:
        """Some of the known culprits, in turn: they may have been mended, or be gone."""
        if self._filter is None:
            self._culprits = [culprit for culprit in self._culprits if culprit in keys]
        for culprit in self._culprits[:_TRIED_AGAIN]:
            self._culprits.remove(culprit)
            records = self._ask([self._key, *self._bad_fields], ["=", self._key, culprit])
            if records is None:
                self._culprits.append(culprit)
            else:
                found.update({record[self._key]: record for record in records})

    def _try(self, keys: list[Any], found: dict[Any, dict[str, Any]], *, all_of_them: bool = False) -> bool:
        """Read the bad fields of the records from the first to the last of `keys`."""
        conditions = [["!=", self._key, culprit] for culprit in self._culprits]
        if not all_of_them:
            conditions += [[">=", self._key, keys[0]], ["<=", self._key, keys[-1]]]
        records = self._ask([self._key, *self._bad_fields], ["&", *conditions] if conditions else None)
        for record in records or []:
            found[record[self._key]] = record
        return records is not None

    def _remember(self, *, is_open: bool) -> None:
        culprits = self._culprits[:_MOST_CULPRITS]
        kept = {"fields": list(self._bad_fields), "keys": culprits, "within": self._within, "is_open": is_open}
        self._guard.troubles[self._resource] = kept

    def _name_culprits(self, rest: list[dict[str, Any]]) -> list[Unreadable]:
        by_key = {record[self._key]: record for record in rest}
        what = ", ".join(self._bad_fields)
        said = clean_text(self._error.text, 200)
        bad = []
        for key in self._culprits:
            if key in by_key:
                record = by_key[key]
                name = clean_text(str(record.get("name") or key), NAME_LENGTH)
                words = _OF_A_JOB % {"key": key} if self._resource == "job" else _BY_HAND
                why = _("Ganeti can't say its %(what)s: it answers “%(said)s” to every query of them. %(words)s") % {
                    "what": what,
                    "said": said,
                    "words": words,
                }
                bad.append(Unreadable(self._resource, str(key), name, why))
        if not bad:
            why = (
                _("Ganeti answers “%s” to every query of this field. Which record is at fault is not known yet.") % said
            )
            bad.append(Unreadable(f"{self._resource} field", what, what, why))
        return bad
