"""What is noted as changed elsewhere, after any changes in any order."""

from itertools import product

import pytest

from clusters.sync.drift import merge_drift

_STEPS = tuple(product("ab", (0, 1, 2), (False, True)))


@pytest.mark.feature("G019")
def test_it_is_always_told_from_what_was_last_accepted() -> None:
    """Noted is what differs from how it last was by our own doing, with that value: for all sequences of four steps."""
    for steps in product(_STEPS, repeat=4):
        accepted, now = {"a": 0, "b": 0}, {"a": 0, "b": 0}
        drift: dict[str, int] = {}
        for field, value, is_ours in steps:
            if value == now[field]:
                continue
            drift = merge_drift(drift, {field: (now[field], value)}, is_ours=is_ours)
            now[field] = value
            if is_ours:
                accepted[field] = value
            assert drift == {each: accepted[each] for each in now if now[each] != accepted[each]}, steps
