"""The arithmetic of quotas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotas.amounts import DIMENSIONS, UNLIMITED, Amounts, Limits

pytestmark = pytest.mark.feature("F114", "F115")
numbers = st.integers(0, 2**40)
amounts = st.builds(Amounts, numbers, numbers, numbers, numbers)
changes = st.builds(Amounts, *[st.integers(-(2**40), 2**40)] * 4)
limits = st.builds(Limits, *[st.none() | numbers] * 4)


@given(limits, amounts, amounts)
def test_what_fits_stays_within_each_limit_and_what_does_not_breaks_one(
    limit: Limits, used: Amounts, more: Amounts
) -> None:
    over = limit.exceeded_by(used, more)
    for name in DIMENSIONS:
        most, total, wanted = getattr(limit, name), getattr(used + more, name), getattr(more, name)
        assert (name in over) == (most is not None and wanted > 0 and total > most)
        if name in over:
            assert over[name] == total - most > 0


@given(limits, amounts)
def test_all_that_is_left_fits_and_one_more_does_not(limit: Limits, used: Amounts) -> None:
    room = limit.room(used)
    assert not limit.exceeded_by(used, Amounts(*(left or 0 for left in room.values())))
    for name in DIMENSIONS:
        left = getattr(room, name)
        assert (left is None) == (getattr(limit, name) is None)
        if left is not None:
            assert left >= 0 and limit.exceeded_by(used, Amounts(**{name: left + 1}))


@given(limits, amounts, changes)
def test_whoever_wants_less_always_may(limit: Limits, used: Amounts, change: Amounts) -> None:
    less = Amounts(*(-abs(value) for value in change.values()))
    assert not limit.exceeded_by(used, less) and not limit.exceeded_by(used, Amounts())


@given(amounts, changes, changes)
def test_sums(used: Amounts, one: Amounts, other: Amounts) -> None:
    assert used + one - one == used and one + other == other + one and used + Amounts() == used
    assert not UNLIMITED.exceeded_by(used, one)


@given(limits, amounts, amounts, amounts)
def test_in_two_parts_as_in_one(limit: Limits, used: Amounts, one: Amounts, other: Amounts) -> None:
    """Who may take both at once may take them one after the other."""
    if not limit.exceeded_by(used, one + other):
        assert not limit.exceeded_by(used, one) and not limit.exceeded_by(used + one, other)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_empty_is_unlimited_and_nought_is_none(name: str) -> None:
    assert not Limits().exceeded_by(Amounts(), Amounts(**{name: 10**12}))
    assert Limits(**{name: 0}).exceeded_by(Amounts(), Amounts(**{name: 1})) == {name: 1}


@given(changes, changes)
def test_what_is_left_lies_between_all_and_nothing(whole: Amounts, gone: Amounts) -> None:
    left = whole.without(gone)
    for name in DIMENSIONS:
        total, part, rest = getattr(whole, name), getattr(gone, name), getattr(left, name)
        if total * part <= 0:  # nothing is gone, or what is gone is of another sign
            assert rest == total
        elif abs(part) >= abs(total):
            assert rest == 0
        else:
            assert rest == total - part


@pytest.mark.parametrize(
    ("whole", "gone", "left"),
    [
        *((5, 2, 3), (5, 5, 0), (5, 9, 0), (5, -2, 5), (5, 0, 5), (1, 1, 0), (2, 1, 1)),
        *((-5, -2, -3), (-5, -5, 0), (-5, -9, 0), (-5, 2, -5), (-1, -1, 0), (-2, -1, -1)),
        *((0, 3, 0), (0, -3, 0), (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("name", DIMENSIONS)
def test_what_is_left(name: str, whole: int, gone: int, left: int) -> None:
    assert Amounts(**{name: whole}).without(Amounts(**{name: gone})) == Amounts(**{name: left})


@given(changes, changes, st.integers(0, 20))
def test_each_is_reckoned_by_itself(one: Amounts, other: Amounts, number: int) -> None:
    assert one.times(number) == sum([one] * number, Amounts())
    most = one.most(other)
    assert most == other.most(one) and all(
        getattr(most, name) in (getattr(one, name), getattr(other, name)) for name in DIMENSIONS
    )
    assert all(value >= 0 for value in (most - one).values() + (most - other).values())
