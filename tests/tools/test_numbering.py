"""What factories make is called the same whichever tests ran before."""

import pytest

from tests.fixtures.numbering import next_number


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_begins_to_number_what_it_makes(turn: str) -> None:
    assert [next_number(), next_number()] == [1, 2], turn
