"""The language of filters: what is typed, what it means, and what is said of what it can't mean."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db.models import Q
from django.utils.datastructures import MultiValueDict
from hypothesis import example, given
from hypothesis import strategies as st

from ui.filtering import (
    Key,
    Language,
    Term,
    Wanted,
    of_choices,
    of_moment,
    of_number,
    of_size,
    of_text,
    of_timestamp,
    parse,
)


def _key(make: Key) -> Language:
    return Language({"key": make}, lambda value: Q(words__contains=value))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("word", (Term("", "", "word"),)),
        ("status:down tag:web", (Term("status", ":", "down"), Term("tag", ":", "web"))),
        ("mem>4G mem>=4G", (Term("mem", ">", "4G"), Term("mem", ">=", "4G"))),
        ("Mem<4G mem<=4G", (Term("mem", "<", "4G"), Term("mem", "<=", "4G"))),
        ("-name:test -x", (Term("name", ":", "test", negated=True), Term("", "", "x", negated=True))),
        ('"two words" name="a b"', (Term("", "", "two words"), Term("name", "=", "a b"))),
        (r'"a \"b\" \\"', (Term("", "", 'a "b" \\'),)),
        ('"status:down"', (Term("", "", "status:down"),)),
        ('"never closed', (Term("", "", "never closed"),)),
        ("tag:env:production", (Term("tag", ":", "env:production"),)),
        ("2001:db8::1 web-1 - key:", tuple(Term("", "", each) for each in ("2001:db8::1", "web-1", "-", "key:"))),
        ('""', ()),
    ],
)
def test_terms_of_a_text(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text) == terms


_TYPED = st.text(alphabet=st.sampled_from('aZ9_-:=<>"\\ \n\tmem.é\u00a0')) | st.text()


@given(_TYPED)
@example(r'"one \\\\ two"')
@example(r'"one \" two"')
def test_every_text_has_a_meaning_that_can_be_typed_again(text: str) -> None:
    terms = parse(text)
    assert parse(" ".join(map(str, terms))) == terms


@given(_TYPED, st.sampled_from([":", "=", ">", ">=", "<", "<="]))
def test_whatever_is_compared_to_a_key_is_a_condition_or_a_problem_told(value: str, operator: str) -> None:
    for key in (
        of_size("k", "key>4G", "size"),
        of_number("k", "key>4", "number"),
        of_text("k", "key:a", lambda value: Q(text=value)),
        of_choices("k", "key:a", {"a": Q(text="a")}),
        of_moment("k", "key>2026-11-01", "at"),
        of_timestamp("k", "key>2026-11-01", "at"),
    ):
        asked = _key(key).read((Term("key", operator, value),))
        assert bool(asked.problem) == (asked.condition == Q(pk__in=()))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("key>4G", Q(size__gt=4096)),
        ("key>=1.5GiB", Q(size__gte=1536)),
        ("key<512m", Q(size__lt=512)),
        ("key<=512", Q(size__lte=512)),
        ("key:1T", Q(size__exact=1048576)),
        ("-key=1T", ~Q(size__exact=1048576)),
        ("a -b", Q(words__contains="a") & ~Q(words__contains="b")),
        ("env:production", Q(words__contains="env:production")),
    ],
)
def test_sizes_and_words(text: str, condition: Q) -> None:
    assert _key(of_size("k", "key>4G", "size")).read(parse(text)).condition == condition


def test_what_an_index_finds_near_is_asked_first_and_not_for_the_opposite() -> None:
    key = of_text("k", "key:a", lambda value: Q(text=value), near=lambda value: Q(near=value))
    assert _key(key).read(parse("key:a")).condition == Q(near="a") & Q(text="a")
    assert _key(key).read(parse("-key:a")).condition == ~Q(text="a")


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        (of_size("k", "key>4G", "s"), "key>4X", "“key>4X” can't be read: it is compared to a size in M, G or T"),
        (of_size("k", "key>4G", "s"), "key>99999999999999999999", "a size in M, G or T, as in key>4G"),
        (of_number("k", "key>4", "n"), "key:many", "“key:many” can't be read: it is compared to a whole number"),
        (of_text("k", "key:a", lambda value: Q(t=value)), "-key>a", "“-key>a” can't be read: it can only be compared"),
        (of_choices("k", "key:a", {"a": Q(), "b": Q()}), "key:c", "“key:c” can't be read: it is one of a, b."),
    ],
)
def test_what_cannot_be_read_is_named_with_its_remedy_and_the_keys(key: Key, text: str, problem: str) -> None:
    language = _key(key)
    explained = language.read(parse(text)).explain(language, "nothing")
    assert problem in explained
    assert explained.endswith("Filters are key:.")


def test_a_key_that_does_not_exist_is_a_word_and_named() -> None:
    asked = _key(of_number("k", "key>4", "n")).read(parse("foo:bar aa:bb:cc"))
    assert asked.unknown == ("foo",)
    assert asked.condition == Q(words__contains="foo:bar") & Q(words__contains="aa:bb:cc")


DAY, NEXT = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
NOON, PAST_NOON = datetime(2026, 11, 1, 12, 30, tzinfo=UTC), datetime(2026, 11, 1, 12, 31, tzinfo=UTC)


@pytest.mark.feature("G051")
@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("key:2026-11-01", Q(at__gte=DAY) & Q(at__lt=NEXT)),
        ("key>2026-11-01", Q(at__gte=NEXT)),
        ("key>=2026-11-01", Q(at__gte=DAY)),
        ("key<2026-11-01", Q(at__lt=DAY)),
        ("key<=2026-11-01", Q(at__lt=NEXT)),
        ("key:today", Q(at__gte=NEXT) & Q(at__lt=datetime(2026, 11, 3, tzinfo=UTC))),
        ("key:Yesterday", Q(at__gte=DAY) & Q(at__lt=NEXT)),
        ("key>=2026-11-01T12:30", Q(at__gte=NOON)),
        ("key>2026-11-01T13:30+01:00", Q(at__gte=PAST_NOON)),
        ("-key<=2026-11-01T12:30Z", ~Q(at__lt=PAST_NOON)),
        ("key:>2026-11-01", Q(at__gte=NEXT)),
        ("key:<=2026-11-01", Q(at__lt=NEXT)),
        ("key:1d", Q(at__gte=datetime(2026, 11, 1, 9, tzinfo=UTC))),
        ("key:>24h", Q(at__gte=datetime(2026, 11, 1, 9, tzinfo=UTC))),
        ("key<1W", Q(at__lt=datetime(2026, 10, 26, 9, tzinfo=UTC))),
        ("key:<90m", Q(at__lt=datetime(2026, 11, 2, 7, 30, tzinfo=UTC))),
    ],
)
def test_times(text: str, condition: Q) -> None:
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        assert _key(of_moment("k", "key>2026-11-01", "at")).read(parse(text)).condition == condition


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "2026-13-01",
        "2026",
        "9999-12-31",
        "0001-01-01",
        "2026-11-01T99",
        "9999w",
        "99999d",
        ">",
        ">soon",
        "7y",
        "0001-01-01T00:00+14:00",
    ],
)
def test_times_that_no_calendar_has_are_no_error(value: str) -> None:
    for operator in (":", "<", "<=", ">", ">="):
        asked = _key(of_timestamp("k", "key>2026-11-01", "at")).read((Term("key", operator, value),))
        assert not asked.problem or "it is compared to a day or a time, as in key>2026-11-01" in asked.problem


def test_what_is_chosen_and_what_is_typed_must_all_match() -> None:
    keys = {"by": of_text("k", "by:a", lambda value: Q(by=value)), "n": of_number("k", "n>1", "n")}
    language = Language(keys, lambda value: Q(words__contains=value), aliases={"who": "by"})
    given = MultiValueDict({"by": ["a", " b "], "who": ["c"], "q": [" w -by:d who:e "], "page": ["2"], "n": [""]})
    wanted = Wanted.parse(language, given)
    assert wanted.chosen == (("by", "a"), ("by", "b"), ("who", "c"))
    assert wanted.asked.condition == Q(by="a") & Q(by="b") & Q(by="c") & Q(words__contains="w") & ~Q(by="d") & Q(by="e")
    assert wanted.values_of("by") == ["a", "b", "c", "e"]
    assert wanted.without("by").asked.condition == Q(words__contains="w") & ~Q(by="d")
    assert Wanted.parse(language, MultiValueDict({"page": ["2"]})).is_empty
    assert not wanted.complaint
    assert "There is no filter “xyz:”" in Wanted.parse(language, MultiValueDict({"q": ["-xyz:a"]})).complaint
