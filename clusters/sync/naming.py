"""Which row was meant by a name at some time.

Names are given again: a machine is removed and another one made that is called the same, or one takes the name that
another gave up. So a name counts only together with a time, and where two rows can be meant, none is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Model, Q

from clusters.models import Cluster, FormerName, Mirrored
from clusters.sync.touched import Touched
from clusters.sync.wording import is_uuid
from permissions.kinds import KINDS


def mirrored_models() -> dict[str, type[Model]]:
    """The models whose rows mirror what Ganeti has, by its word for them."""
    return {kind.in_ganeti: kind.model for kind in KINDS.values() if issubclass(kind.model, Mirrored)}


def word_for(model: type[Model]) -> str:
    """Ganeti's word for what the rows of `model` mirror."""
    return next(word for word, each in mirrored_models().items() if each is model)


class Tie(NamedTuple):
    """The row that was meant."""

    pk: int
    uuid: str


class Times(NamedTuple):
    """When a job was under way, seconds since 1970."""

    begin: float
    end: float


@dataclass(frozen=True)
class Span:
    """A time in which a row had a name, seconds since 1970. `is_birth`: it began when the object was made.

    Without a tie it is that of an object that was made and of which no row is known.
    """

    tie: Tie | None
    since: float
    until: float
    is_birth: bool

    def overlaps(self, times: Times) -> bool:
        """Whether the row had the name at some moment of `times`."""
        return self.since <= times.end and self.until >= times.begin


_ALWAYS, _STILL = float("-inf"), float("inf")


class Directory:
    """Who was called what on one cluster, as far as it concerns certain names."""

    def __init__(self, cluster: Cluster, wanted: Iterable[Touched]) -> None:
        self._cluster = cluster
        self._spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
        self._by_uuid: dict[tuple[str, str], Tie] = {}
        names: dict[str, set[str]] = defaultdict(set)
        uuids: dict[str, set[str]] = defaultdict(set)
        models = mirrored_models()
        for each in wanted:
            if each.kind in models:
                names[each.kind] |= {each.name, each.was} - {""}
                uuids[each.kind] |= {text for text in (each.uuid, each.name) if is_uuid(text)}
        for kind in names:
            self._load(models[kind], kind, names[kind], uuids[kind])

    def _load(self, model: type[Model], kind: str, names: set[str], uuids: set[str]) -> None:
        former = FormerName.objects.filter(cluster=self._cluster, kind=kind)
        rows = model._default_manager.filter(cluster=self._cluster).order_by()
        had = former.filter(name__in=names).values("target_pk")
        found = list(
            rows.filter(Q(name__in=names) | Q(uuid__in=uuids) | Q(pk__in=had)).values(
                "pk", "uuid", "name", "ctime", "missing_since"
            )
        )
        earlier: dict[int, list[FormerName]] = defaultdict(list)
        for each in former.filter(target_pk__in=[row["pk"] for row in found]).order_by("until", "pk"):
            earlier[each.target_pk].append(each)
        for row in found:
            if row["uuid"]:
                self._by_uuid[kind, row["uuid"]] = Tie(row["pk"], row["uuid"])
            for name, span in _spans_of(row, earlier[row["pk"]]):
                self._spans[kind, name].append(span)

    def add_births(self, made: Mapping[Touched, Times]) -> None:
        """Tell of objects that jobs have made: where no row is known of one, what had its name before is not meant."""
        for each, times in made.items():
            spans = self._spans[each.kind, each.name]
            if not any(span.is_birth and times.begin <= span.since <= times.end for span in spans):
                spans.append(Span(None, times.begin, _STILL, is_birth=True))

    def find(self, touched: Touched, times: Times) -> Tie | None:
        """The one row that a job of these times can mean, if there is just one."""
        if touched.kind == "cluster":
            return Tie(self._cluster.pk, self._cluster.uuid)
        uuid = touched.uuid or (touched.name if is_uuid(touched.name) else "")
        if uuid:
            return self._by_uuid.get((touched.kind, uuid))
        if touched.is_doubtful:
            return None
        spans = [span for span in self._of(touched.kind, touched.was or touched.name) if span.overlaps(times)]
        if touched.is_made:
            spans = [span for span in spans if span.is_birth and span.since >= times.begin]
        ties = {span.tie for span in spans}
        return ties.pop() if len(ties) == 1 else None

    def _of(self, kind: str, name: str) -> list[Span]:
        """Each span ends at the latest when another object of that name was made: two never have it at once."""
        spans = self._spans[kind, name]
        births = sorted(span.since for span in spans if span.is_birth)
        return [
            replace(span, until=min([span.until, *(birth for birth in births if birth > span.since)])) for span in spans
        ]


def _spans_of(row: Mapping[str, Any], earlier: Sequence[FormerName]) -> Iterable[tuple[str, Span]]:
    tie = Tie(row["pk"], row["uuid"])
    since, is_birth = (row["ctime"], True) if row["ctime"] is not None else (_ALWAYS, False)
    for each in earlier:
        yield each.name, Span(tie, since, each.until.timestamp(), is_birth)
        since, is_birth = each.seen_at.timestamp(), False
    gone: datetime | None = row["missing_since"]
    yield row["name"], Span(tie, since, gone.timestamp() if gone is not None else _STILL, is_birth)
