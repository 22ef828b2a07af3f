"""The language of filters: what is typed, what it means, and what is said of what it can't mean."""

import pytest
from django.db.models import Q
from hypothesis import example, given
from hypothesis import strategies as st

from ui.filtering import Key, Language, Term, of_choices, of_number, of_size, of_text, parse


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
