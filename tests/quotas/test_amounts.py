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
